"""Whole files: an image to a stream and back, with progress, all of the output or none of it."""

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tqdm import tqdm

from runtime.cell.flight_package import FlightPackage
from runtime.cell.package_store import known_packages
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.kept_lines import KeptLines, Line
from runtime.codec.opened_encoder import Loaded, opened_encoder, opened_file_encoder
from runtime.codec.report import Report
from runtime.codec.restored_output import RestoredLines, mask_path, restored_output, write_salvaged
from runtime.codec.restored_records import record_paths
from runtime.codec.salvage import salvage
from runtime.codec.stream_notes import notes_of, output_notes
from runtime.codec.stream_reader import Segment, StreamReader
from runtime.codec.threaded_decoder import decoded
from runtime.errors import BadArgument, Corrupt, naming
from runtime.executors.executor_registry import ONNXRUNTIME
from runtime.executors.executors import make_executor
from runtime.images.envi_pair import is_header, new_pair
from runtime.output_checks import PIPE, check_outputs, files_of
from runtime.process_memory import peak_memory_mib
from runtime.segments.segment_codec import Samples
from runtime.standard_streams import standard_input, standard_output
from runtime.stream.image_description import ImageDescription
from runtime.stream.records import Gap
from runtime.stream.stream_header import StreamHeader
from runtime.whole_output import replacing


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


IMAGE_SUFFIXES = (
    ".hdr",
    ".img",
    ".bil",
    ".bip",
    ".bsq",
    ".tif",
    ".tiff",
    ".npy",
    ".h5",
    ".he5",
    ".hdf5",
    ".nc",
    ".png",
)
"""Which no stream is written under: it is likely a slip, and an image may be there."""


def compress_lines(
    lines: Iterable[Line], image: ImageDescription, output: Path, options: CodingOptions, *,
    loaded: Loaded | None = None, inputs: Iterable[Path] = (), n_threads: int = 1, is_live: bool = False,
) -> Report:  # fmt: skip
    """Write the stream of an image whose lines (Z, X) come one at a time, alone or with records.

    loaded, n_threads: as in `opened_file_encoder`; the bytes do not depend on the number of threads. is_live: each line
    is coded when it comes, as in `opened_encoder`. inputs: files that the lines are read from, none of which is
    written. Raises LineRwkvError.
    """
    start = time.perf_counter()
    telemetry = () if options.telemetry is None else (options.telemetry,)
    check_outputs([output, *telemetry], [*inputs, *files_of(options.package)])
    if output.suffix.lower() in IMAGE_SUFFIXES:
        raise BadArgument(f"output {output}: {output.suffix} is of images, allowed a name of a stream such as OUT.lrwk")
    pipe = sys.stderr if output == PIPE else sys.stdout
    opened = opened_encoder if is_live else opened_file_encoder
    with (
        opened(options, image, n_threads=n_threads, loaded=loaded, pipe=pipe) as encoder,
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
        n_fallbacks=encoder.n_fallbacks, n_segments=encoder.n_segments,
        n_with_network=encoder.n_with_network if options.has_network else None,
        notes=notes_of(encoder), failure=kept.failure, n_threads=encoder.n_threads, peak_memory_mib=peak_memory_mib(),
    )  # fmt: skip


@contextlib.contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """A binary file for reading; `-` is standard input. Raises BadArgument where it is not there.

    What is found wrong with its bytes meanwhile names it.
    """
    try:
        file = contextlib.nullcontext(standard_input()) if path == PIPE else path.open("rb")
    except OSError as error:
        raise BadArgument(f"{path}: {error.strerror}") from error
    with file as opened, naming(path):
        yield opened


def restored_lines(decoder: Decoder, pieces: Iterable[Segment | Gap]) -> Iterator[Samples]:
    """Each line (Z, X) of a stream; lines that never came are zero."""
    image = decoder.header.image
    for piece in pieces:
        if isinstance(piece, Gap):
            yield from (np.zeros((image.n_bands, image.n_columns), np.int32) for _ in range(piece.n_lines))
        else:
            yield from decoder.lines(piece.header, piece.payload)


