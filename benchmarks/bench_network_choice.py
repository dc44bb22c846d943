"""What it gains that an encoder leaves the network out of segments: simulated raw scenes of sensors it never saw.

Bits per sample and thread CPU time with the network always, by trials (`auto`), and without it; bits also after
the first four segments, by which a trial has decided. Real scenes of the validation split beside them.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from click.testing import CliRunner

from benchmarks.harness.record import SCENES, save
from model.sensors.simulate_command import simulate
from runtime.cell.flight_package import SHIPPED, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.executors.executors import make_executor
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene, open_scene
from runtime.stream.kinds import PredictorKind
from runtime.stream.telemetry import SegmentTelemetry

Cube = npt.NDArray[Any]
FIRST = 4
"""Segments before it counts."""
WAYS = {
    "alone": CodingOptions(PredictorKind.RLS), "always": CodingOptions(network=NetworkUse.ALWAYS),
    "auto": CodingOptions(),
}  # fmt: skip


def scenes(folder: Path) -> Iterator[tuple[str, Cube]]:
    """Two real scenes, and raw ones of 1,024 lines: of three sensors, and one that the network harms."""
    for name in ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438"):
        yield name, open_scene(SCENES / f"{name}.hdr").read()
    for sensor, source in (("prisma", "jasper_ridge"), ("emit", "hyspecnet_dt4950_x03110438"), ("hypso1", "samson")):
        words = [
            sensor,
            str(SCENES / f"{source}.hdr"),
            "-o",
            str(folder / sensor),
            "--lines",
            "1024",
            "--columns",
            "64",
        ]
        done = CliRunner().invoke(simulate, words, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        for path in sorted((folder / sensor).glob("*.hdr")):
            yield f"{path.stem} (simulated)", open_scene(path).read()
    yield "stripes and little noise (synthetic)", striped(1024, 60, 64)


def striped(n_lines: int, n_bands: int, n_columns: int) -> Cube:
    """A smooth scene below strong stripes of detector elements, which the stage learns and the network disturbs."""
    generator = np.random.default_rng(0)
    scene = 800 + 200 * np.sin(np.arange(n_lines) / 40)[:, None, None] * np.linspace(0.5, 1.5, n_bands)[None, :, None]
    stripes = generator.normal(0, 80, (n_bands, n_columns))
    noise = generator.normal(0, 1.5, (n_lines, n_bands, n_columns))
    return np.clip(scene + stripes + noise, 0, 4095).astype(np.uint16)


def coded(cube: Cube, options: CodingOptions, loaded: Loaded) -> tuple[float, list[SegmentTelemetry]]:
    """Thread CPU time, and each segment."""
    told: list[SegmentTelemetry] = []
    with opened_encoder(options, describe(Scene(cube), None), loaded=loaded, on_segment=told.append) as encoder:
        start = time.thread_time()
        for line in cube:
            encoder.push(line)
        encoder.finish()
        return time.thread_time() - start, told


def rate(told: list[SegmentTelemetry], first: int = 0) -> float | None:
    """Bits per sample of the segments from `first` on."""
    n_samples = sum(one.n_samples for one in told[first:])
    return 8 * sum(one.header.n_payload_bytes for one in told[first:]) / n_samples if n_samples else None


def row(name: str, cube: Cube, loaded: Loaded) -> dict[str, Any]:
    """One scene by each way."""
    found: dict[str, Any] = {"scene": name, "lines": len(cube)}
    late, seconds = {}, {}
    for way, options in WAYS.items():
        seconds[way], told = coded(cube, options, loaded)
        found[f"{way}, bpp"], late[way] = rate(told), rate(told, FIRST)
    n_network = sum(one.header.coding.predictor is PredictorKind.LINERWKV for one in told)
    found["segments with it"] = f"{n_network} of {len(told)}"
    best = [value for way, value in late.items() if way != "auto" and value is not None]
    found[f"lost after {FIRST}"] = None if late["auto"] is None else round(late["auto"] - min(best), 4)
    return {
        **found,
        **{f"time of {way} by alone": round(seconds[way] / seconds["alone"], 2) for way in ("always", "auto")},
    }


def main() -> None:
    """Every scene."""
    package = open_package(SHIPPED)
    loaded = Loaded(package, make_executor(package))
    warm = np.arange(6 * 3 * 16).reshape(6, 3, 16)
    for options in WAYS.values():
        coded(warm, options, loaded)
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(name, cube, loaded) for name, cube in scenes(Path(folder))]
    save("network_choice", "python -m benchmarks.bench_network_choice", rows, package_sha256=package.sha256.hex())


if __name__ == "__main__":
    main()
