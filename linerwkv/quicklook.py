"""A picture of a stream: three bands, stretched; lines that are missing are magenta."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from linerwkv.stream_image import Array, Packages, StreamImage
from linerwkv.stream_source import Source
from runtime.errors import BadArgument
from runtime.extras import needed_for
from runtime.output_checks import check_outputs
from runtime.whole_output import replacing

RED_GREEN_BLUE_NM = (650.0, 550.0, 470.0)
NANOMETRES = {"nanometers": 1.0, "nm": 1.0, "micrometers": 1e3, "um": 1e3}
PERCENTILES = (2.0, 98.0)
"""Samples that become black and white; those in between are linear."""
MISSING_COLOUR = (255, 0, 255)
LARGEST_PICTURE = 1 << 26
"""Samples: whatever number of lines a stream announces, a picture fits into memory."""
PNG = ".png"


class Look(NamedTuple):
    """What a picture shows."""

    lines: range
    bands: tuple[int, ...]
    """Red, green, blue."""
    missing_lines: list[tuple[int, int]]
    """Runs of the image's lines, first and last."""
    is_damaged: bool
    """Whether some of them are missing for another reason than that they never came."""
    missing_from: int | None
    """The line from which on more may be missing, where the picture reaches it; None: the stream says how many."""


def quicklook(
    source: Source, output: Path, lines: range | None = None, bands: Sequence[int] | None = None,
    packages: Packages = (),
) -> Look:  # fmt: skip
    """Write a PNG (lines, columns) of a stream; only the segments that have the lines are read.

    lines: None: all. bands: one or three; None: those nearest to red, green and blue, else the default bands of the
    header, else three in equal distances. Raises BadArgument: no such lines or bands, no pillow, no PNG to write;
    Corrupt, Truncated or TooNew for a header that is not sound.
    """
    with needed_for("a quicklook", "ground"):
        from PIL import Image
    if output.suffix.lower() != PNG:
        raise BadArgument(f"output {output}: allowed a name ending in {PNG}")
    with StreamImage(source, missing="fill", packages=packages) as image:
        shown = range(image.shape[0]) if lines is None else lines
        chosen = tuple(bands) if bands is not None else colour_bands(image)
        if len(chosen) not in (1, 3) or not all(0 <= z < image.shape[1] for z in chosen):
            raise BadArgument(f"bands {chosen}: allowed one or three of 0..{image.shape[1] - 1}")
        if not shown or not 0 <= shown[0] <= shown[-1] < image.shape[0]:
            raise BadArgument(f"lines {shown.start}:{shown.stop}: allowed within 0:{image.shape[0]}")
        if len(shown) * image.shape[2] * len(chosen) > LARGEST_PICTURE:
            found = f"{len(shown)} lines x {image.shape[2]} columns x {len(chosen)} bands"
            raise BadArgument(f"picture: {found}, allowed {LARGEST_PICTURE} samples; --lines takes a part")
        if isinstance(source, str | Path):
            check_outputs([output], [Path(source)])
        samples = read_bands(image, shown, chosen)
        missing = image.missing_lines
        picture = coloured(samples, is_measured(samples, shown, missing, image.attrs.get("nodata")))
        for first, last in missing:
            rows = slice(max(first - shown.start, 0), max(last + 1 - shown.start, 0))
            picture[rows] = MISSING_COLOUR
        with replacing(output) as unfinished:
            Image.fromarray(picture).save(unfinished, format="PNG")
        told = [run for run in missing if run[0] < shown.stop and run[1] >= shown.start]
        is_damaged = image.found.error is not None or missing != image.found.missing()
        missing_from = image.missing_from if shown.stop == image.shape[0] else None
        return Look(shown, chosen * (3 // len(chosen)), told, is_damaged, missing_from)


def colour_bands(image: StreamImage) -> tuple[int, ...]:
    """Red, green and blue of an image."""
    n_bands, attrs = image.shape[1], image.attrs
    unit = NANOMETRES.get(str(attrs.get("wavelength_units", "nanometers")).lower())
    if "wavelength" in attrs and unit is not None:
        wavelength = np.array(attrs["wavelength"]) * unit
        if wavelength.min() <= min(RED_GREEN_BLUE_NM) and wavelength.max() >= max(RED_GREEN_BLUE_NM):
            return tuple(int(np.argmin(np.abs(wavelength - nm))) for nm in RED_GREEN_BLUE_NM)
    try:
        default = tuple(int(one) - 1 for one in attrs["metadata"]["default bands"])
    except (KeyError, TypeError, ValueError, OverflowError):
        default = ()
    if len(default) in (1, 3) and all(0 <= z < n_bands for z in default):
        return default
    return (n_bands * 5 // 6, n_bands // 2, n_bands // 6) if n_bands >= 3 else (0,)


def read_bands(image: StreamImage, lines: range, bands: tuple[int, ...]) -> Array:
    """Samples (Y, X, 1 or 3) of some lines, segment by segment."""
    samples = np.empty((len(lines), image.shape[2], len(bands)), image.dtype)
    with tqdm(total=len(lines), desc="quicklook", unit="line", disable=None, leave=False) as bar:
        ends = np.cumsum(image.chunks[0]).tolist()
        for y, end in zip([0, *ends], ends, strict=False):
            first, last = max(y, lines.start), min(end, lines.stop)
            if first < last:
                part = image[first:last, list(bands)]
                samples[first - lines.start : last - lines.start] = np.moveaxis(part, 1, 2)
                bar.update(last - first)
    return samples


def is_measured(
    samples: Array, lines: range, missing: list[tuple[int, int]], nodata: int | float | None
) -> npt.NDArray[np.bool_]:
    """Where samples (Y, X, 1 or 3) are measurements."""
    found = np.isfinite(samples)
    if nodata is not None:
        found &= samples != nodata
    for first, last in missing:
        found[max(first - lines.start, 0) : max(last + 1 - lines.start, 0)] = False
    return found


def coloured(samples: Array, measured: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Colours (Y, X, 3): each band between its percentiles; what is no measurement is black."""
    bands: list[npt.NDArray[Any]] = []
    for band, there in zip(np.moveaxis(samples, 2, 0), np.moveaxis(measured, 2, 0), strict=True):
        low, high = np.percentile(band[there], PERCENTILES) if there.any() else (0.0, 1.0)
        scaled = np.clip((np.where(there, band, low) - low) / max(high - low, 1e-9), 0, 1)
        bands.append(np.rint(255 * scaled).astype(np.uint8))
    return np.stack(bands * (3 // len(bands)), axis=2)
