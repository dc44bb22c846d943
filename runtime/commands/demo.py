"""The demo: a synthetic scene compressed by every form, restored, compared, timed, and drawn."""

import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines, decompress
from runtime.codec.network_choice import NetworkUse
from runtime.commands.demo_bands import bits_per_band
from runtime.commands.demo_kernels import STAGES, compile_part, compiled_beside
from runtime.errors import LineRwkvError
from runtime.images.scene_reader import open_scene
from runtime.images.synthetic import BIT_DEPTH, synthetic_lines, wavelengths
from runtime.output_checks import check_files
from runtime.segments.segment_codec import Samples
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind, SampleType
from runtime.whole_output import replacing

N_BANDS = 96
N_COLUMNS = 80
PICTURE = "demo.png"
REPORT = "report.json"
NEAR_LOSSLESS = "scene_error3"
MAX_ERROR = 3
MOST_RUNS, ENOUGH_S = 5, 0.3
"""A form is timed by the fastest of so many runs, or of those that so many seconds hold."""

Codec = Callable[[bytes], bytes]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Form:
    """One way to code the scene."""

    name: str
    file: str
    """Of the stream, without suffix."""
    options: CodingOptions


def forms(package: FlightPackage, *, is_all: bool = False) -> list[Form]:
    """What the demo shows, in the order of its table; is_all: with the stage `fast`, whose kernels no other needs."""
    name = package.manifest["name"]
    network = CodingOptions(package=package.source, network=NetworkUse.ALWAYS)
    rls = CodingOptions(predictor=PredictorKind.RLS)
    fast = Form("rls, fast", "scene_rls_fast", replace(rls, stage=AdaptiveStage.FAST))
    return [
        Form(name, "scene", network),
        Form(f"{name}, --max-error {MAX_ERROR}", NEAR_LOSSLESS, replace(network, max_error=MAX_ERROR)),
        Form("rls, best", "scene_rls", rls),
        *([fast] if is_all else []),
        Form("ccsds123", "scene_ccsds123", CodingOptions(predictor=PredictorKind.CCSDS123)),
    ]


def run_demo(
    output: Path, *, n_lines: int, seed: int, package: FlightPackage, is_all: bool = False
) -> list[dict[str, Any]]:
    """Run everything in `output` and return the table's rows; is_all: as in `forms`.

    Raises LineRwkvError where the image differs.
    """
    start = time.perf_counter()
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
    shown = forms(package, is_all=is_all)
    n_steps = len(shown) + 3
    rows = []
    tell(f"1 of {n_steps}: kernels for this processor, compiled once")
    with compiled_beside(package):
        compile_part(STAGES, package)
    ready_s = time.perf_counter() - start
    for step, form in enumerate(shown, 2):
        tell(f"{step} of {n_steps}: {form.name}: code, restore and compare; the first run is not timed")
        rows.append(round_trip(form, scene, image, output / f"{form.file}.lrwk", package))
    tell(f"{n_steps - 1} of {n_steps}: a general-purpose coder")
    rows.append(general_purpose(scene))
    print_table(rows)
    tell(f"{n_steps} of {n_steps}: the picture")
    for row, form in zip(rows, shown, strict=False):
        row["bits_per_band"] = bits_per_band(output / f"{form.file}.lrwk", scene).round(3).tolist()
    with replacing(output / REPORT) as part:
        part.write_text(json.dumps(rows, indent=1) + "\n")
    restored = open_scene(output / f"{NEAR_LOSSLESS}.hdr").samples
    if draw(scene, restored, rows, package.sha256.hex(), output / PICTURE):
        click.echo(f"picture: {output / PICTURE}")
    click.echo(f"done in {time.perf_counter() - start:.0f} s; the first form began after {ready_s:.0f} s")
    return rows