def decompress(
    source: Path, output: Path, packages: Sequence[FlightPackage] = (), executor: str = ONNXRUNTIME, fill: int = 0, *,
    with_records: bool = False, n_threads: int = 1, trust: Path | None = None,
) -> Report:  # fmt: skip
    """Restore the image of a stream as ENVI, GeoTIFF or .npy, or as raw BIL lines on standard output.

    Raises LineRwkvError.

    packages: beside the shipped ones, which `trust` is for, as in `open_package`. fill: the samples of lines that never
    came. with_records: as in `restored_output`. n_threads: as in `decoded`.
    """
    start = time.perf_counter()
    with open_input(source) as file:
        reader = StreamReader(file)
        packages = needed_packages(reader.header, packages, trust)
        make = partial(make_executor, name=executor)
        decoders = [Decoder(reader.header, packages, make) for _ in range(n_threads)]
        check_restored(output, source, packages)
        with restored_output(output, reader.header.image, fill, with_records=with_records) as restored:
            for piece, records, lines in decoded(reader.pieces_with_records(), decoders):
                if isinstance(piece, Gap):
                    restored.leave_out(piece.n_lines)
                else:
                    restored.write(lines, records)
    notes = output_notes(output, restored.image, restored.file.not_carried)
    return restored_report(restored, reader.n_bytes, start, notes, n_threads)


def decompress_salvaged(
    source: Path, output: Path, packages: Sequence[FlightPackage] = (), executor: str = ONNXRUNTIME, fill: int = 0, *,
    with_records: bool = False, trust: Path | None = None,
) -> Report:  # fmt: skip
    """Restore every segment of a damaged stream that is intact and decodes; the others cost only their own lines.

    packages, trust: as in `decompress`. fill: the samples of missing lines. with_records: as in `restored_output`.
    Raises LineRwkvError where no segment comes back.
    """
    start = time.perf_counter()
    with open_input(source) as file:
        data = file.read()
        found = salvage(data)
    packages = needed_packages(found.header, packages, trust)
    decoder = Decoder(found.header, packages, partial(make_executor, name=executor))
    check_restored(output, source, packages)
    with restored_output(output, found.header.image, fill, with_records=with_records) as restored:
        errors = write_salvaged(restored, decoder, found)
        if restored.n_lines == 0:
            raise Corrupt(f"{source}: {errors[0] if errors else f'no intact segment in {len(data)} bytes'}")
        restored.end(found.n_lines)
    notes = output_notes(output, restored.image, restored.file.not_carried)
    return restored_report(restored, len(data), start, (*errors, *notes))


def needed_packages(
    header: StreamHeader, given: Sequence[FlightPackage], trust: Path | None = None
) -> list[FlightPackage]:
    """The given packages, and those shipped or in a store that a stream names beside them. Raises as `open_package`."""
    missing = {name.sha256 for name in header.packages} - {package.sha256 for package in given}
    return [*given, *known_packages(missing, trust)]


def restored_report(
    restored: RestoredLines, n_bytes: int, start: float, notes: Sequence[str], n_threads: int = 1
) -> Report:
    """What a decompression did that began at `start` of the performance counter."""
    image = restored.image
    return Report(
        restored.n_lines, image.n_bands, image.n_columns, n_bytes, time.perf_counter() - start,
        tuple(restored.missing), notes=(*notes, *restored.records.notes()), n_lost_records=restored.n_lost_records,
        n_threads=n_threads, peak_memory_mib=peak_memory_mib(), missing_from=restored.missing_from,
    )  # fmt: skip


def check_restored(output: Path, source: Path, packages: Sequence[FlightPackage]) -> None:
    """Raise BadArgument where one of the files to restore is an input."""
    data = [new_pair(output, "bil")] if is_header(output) else []
    data += [] if output == PIPE else [mask_path(output), *record_paths(output)]
    check_outputs([output, *data], [source, *(file for package in packages for file in files_of(package.source))])
