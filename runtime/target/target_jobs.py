"""The jobs of an acceptance run on a target, each with what it tells while it works (docs/formats/target-run.md)."""

import hashlib
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from runtime.cell.flight_package import FlightPackage, IntegerPackage, open_package
from runtime.codec.compression import named_executor
from runtime.codec.decoder import Decoder, StreamReader
from runtime.codec.encoder import Encoder
from runtime.codec.warm_up import compile_roads
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executors import AnyExecutor
from runtime.executors.self_test import EQUAL, recorded_findings
from runtime.executors.verify import Verdict, verdicts
from runtime.images.image_description import ImageDescription
from runtime.images.raw_lines import RawLayout, raw_lines
from runtime.images.sample_file import DTYPES, raw_line
from runtime.stream.stream_format import AdaptiveStage, SampleType
from runtime.stream.telemetry import SegmentTelemetry
from runtime.target.target_counters import clock_mhz, peak_memory_mib, processor, reset_peak_memory, temperature_c
from runtime.whole_output import replacing

LIBRARIES = ("numpy", "numba", "onnxruntime")
Job = dict[str, Any]
Say = Callable[..., None]
"""Called with the name of an event and its values."""


@dataclass(frozen=True)
class Loaded:
    """A package and what runs it, tested."""

    package: FlightPackage
    executor_name: str
    executor: AnyExecutor | None


@dataclass
class Watch:
    """Counts lines and seconds of a job, and tells the state of the target now and then, between two lines."""

    say: Say
    samples_of_line: int
    period_s: float
    lines_ms: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        reset_peak_memory()
        self.began, self.cpu_began = time.perf_counter(), time.process_time()
        self.told_at, self.told_lines = self.began, 0

    def line(self, seconds: float) -> None:
        """One more line is done; it took so many seconds."""
        self.lines_ms.append(seconds * 1e3)
        if time.perf_counter() - self.told_at >= self.period_s:
            self.tell()

    def tell(self) -> None:
        """A reading: speed since the last one, and what the system says."""
        now, n_lines = time.perf_counter(), len(self.lines_ms)
        rate = (n_lines - self.told_lines) * self.samples_of_line / max(1e-9, now - self.told_at) / 1e6
        self.told_at, self.told_lines = now, n_lines
        self.say(
            "reading", lines=n_lines, msamples_per_s=rate, clock_mhz=clock_mhz(), temperature_c=temperature_c(),
        )  # fmt: skip

    def result(self) -> Job:
        """What the job took."""
        return {
            "seconds": time.perf_counter() - self.began,
            "cpu_seconds": time.process_time() - self.cpu_began,
            "lines_ms": self.lines_ms,
            "peak_mib": peak_memory_mib(),
        }


def load(job: Job) -> tuple[Loaded, Job]:
    """Open the package and make its executor, which must pass the self-test; and say what machine this is."""
    package = open_package(Path(job["package"]))
    executor = named_executor(package, job["executor"])
    machine = {
        "processor": processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "executor": str(getattr(executor, "provider", job["executor"])),
    }
    where = str(Path(__file__).parents[1])
    return Loaded(package, job["executor"], executor), {
        "machine": machine, "package_sha256": package.sha256.hex(), "runtime": where,
    }  # fmt: skip


def image_of(job: Job) -> ImageDescription:
    """The image that a job is about."""
    values = job["image"]
    return ImageDescription(
        values["bands"], values["columns"], values["depth"], values["is_signed"], values["lines"],
        SampleType(values["sample_type"]),
    )  # fmt: skip


def encoder_of(image: ImageDescription, loaded: Loaded, job: Job, told: list[SegmentTelemetry]) -> Encoder:
    """An encoder that has seen no line; it appends the telemetry of its segments to `told`."""
    stage = None if job["stage"] is None else AdaptiveStage[job["stage"].upper()]
    return Encoder(
        image, loaded.package, executor=loaded.executor, stage=stage, segment_lines=job["segment_lines"],
        on_segment=told.append,
    )  # fmt: skip


def warm_up(loaded: Loaded, job: Job) -> Job:
    """Compile what the coding jobs can need, whatever the executor does, so that no line waits for it."""
    began = time.perf_counter()
    compile_roads(encoder_of(image_of(job), loaded, job, []))
    return {"seconds": time.perf_counter() - began}


def self_test(loaded: Loaded, job: Job) -> Job:
    """The recorded lines again in every tiling, with `all_settings` the whole table of `linerwkv verify`.

    A float package has no recorded lines, and no rows.
    """
    if not isinstance(loaded.package, IntegerPackage):
        return {"rows": []}
    if job["all_settings"]:
        return {"rows": [row.to_dict() for row in verdicts(loaded.package, loaded.executor_name)]}
    executor = cast(ArrayExecutor, loaded.executor)
    found = recorded_findings(loaded.package, executor)
    rows = [Verdict(executor.provider, "", tile, finding == EQUAL, finding, None) for tile, finding in found]
    return {"rows": [row.to_dict() for row in rows]}


def encode(loaded: Loaded, job: Job, say: Say) -> Job:
    """Raw BIL lines of a file to a stream. The last line's time includes the closing of the stream."""
    image = image_of(job)
    layout = RawLayout(image.n_bands, image.n_columns, DTYPES[image.sample_type].str, "bil")
    told: list[SegmentTelemetry] = []
    encoder = encoder_of(image, loaded, job, told)
    watch = Watch(say, image.n_bands * image.n_columns, job["reading_seconds"])
    digest = hashlib.sha256(encoder.header)
    n_bytes = len(encoder.header)
    with Path(job["source"]).open("rb") as source, replacing(Path(job["output"])) as part, part.open("wb") as file:
        file.write(encoder.header)
        for line in raw_lines(source, layout):
            began = time.perf_counter()
            data = encoder.push(line)
            if encoder.n_lines == image.n_lines:
                data += encoder.finish()
            seconds = time.perf_counter() - began
            digest.update(data)
            n_bytes += file.write(data)
            watch.line(seconds)
    watch.tell()
    telemetry = [segment.to_dict() for segment in told]
    return {**watch.result(), "bytes": n_bytes, "sha256": digest.hexdigest(), "telemetry": telemetry}


def decode(loaded: Loaded, job: Job, say: Say) -> Job:
    """A stream to raw BIL lines of a file. A segment's reading counts in the time of its first line."""
    with Path(job["source"]).open("rb") as source, replacing(Path(job["output"])) as part, part.open("wb") as file:
        reader = StreamReader(source)
        header = reader.header
        decoder = Decoder(header, loaded.package, loaded.executor)
        watch = Watch(say, header.n_bands * header.n_columns, job["reading_seconds"])
        began = time.perf_counter()
        for segment, payload in reader.segments():
            for line in decoder.lines(segment, payload):
                seconds = time.perf_counter() - began
                file.write(raw_line(line, header.sample_type))
                watch.line(seconds)
                began = time.perf_counter()
    watch.tell()
    return {**watch.result(), "lines": len(watch.lines_ms)}
