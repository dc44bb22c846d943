"""The steps that code the scene: on the target and back here, here and back on the target, and again for minutes."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from hil_tests.acceptance.bench import SCENE, Bench
from hil_tests.acceptance.outcome import StepResult
from hil_tests.acceptance.session import Done, Event
from hil_tests.findings.findings import Latency, Phase, Reading, Speed
from hil_tests.findings.line_times import line_times
from hil_tests.targets.target import TargetFailed
from hil_tests.targets.transfer import file_sha256
from runtime.codec.coding_options import coding_options
from runtime.codec.compression import compress_lines, progress, restored_lines
from runtime.codec.decoder import Decoder
from runtime.codec.opened_encoder import Loaded
from runtime.codec.stream_reader import StreamReader
from runtime.executors.executors import make_executor
from runtime.images.raw_lines import RawLayout, raw_lines
from runtime.images.sample_file import DTYPES

FROM_TARGET, FROM_HOST, RESTORED = "target.lrwk", "host.lrwk", "restored.bil"


@contextmanager
def job_progress(n_lines: int, what: str) -> Iterator[Any]:
    """A bar on the terminal that follows the readings of a job."""
    with progress(n_lines, what) as bar:

        def follow(event: Event) -> None:
            bar.update(int(event["lines"]) - bar.n)

        yield follow


def coded(bench: Bench, kind: str, what: str, source: str, output: str) -> Done:
    """One coding job on the target. Raises TargetFailed."""
    session = bench.ready()
    with job_progress(bench.scene.image.n_lines, what) as follow:
        return session.do(
            kind, seconds=bench.board.line_seconds, on_reading=follow, source=source, output=output, **bench.coding()
        )  # fmt: skip


def figures(bench: Bench, phase: str, done: Done) -> dict[str, Any]:
    """What a coding job adds to the findings."""
    result, samples = done.result, bench.scene.n_samples
    return {
        "speeds": [asdict(Speed(phase, samples, result["seconds"], result["cpu_seconds"], bench.target.label))],
        "latencies": [asdict(Latency(phase, result["lines_ms"]))],
        "readings": readings(bench, [done]),
        "phases": [phase_of(bench, phase, done.began, done.ended)],
    }


def phase_of(bench: Bench, name: str, began: float, ended: float) -> dict[str, Any]:
    """A marked span."""
    return asdict(Phase(name, bench.since_start(began), bench.since_start(ended)))


def readings(bench: Bench, jobs: Iterable[Done]) -> list[dict[str, Any]]:
    """The readings of jobs in their order."""
    return [
        asdict(
            Reading(bench.since_start(event["at"]), event["clock_mhz"], event["temperature_c"], event["msamples_per_s"])
        )
        for done in jobs
        for event in done.readings
    ]


def difference(found: Iterable[npt.NDArray[np.integer[Any]]], wanted: npt.NDArray[np.integer[Any]]) -> str | None:
    """The first place where lines differ from (Y, Z, X), or None."""
    n_lines = 0
    for y, line in enumerate(found):
        n_lines += 1
        if y >= len(wanted):
            return f"more than the {len(wanted)} lines of the scene"
        places = np.argwhere(line != wanted[y])
        if len(places):
            z, x = (int(index) for index in places[0])
            return f"line {y}, band {z}, column {x}: {int(line[z, x])}, the scene has {int(wanted[y, z, x])}"
    return None if n_lines == len(wanted) else f"{n_lines} of {len(wanted)} lines"


def encode(bench: Bench) -> StepResult:
    """Compress on the target, decompress here, compare."""
    done = coded(bench, "encode", "encode there", SCENE, FROM_TARGET)
    stream = bench.folder / FROM_TARGET
    bench.target.fetch(FROM_TARGET, stream)
    if file_sha256(stream) != done.result["sha256"]:
        raise TargetFailed(f"{bench.target.name}: {FROM_TARGET} is not the file that was written there")
    with stream.open("rb") as file, progress(bench.scene.image.n_lines, "decode here") as bar:
        reader = StreamReader(file)
        lines = restored_lines(Decoder(reader.header, [bench.package]), reader.pieces())
        found = difference(counted(lines, bar), bench.scene.samples)
    values = figures(bench, "encode", done)
    values["bits_per_sample"] = 8 * done.result["bytes"] / bench.scene.n_samples
    values["peak_memory_mib"] = done.result["peak_mib"]
    values["telemetry"] = done.result["telemetry"]
    if found is not None:
        return StepResult.failed(f"decoded here: {found}", values)
    times = line_times(done.result["lines_ms"])
    p99 = f"p99 {times.p99:.3g}, " if times.has_p99 else ""
    return StepResult.passed(
        f"decoded here bit for bit; {values['bits_per_sample']:.3f} bits per sample, "
        f"{bench.scene.n_samples / done.result['seconds'] / 1e6:.3g} Msamples/s; lines of {times.median:.3g} ms, "
        f"{p99}largest {times.largest:.3g}, jitter {times.jitter:.3g}, first {times.first:.3g}",
        values,
    )


def counted(lines: Iterable[Any], bar: Any) -> Iterator[Any]:
    """The lines, with a bar that follows."""
    for line in lines:
        yield line
        bar.update()


def decode(bench: Bench) -> StepResult:
    """Compress here, decompress on the target, compare."""
    scene, options = bench.scene, coding_options(bench.coding()["coding"])
    loaded = Loaded(bench.package, make_executor(bench.package))
    compress_lines(scene.samples, scene.image, bench.folder / FROM_HOST, options, loaded=loaded)
    bench.ready()
    bench.target.put(bench.folder / FROM_HOST, FROM_HOST)
    done = coded(bench, "decode", "decode there", FROM_HOST, RESTORED)
    restored = bench.folder / RESTORED
    bench.target.fetch(RESTORED, restored)
    layout = RawLayout(scene.image.n_bands, scene.image.n_columns, DTYPES[scene.image.file_type].str, "bil")
    with restored.open("rb") as file:
        found = difference(raw_lines(file, layout), scene.samples)
    restored.unlink()
    values = figures(bench, "decode", done)
    if found is not None:
        return StepResult.failed(f"decoded there: {found}", values)
    there = bench.folder / FROM_TARGET
    equal = there.is_file() and there.read_bytes() == (bench.folder / FROM_HOST).read_bytes()
    same = "; both streams are the same bytes" if equal else ""
    speed = scene.n_samples / done.result["seconds"] / 1e6
    return StepResult.passed(f"decoded there bit for bit; {speed:.3g} Msamples/s{same}", values)


def soak(bench: Bench) -> StepResult:
    """Compress again and again; every stream must be the same bytes as the first one."""
    minutes = bench.board.soak_minutes
    if minutes == 0:
        return StepResult.skipped("no soak in the board file")
    there = bench.folder / FROM_TARGET
    wanted = file_sha256(there) if there.is_file() else None
    began = time.monotonic()
    jobs: list[Done] = []
    with progress(0, f"soak of {minutes:g} min") as bar:
        while not jobs or time.monotonic() - began < 60 * minutes:
            done = bench.ready().do(
                "encode", seconds=bench.board.line_seconds, source=SCENE, output=FROM_TARGET, **bench.coding()
            )  # fmt: skip
            wanted = wanted or str(done.result["sha256"])
            if done.result["sha256"] != wanted:
                return StepResult.failed(f"stream {len(jobs) + 1} of the soak differs from the first one", {})
            jobs.append(done)
            bar.update(bench.scene.image.n_lines)
    samples = bench.scene.n_samples * len(jobs)
    seconds = sum(done.result["seconds"] for done in jobs)
    cpu_seconds = sum(done.result["cpu_seconds"] for done in jobs)
    rates = [bench.scene.n_samples / done.result["seconds"] / 1e6 for done in jobs]
    values = {
        "speeds": [asdict(Speed("soak", samples, seconds, cpu_seconds, bench.target.label))],
        "readings": readings(bench, jobs),
        "phases": [phase_of(bench, "soak", jobs[0].began, jobs[-1].ended)],
    }
    return StepResult.passed(
        f"{len(jobs)} equal streams in {(time.monotonic() - began) / 60:.3g} min, {min(rates):.3g} to "
        f"{max(rates):.3g} Msamples/s", values,
    )  # fmt: skip
