"""Whole files: an image to a stream and back, with progress, all of the output or none of it."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.kept_lines import KeptLines
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.codec.salvage import salvage
from runtime.codec.stream_notes import notes_of, raw_notes
from runtime.codec.stream_reader import Segment, StreamReader
from runtime.errors import BadArgument, Corrupt, Incomplete
from runtime.executors.executor_registry import ONNXRUNTIME
from runtime.executors.executors import make_executor
from runtime.images.envi_pair import is_header, new_pair
from runtime.images.sample_file import raw_line
from runtime.images.scene_writer import restoring
from runtime.output_checks import PIPE, check_outputs, files_of
from runtime.segments.segment_codec import Samples
from runtime.standard_streams import standard_input, standard_output
from runtime.stream.image_description import ImageDescription
from runtime.stream.records import Gap
from runtime.whole_output import replacing


@dataclass(frozen=True)
class Report:
    """What a compression or decompression did."""

    n_lines: int
    n_bands: int
    n_columns: int
    n_bytes: int  # Of the stream, everything in it counted
    seconds: float
    missing_lines: tuple[tuple[int, int], ...] = ()
    """Runs (first, last) of lines that never came, or that salvage could not give back; they are zero in the output."""
    n_fallbacks: int = 0
    """Segments that CCSDS 123 coded in place of the predictor asked for, because something failed."""
    notes: tuple[str, ...] = ()
    """What the user should know of the stream, each a line."""
    failure: Incomplete | None = None
    """Why a source that cannot be read again ended early; the stream has all whole lines before."""

    @property
    def n_samples(self) -> int:
        """Of the whole image."""
        return self.n_lines * self.n_bands * self.n_columns

    @property
    def bits_per_sample(self) -> float:
        """Rate of the whole stream."""
        return 8 * self.n_bytes / self.n_samples

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "lines": self.n_lines,
            "bands": self.n_bands,
            "columns": self.n_columns,
            "bytes": self.n_bytes,
            "bits_per_sample": round(self.bits_per_sample, 4),
            "seconds": round(self.seconds, 3),
            "msamples_per_s": round(self.n_samples / self.seconds / 1e6, 4),
            "missing_lines": [list(run) for run in self.missing_lines],
            "fallbacks": self.n_fallbacks,
        }


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that appears under its name only when the block ends without an error; `-` is standard output."""
    if path == PIPE:
        stream = standard_output()
        yield stream
        stream.flush()
        return
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        yield file


def progress(n_lines: int, what: str) -> Any:
    """A progress bar over lines, on a terminal only; `n_lines` 0 is not known."""
    return tqdm(total=n_lines or None, desc=what, unit="line", disable=None, leave=False)


def compress_lines(
    lines: Iterable[npt.NDArray[np.integer[Any]]], image: ImageDescription, output: Path, options: CodingOptions, *,
    loaded: Loaded | None = None, inputs: Iterable[Path] = (),
) -> Report:  # fmt: skip
    """Write the stream of an image whose lines (Z, X) come one at a time; `loaded` as in `opened_encoder`.

    inputs: files that the lines are read from, none of which is written. Raises LineRwkvError.
    """
    start = time.perf_counter()
    telemetry = () if options.telemetry is None else (options.telemetry,)
    check_outputs([output, *telemetry], [*inputs, *files_of(options.package)])
    pipe = sys.stderr if output == PIPE else sys.stdout
    with (
        opened_encoder(options, image, loaded=loaded, pipe=pipe) as encoder,
        atomic_file(output) as file,
        progress(image.n_lines, "compress") as bar,
    ):
        kept = KeptLines(lines, encoder)
        for piece in kept:
            file.write(piece)
            bar.update(encoder.n_lines - bar.n)
    seconds = time.perf_counter() - start
    return Report(
        encoder.n_lines, image.n_bands, image.n_columns, encoder.n_bytes, seconds,
        n_fallbacks=encoder.n_fallbacks, notes=notes_of(encoder), failure=kept.failure,
    )  # fmt: skip


@contextlib.contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """A binary file for reading; `-` is standard input. Raises BadArgument where it is not there."""
    if path == PIPE:
        yield standard_input()
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadArgument(f"{path}: {error.strerror}") from error
    with file:
        yield file


def restored_lines(decoder: Decoder, pieces: Iterable[Segment | Gap]) -> Iterator[Samples]:
    """Each line (Z, X) of a stream; lines that never came are zero."""
    image = decoder.header.image
    for piece in pieces:
        if isinstance(piece, Gap):
            yield from (np.zeros((image.n_bands, image.n_columns), np.int32) for _ in range(piece.n_lines))
        else:
            yield from decoder.lines(piece.header, piece.payload)


def decompress(
    source: Path, output: Path, packages: Sequence[FlightPackage] = (), executor: str = ONNXRUNTIME
) -> Report:
    """Restore the image of a stream as ENVI, or as raw BIL lines on standard output. Raises LineRwkvError."""
    start = time.perf_counter()
    with open_input(source) as file:
        reader = StreamReader(file)
        decoder = Decoder(reader.header, packages, partial(make_executor, name=executor))
        check_restored(output, source, packages)
        n_lines = write_lines(output, decoder, reader.pieces())
    image, missing = reader.header.image, tuple(gap.run for gap in reader.gaps)
    seconds = time.perf_counter() - start
    notes = raw_notes(output, image)
    return Report(n_lines, image.n_bands, image.n_columns, reader.n_bytes, seconds, missing, notes=notes)


def decompress_salvaged(
    source: Path, output: Path, packages: Sequence[FlightPackage] = (), executor: str = ONNXRUNTIME
) -> Report:
    """Restore every intact segment of a damaged stream; missing lines are zero. Raises LineRwkvError."""
    start = time.perf_counter()
    with open_input(source) as file:
        data = file.read()
    found = salvage(data)
    if not found.segments:
        raise Corrupt(f"{source}: no intact segment in {len(data)} bytes")
    decoder = Decoder(found.header, packages, partial(make_executor, name=executor))
    check_restored(output, source, packages)
    n_lines = write_lines(output, decoder, found.pieces())
    image, missing = found.header.image, tuple(found.missing_lines())
    seconds = time.perf_counter() - start
    notes = raw_notes(output, image)
    return Report(n_lines, image.n_bands, image.n_columns, len(data), seconds, missing, notes=notes)


def check_restored(output: Path, source: Path, packages: Sequence[FlightPackage]) -> None:
    """Raise BadArgument where one of the files to restore is an input."""
    data = [new_pair(output, "bil")] if is_header(output) else []
    check_outputs([output, *data], [source, *(file for package in packages for file in files_of(package.source))])


def write_lines(output: Path, decoder: Decoder, pieces: Iterable[Segment | Gap]) -> int:
    """Write all lines; returns their number."""
    image, n_lines = decoder.header.image, 0
    with progress(image.n_lines, "decompress") as bar, line_output(output, image) as write:
        for line in restored_lines(decoder, pieces):
            write(line)
            bar.update()
            n_lines += 1
    return n_lines


@contextlib.contextmanager
def line_output(output: Path, image: ImageDescription) -> Iterator[Callable[[Samples], Any]]:
    """What takes restored lines: an ENVI image that is there when the block ends, or standard output."""
    if output == PIPE:
        stream = standard_output()
        yield lambda line: stream.write(raw_line(line, image.file_type))
        stream.flush()
        return
    with restoring(output, image) as scene:
        yield scene.append
