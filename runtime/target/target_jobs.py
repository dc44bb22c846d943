"""The jobs of an acceptance run on a target, and the events that they write (docs/formats/target-run.md)."""

import hashlib
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from runtime.cell.flight_package import IntegerPackage, open_package
from runtime.codec.decoder import Decoder
from runtime.codec.line_codes import LineCodes
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.executors.executors import make_executor
from runtime.executors.self_test import EQUAL, recorded_findings
from runtime.executors.verify import Verdict, spectral_verdict, verdicts
from runtime.images.raw_lines import RawLayout, raw_lines
from runtime.images.sample_file import DTYPES, raw_line
from runtime.process_memory import peak_memory_mib, reset_peak_memory
from runtime.stream.image_description import ImageDescription
from runtime.stream.telemetry import SegmentTelemetry
from runtime.target.job_tables import CodingJob, FileJob, LoadJob, PartsJob, SelfTestJob
from runtime.target.part_times import part_times
from runtime.target.target_counters import clock_mhz, processor, temperature_c
from runtime.whole_output import replacing

LIBRARIES = ("numpy", "numba", "onnxruntime")
Result = dict[str, Any]
WriteEvent = Callable[..., None]
"""Called with the name of an event and its values."""


class Progress:
    """Counts lines and seconds of a job, and writes a reading of the target every `period_s`, between two lines."""

    def __init__(self, write: WriteEvent, samples_of_line: int, period_s: float) -> None:
        reset_peak_memory()
        self.write, self.samples_of_line, self.period_s = write, samples_of_line, period_s
        self.lines_ms: list[float] = []
        self.began, self.cpu_began = time.perf_counter(), time.process_time()
        self.read_at, self.read_lines = self.began, 0

    def line(self, seconds: float) -> None:
        """One more line is done; it took so many seconds."""
        self.lines_ms.append(seconds * 1e3)
        if time.perf_counter() - self.read_at >= self.period_s:
            self.reading()

    def reading(self) -> None:
        """Write an event: speed since the last one, clock, temperature."""
        now, n_lines = time.perf_counter(), len(self.lines_ms)
        rate = (n_lines - self.read_lines) * self.samples_of_line / max(1e-9, now - self.read_at) / 1e6
        self.read_at, self.read_lines = now, n_lines
        self.write("reading", lines=n_lines, msamples_per_s=rate, clock_mhz=clock_mhz(), temperature_c=temperature_c())

    def result(self) -> Result:
        """What the job took."""
        return {
            "seconds": time.perf_counter() - self.began,
            "cpu_seconds": time.process_time() - self.cpu_began,
            "lines_ms": self.lines_ms,
            "peak_mib": peak_memory_mib(),
        }


def load(job: LoadJob) -> tuple[Loaded, Result]:
    """Open the package and make its executor, which must pass the self-test; and say what machine this is."""
    package = open_package(job.package)
    executor = make_executor(package, job.executor)
    machine = {
        "processor": processor(), "system": platform.platform(), "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES}, "executor": executor.provider,
    }  # fmt: skip
    where = str(Path(__file__).parents[1])
    return Loaded(package, executor), {"machine": machine, "package_sha256": package.sha256.hex(), "runtime": where}


def warm_up(loaded: Loaded, job: CodingJob) -> Result:
    """Compile what the coding jobs can need, whatever the executor does, so that no line waits for it."""
    began = time.perf_counter()
    with opened_encoder(job.options, job.image.description(), loaded=loaded, is_live=True):
        return {"seconds": time.perf_counter() - began}


def self_test(loaded: Loaded, job: SelfTestJob) -> Result:
    """The recorded lines again, with one row for each setting; a float package has none."""
    if not isinstance(loaded.package, IntegerPackage):
        return {"rows": []}
    if job.all_settings:
        rows = list(verdicts(loaded.package, job.executor))
    else:
        found = recorded_findings(loaded.package, loaded.executor)
        rows = [Verdict(loaded.executor.provider, "", tile, finding == EQUAL, finding, None) for tile, finding in found]
        rows.append(spectral_verdict(loaded.package))
    return {"rows": [row.to_dict() for row in rows]}


def encode(loaded: Loaded, job: FileJob, write: WriteEvent) -> Result:
    """Raw BIL lines of a file to a stream. The last line's time includes the closing of the stream."""
    image = job.image.description()
    layout = layout_of(image)
    telemetry: list[SegmentTelemetry] = []
    with (
        opened_encoder(job.options, image, loaded=loaded, on_segment=telemetry.append) as encoder,
        job.source.open("rb") as source,
        replacing(job.output) as part,
        part.open("wb") as file,
    ):
        progress = Progress(write, image.n_bands * image.n_columns, job.reading_seconds)
        digest = hashlib.sha256(encoder.header)
        file.write(encoder.header)
        for line in raw_lines(source, layout):
            began = time.perf_counter()
            data = encoder.push(line)
            if encoder.n_lines == image.n_lines:
                data += encoder.finish()
            seconds = time.perf_counter() - began
            digest.update(data)
            file.write(data)
            progress.line(seconds)
    progress.reading()
    segments = [segment.to_dict() for segment in telemetry]
    return {**progress.result(), "bytes": encoder.n_bytes, "sha256": digest.hexdigest(), "telemetry": segments}


def parts(loaded: Loaded, job: PartsJob) -> Result:
    """Raw BIL lines of a file, coded to nothing, with a clock around each part."""
    image = job.image.description()
    with job.source.open("rb") as source:
        lines = list(raw_lines(source, layout_of(image)))
    codes = LineCodes(image, job.options.out_of_range)
    coded = [codes.of(line, y) for y, line in enumerate(lines)]
    return {"cpu_seconds": part_times(loaded, job.options, image, coded)}


def layout_of(image: ImageDescription) -> RawLayout:
    """Of the raw lines of a scene."""
    return RawLayout(image.n_bands, image.n_columns, DTYPES[image.file_type].str, "bil")


def decode(loaded: Loaded, job: FileJob, write: WriteEvent) -> Result:
    """A stream to raw BIL lines of a file. A segment's reading counts in the time of its first line."""
    with job.source.open("rb") as source, replacing(job.output) as part, part.open("wb") as file:
        reader = StreamReader(source)
        image = reader.header.image
        decoder = Decoder(reader.header, [loaded.package], lambda _: loaded.executor)
        progress = Progress(write, image.n_bands * image.n_columns, job.reading_seconds)
        began = time.perf_counter()
        for segment, payload in reader.segments():
            for line in decoder.lines(segment, payload):
                seconds = time.perf_counter() - began
                file.write(raw_line(line, image.file_type))
                progress.line(seconds)
                began = time.perf_counter()
    progress.reading()
    return {**progress.result(), "lines": len(progress.lines_ms)}
