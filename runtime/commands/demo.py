"""The demo: a synthetic scene compressed, restored, compared, and shown next to what a user would try first."""

import json
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines, decompress
from runtime.codec.network_choice import NetworkUse
from runtime.commands.demo_picture import draw_picture
from runtime.errors import LineRwkvError
from runtime.images.scene_reader import open_scene
from runtime.images.synthetic import BIT_DEPTH, synthetic_lines, wavelengths
from runtime.output_checks import check_files
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind, SampleType
from runtime.whole_output import replacing

N_BANDS = 96
N_COLUMNS = 80
PICTURE = "demo.png"
REPORT = "report.json"

Cube = npt.NDArray[np.integer[Any]]
Codec = Callable[[bytes], bytes]


def run_demo(output: Path, *, n_lines: int, seed: int, package: FlightPackage) -> list[dict[str, Any]]:
    """Run everything in `output` and return the table's rows. Raises LineRwkvError where the image differs."""
    check_files(output, (REPORT, PICTURE), "scene.lrwk")
    output.mkdir(parents=True, exist_ok=True)
    scene = np.stack(list(synthetic_lines(n_lines, N_BANDS, N_COLUMNS, np.random.default_rng(seed))))
    metadata = {
        "description": f"synthetic pushbroom scene, seed {seed}",
        "wavelength units": "Nanometers",
        "wavelength": [f"{value:.1f}" for value in wavelengths(N_BANDS)],
    }
    image = ImageDescription(N_BANDS, N_COLUMNS, BIT_DEPTH, False, n_lines, SampleType.UINT16, metadata)
    sizes = f"{n_lines} lines x {N_BANDS} bands x {N_COLUMNS} columns"
    click.echo(f"synthetic scene: {sizes}, {BIT_DEPTH} bits, seed {seed}")
    network = CodingOptions(package=package.source, network=NetworkUse.ALWAYS)
    codings = {
        f"LineRWKV ({package.manifest['name']}, {package.arithmetic})": ("scene", network),
        "LineRWKV, --max-error 3": ("scene_error3", replace(network, max_error=3)),
        "adaptive stage alone": ("scene_rls", CodingOptions(predictor=PredictorKind.RLS)),
        "DPCM + Golomb": ("scene_dpcm", CodingOptions(predictor=PredictorKind.DPCM)),
    }
    rows = [
        round_trip(name, scene, image, output / f"{file}.lrwk", options, package)
        for name, (file, options) in codings.items()
    ]
    rows.append(general_purpose(scene))
    print_table(rows)
    with replacing(output / REPORT) as part:
        part.write_text(json.dumps(rows, indent=1) + "\n")
    if draw_picture(scene, output / "scene.lrwk", BIT_DEPTH, output / PICTURE):
        click.echo(f"picture: {output / PICTURE}")
    return rows


def round_trip(
    name: str, scene: Cube, image: ImageDescription, stream: Path, options: CodingOptions, package: FlightPackage
) -> dict[str, Any]:
    """One row: compress to `stream`, restore beside it, compare sample by sample."""
    coded = compress_lines(scene, image, stream, options)
    header, max_error = stream.with_suffix(".hdr"), options.max_error
    restored = decompress(stream, header, [package])
    error = np.abs(open_scene(header).samples.astype(np.int64) - scene)
    if error.max() > max_error:
        y, z, x = (int(i) for i in np.argwhere(error > max_error)[0])
        raise LineRwkvError(f"{name}: line {y}, band {z}, column {x} is off by {error[y, z, x]}, allowed {max_error}")
    return row(name, scene, coded.bits_per_sample, coded.seconds, restored.seconds, int(error.max()))


def row(name: str, scene: Cube, bits_per_sample: float, encode_s: float, decode_s: float, error: int) -> dict[str, Any]:
    """A row of the table: rate, speeds from wall-clock times in s, largest error."""
    return {
        "name": name,
        "bits_per_sample": bits_per_sample,
        "encode_msamples_per_s": scene.size / encode_s / 1e6,
        "decode_msamples_per_s": scene.size / decode_s / 1e6,
        "largest_error": error,
    }


def general_purpose(scene: Cube) -> dict[str, Any]:
    """The row of zstd at level 19, or of zlib at level 9 where zstandard is not installed."""
    data = scene.astype("<u2").tobytes()
    pack: Codec
    unpack: Codec
    try:
        import zstandard

        name, pack, unpack = "zstd -19", zstandard.ZstdCompressor(19).compress, zstandard.ZstdDecompressor().decompress
    except ImportError:
        name, pack, unpack = "zlib -9", partial(zlib.compress, level=9), zlib.decompress
    start = time.perf_counter()
    packed = pack(data)
    middle = time.perf_counter()
    if unpack(packed) != data:
        raise LineRwkvError(f"{name} does not restore the scene")
    end = time.perf_counter()
    return row(name, scene, 8 * len(packed) / scene.size, middle - start, end - middle, 0)


def print_table(rows: list[dict[str, Any]]) -> None:
    """The rows as text."""
    click.echo(f"{'':32}{'bits/sample':>12}{'ratio':>8}{'enc Ms/s':>10}{'dec Ms/s':>10}{'max error':>11}")
    for name, bits, encode, decode, error in (one.values() for one in rows):
        click.echo(f"{name:32}{bits:12.3f}{16 / bits:8.2f}{encode:10.2f}{decode:10.2f}{error:11d}")