def draw(scene: Samples, restored: Samples, rows: list[dict[str, Any]], package: str, path: Path) -> bool:
    """Write the picture; False without matplotlib. package: the sha256 of that of the networks."""
    try:
        from runtime.commands.demo_picture import write_picture
    except ImportError:
        return False
    write_picture(scene, restored, MAX_ERROR, rows, package, path)
    return True


def tell(line: str) -> None:
    """Progress, a line a step, beside the results."""
    click.echo(f"demo: {line}", err=True)


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What the work returns, and the thread CPU time of its fastest run in s."""
    seconds: list[float] = []
    while True:
        start = time.thread_time()
        result = work()
        seconds.append(time.thread_time() - start)
        if len(seconds) == MOST_RUNS or sum(seconds) > ENOUGH_S:
            return result, min(seconds)


def round_trip(
    form: Form, scene: Samples, image: ImageDescription, stream: Path, package: FlightPackage | None = None
) -> dict[str, Any]:
    """One row: compress to `stream`, restore beside it, compare sample by sample; timed after a run that compiles."""
    header = stream.with_suffix(".hdr")

    def encode() -> int:
        return compress_lines(scene, image, stream, form.options).n_bytes

    def decode() -> None:
        decompress(stream, header, [package] if package else [])

    start = time.thread_time()
    encode()
    decode()
    first_s = time.thread_time() - start
    n_bytes, encode_s = timed(encode)
    _, decode_s = timed(decode)
    error, allowed = np.abs(open_scene(header).samples.astype(np.int64) - scene), form.options.max_error
    if error.max() > allowed:
        y, z, x = (int(i) for i in np.argwhere(error > allowed)[0])
        raise LineRwkvError(
            f"{form.name}: line {y}, band {z}, column {x} is off by {error[y, z, x]}, allowed {allowed}"
        )
    compile_s = max(0.0, first_s - encode_s - decode_s)
    return row(form.name, scene, n_bytes, encode_s, decode_s, int(error.max()), compile_s)


def row(
    name: str, scene: Samples, n_bytes: int, encode_s: float, decode_s: float, error: int, compile_s: float = 0.0
) -> dict[str, Any]:
    """A row of the table; from CPU times in s the speeds of one core; compile_s: what the first run took longer."""
    return {
        "name": name,
        "bytes": n_bytes,
        "bits_per_sample": 8 * n_bytes / scene.size,
        "encode_msamples_per_s": scene.size / encode_s / 1e6,
        "decode_msamples_per_s": scene.size / decode_s / 1e6,
        "largest_error": error,
        "compile_s": compile_s,
    }


def general_purpose(scene: Samples) -> dict[str, Any]:
    """The row of zstd at level 19, or of zlib at level 9 where zstandard is not installed."""
    data = scene.astype("<u2").tobytes()
    pack: Codec
    unpack: Codec
    try:
        import zstandard

        name, pack, unpack = "zstd -19", zstandard.ZstdCompressor(19).compress, zstandard.ZstdDecompressor().decompress
    except ImportError:
        name, pack, unpack = "zlib -9", partial(zlib.compress, level=9), zlib.decompress
    packed, encode_s = timed(lambda: pack(data))
    restored, decode_s = timed(lambda: unpack(packed))
    if restored != data:
        raise LineRwkvError(f"{name} does not restore the scene")
    return row(name, scene, len(packed), encode_s, decode_s, 0)


def print_table(rows: list[dict[str, Any]]) -> None:
    """The rows as text; speeds are of CPU time of one core."""
    names = f"{'bits/sample':>12}{'ratio':>8}{'enc Ms/s':>10}{'dec Ms/s':>10}{'max error':>11}"
    click.echo(" " * 24 + names)
    for one in rows:
        bits = one["bits_per_sample"]
        speeds = f"{one['encode_msamples_per_s']:10.2f}{one['decode_msamples_per_s']:10.2f}"
        click.echo(f"{one['name']:24}{bits:12.3f}{16 / bits:8.2f}{speeds}{one['largest_error']:11d}")
