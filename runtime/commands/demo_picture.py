"""The picture of the demo: quick look, what the prediction left over, bits per band."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.ccsds123 import golomb
from runtime.codec.stream_reader import StreamReader
from runtime.coders.golomb_residuals import golomb_parameters
from runtime.coders.residual_coders import ResidualReader
from runtime.images.synthetic import wavelengths
from runtime.kernels.bits import initial_bits
from runtime.segments.residual_segment import residual_depth

Cube = npt.NDArray[np.integer[Any]]
RED_GREEN_BLUE_NM = (650.0, 550.0, 470.0)


def mapped_residuals(stream: Path) -> npt.NDArray[np.int32]:
    """The mapped residuals (Y, Z, X) of a stream of residual segments; reading them needs no package."""
    lines = []
    with stream.open("rb") as file:
        reader = StreamReader(file)
        image = reader.header.image
        shape = (image.n_bands, image.n_columns)
        for segment, payload in reader.segments():
            depth = residual_depth(segment.coding, image)
            residuals = ResidualReader(segment.coder, payload, depth, *shape, segment.n_lines)
            for _ in range(segment.n_lines):
                mapped = np.empty(shape, np.int32)
                residuals.take(mapped)
                lines.append(mapped)
    return np.array(lines)


def bits_per_band(mapped: npt.NDArray[np.int32], depth: int) -> npt.NDArray[np.float64]:
    """Coded bits per sample of each band (Z,): bands have statistics of their own, so each can be coded alone."""
    parameters = golomb_parameters(depth)
    rates = []
    for z in range(mapped.shape[1]):
        band = np.ascontiguousarray(mapped[:, z]).reshape(1, -1)
        buffer = np.empty(golomb.worst_bytes(parameters, band.size), np.uint8)
        bits = initial_bits()
        golomb.encode_line(parameters, band, golomb.initial_state(parameters, 1), buffer, bits)
        rates.append((8 * bits[0] + bits[2]) / band.size)
    return np.array(rates)


def stretched(band: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """A band between its 2nd and 98th percentile, 0..1."""
    low, high = np.percentile(band, (2, 98))
    return np.asarray(np.clip((band - low) / max(1e-9, high - low), 0, 1), np.float64)


def draw_picture(scene: Cube, stream: Path, depth: int, path: Path) -> bool:
    """Write the picture; False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    mapped = mapped_residuals(stream)
    wavelength = wavelengths(scene.shape[1])
    colours = [int(np.argmin(np.abs(wavelength - nm))) for nm in RED_GREEN_BLUE_NM]
    look, left_over, bands = figure.subplots(1, 3, width_ratios=(1, 1.2, 1.6))
    look.imshow(np.stack([stretched(scene[:, z]) for z in colours], axis=-1), interpolation="nearest")
    look.set(title="quick look", xlabel="column", ylabel="line")
    residual = np.mean((mapped + 1) // 2, axis=1)
    shown = left_over.imshow(residual, cmap="magma", vmax=np.percentile(residual[1:], 99.5), interpolation="nearest")
    left_over.set(title="mean |residual| over bands", xlabel="column")
    figure.colorbar(shown, ax=left_over, label="counts")
    bands.plot(wavelength, bits_per_band(mapped, depth), color="tab:blue", label="LineRWKV")
    entropy = [np.log2(max(1.0, float(np.ptp(scene[:, z])) + 1)) for z in range(scene.shape[1])]
    bands.plot(wavelength, entropy, color="0.6", label="bits to hold the band's range")
    bands.set(title="bits per band", xlabel="wavelength (nm)", ylabel="bits per sample", ylim=(0, None))
    bands.legend(frameon=False)
    figure.savefig(path, dpi=110)
    return True
