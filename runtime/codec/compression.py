"""Whole files: an image to a stream and back, with progress, all of the output or none of it."""

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from runtime.cell.flight_package import FlightPackage
from runtime.codec.decoder import Decoder, StreamReader
from runtime.codec.encoder import DEFAULT_SEGMENT_LINES, Encoder
from runtime.codec.salvage import salvage
from runtime.codec.warm_up import compile_roads
from runtime.defences.encoding_executor import encoding_executor
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import BadArgument, Corrupt
from runtime.executors.executor_registry import ONNXRUNTIME
from runtime.executors.executors import AnyExecutor, make_executor
from runtime.images.image_description import ImageDescription
from runtime.images.sample_file import raw_line
from runtime.images.scene_writer import restoring
from runtime.segments.segment_codec import Samples
from runtime.stream.stream_format import AdaptiveStage, PredictorKind, Quantisation, StreamHeader
from runtime.stream.telemetry import telemetry_log
from runtime.whole_output import replacing

PIPE = Path("-")


@dataclass(frozen=True)
class Report:
    """What a compression or decompression did."""

    n_lines: int
    n_bands: int
    n_columns: int
    n_bytes: int
    """Of the stream, everything in it counted."""
    seconds: float
    missing_lines: tuple[tuple[int, int], ...] = ()
    """Runs (first, last) of lines that salvage could not give back; they are zero in the output."""
    n_fallbacks: int = 0
    """Segments that CCSDS 123 coded in place of the predictor asked for, because something failed."""

    @property
    def bits_per_sample(self) -> float:
        """Rate of the whole stream."""
        return 8 * self.n_bytes / (self.n_lines * self.n_bands * self.n_columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        n_samples = self.n_lines * self.n_bands * self.n_columns
        return {
            "lines": self.n_lines,
            "bands": self.n_bands,
            "columns": self.n_columns,
            "bytes": self.n_bytes,
            "bits_per_sample": round(self.bits_per_sample, 4),
            "seconds": round(self.seconds, 3),
            "msamples_per_s": round(n_samples / self.seconds / 1e6, 4),
            "missing_lines": [list(run) for run in self.missing_lines],
            "fallbacks": self.n_fallbacks,
        }


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that appears under its name only when the block ends without an error; `-` is standard output."""
    if path == PIPE:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        yield file


def progress(n_lines: int, what: str) -> Any:
    """A progress bar over lines, on a terminal only; `n_lines` 0 is not known."""
    return tqdm(total=n_lines or None, desc=what, unit="line", disable=None, leave=False)


def compress_lines(
    lines: Iterable[npt.NDArray[np.integer[Any]]],
    image: ImageDescription,
    output: Path,
    package: FlightPackage | None = None,
    executor: str = ONNXRUNTIME,
    *,
    predictor: PredictorKind | None = None,
    max_error: int = 0,
    segment_lines: int = DEFAULT_SEGMENT_LINES,
    stage: AdaptiveStage | None = None,
    quantisation: Quantisation | None = None,
    line_deadline_s: float | None = None,
    guard: GuardLevel = GuardLevel.OFF,
    telemetry: Path | None = None,
) -> Report:
    """Write the stream of an image whose lines (Z, X) come one at a time; arguments as in `Encoder`.

    line_deadline_s: the executor runs in a worker process, that is killed and restarted where a line takes it longer;
    what this can need is compiled before the first line. None: here. telemetry: a file that gets a line after each
    segment; `-` is standard output, but standard error where the stream goes there.
    """
    start = time.perf_counter()
    n_bytes = 0
    with contextlib.ExitStack() as stack:
        pipe = sys.stderr if output == PIPE else sys.stdout
        made = stack.enter_context(encoding_executor(package, executor, line_deadline_s))
        encoder = Encoder(
            image,
            package,
            predictor=predictor,
            max_error=max_error,
            segment_lines=segment_lines,
            executor=made,
            stage=stage,
            quantisation=quantisation,
            guard=guard,
            on_segment=None if telemetry is None else stack.enter_context(telemetry_log(telemetry, pipe)),
        )
        if line_deadline_s is not None:
            compile_roads(encoder)
        file, bar = stack.enter_context(atomic_file(output)), stack.enter_context(progress(image.n_lines, "compress"))
        n_bytes += file.write(encoder.header)
        for line in lines:
            n_bytes += file.write(encoder.push(line))
            bar.update()
        n_bytes += file.write(encoder.finish())
    seconds = time.perf_counter() - start
    n_fallbacks = encoder.n_fallbacks
    return Report(encoder.n_lines, image.n_bands, image.n_columns, n_bytes, seconds, n_fallbacks=n_fallbacks)


@contextlib.contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """A binary file for reading; `-` is standard input. Raises BadArgument where it is not there."""
    if path == PIPE:
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadArgument(f"{path}: {error.strerror}") from error
    with file:
        yield file


def named_executor(package: FlightPackage | None, name: str) -> AnyExecutor | None:
    """The executor of a package; none without one."""
    return make_executor(package, name) if package is not None else None


def make_decoder(header: StreamHeader, package: FlightPackage | None, executor: str) -> Decoder:
    """A decoder; an executor is made, and tested, only where the stream needs this package."""
    is_needed = package is not None and package.sha256 == header.package_sha256
    return Decoder(header, package, named_executor(package, executor) if is_needed else None)


def stream_lines(reader: StreamReader, package: FlightPackage | None, executor: str = ONNXRUNTIME) -> Iterator[Samples]:
    """Each line (Z, X) of a sound stream."""
    decoder = make_decoder(reader.header, package, executor)
    for segment, payload in reader.segments():
        yield from decoder.lines(segment, payload)


def decompress(source: Path, output: Path, package: FlightPackage | None = None, executor: str = ONNXRUNTIME) -> Report:
    """Restore the image of a stream as ENVI, or as raw BIL lines on standard output. Raises LineRwkvError."""
    start = time.perf_counter()
    with open_input(source) as file:
        reader = StreamReader(file)
        header = reader.header
        n_lines = 0
        with progress(header.n_lines, "decompress") as bar:
            if output == PIPE:
                for line in stream_lines(reader, package, executor):
                    sys.stdout.buffer.write(raw_line(line, header.sample_type))
                    n_lines += 1
                sys.stdout.buffer.flush()
            else:
                with restoring(output, header) as writer:
                    for line in stream_lines(reader, package, executor):
                        writer.append(line)
                        n_lines += 1
                        bar.update()
    return Report(n_lines, header.n_bands, header.n_columns, reader.n_bytes, time.perf_counter() - start)


def decompress_salvaged(
    source: Path, output: Path, package: FlightPackage | None = None, executor: str = ONNXRUNTIME
) -> Report:
    """Restore every intact segment of a damaged stream; missing lines are zero. Raises LineRwkvError."""
    start = time.perf_counter()
    with open_input(source) as file:
        data = file.read()
    found = salvage(data)
    header = found.header
    if not found.segments:
        raise Corrupt(f"{source}: no intact segment in {len(data)} bytes")
    decoder = make_decoder(header, package, executor)
    missing = found.missing_lines()
    blank = np.zeros((header.n_bands, header.n_columns), np.int32)
    with restoring(output, header) as writer:
        for segment, payload in found.segments:
            for _ in range(writer.n_lines, segment.first_line):
                writer.append(blank)
            for line in decoder.lines(segment, payload):
                writer.append(line)
        for _ in range(writer.n_lines, found.n_lines):
            writer.append(blank)
    seconds = time.perf_counter() - start
    return Report(writer.n_lines, header.n_bands, header.n_columns, len(data), seconds, tuple(missing))
