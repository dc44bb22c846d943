"""Chosen lines, bands and columns of a stream on their way to a file: only the segments that have them are read."""

import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from runtime.cell.flight_package import FlightPackage
from runtime.codec.compression import check_restored, needed_packages, open_input, restored_report
from runtime.codec.decoded_segments import DecodedSegments
from runtime.codec.decoder import Decoder
from runtime.codec.report import Report
from runtime.codec.restored_output import LARGEST_IN_MEMORY, RestoredLines, restored_output, spooled_lines
from runtime.codec.segment_places import Place, SegmentPlaces, segment_places
from runtime.codec.stream_notes import output_notes
from runtime.codec.stream_reader import Segment
from runtime.codec.threaded_decoder import decoded
from runtime.errors import BadArgument, Corrupt, LineRwkvError
from runtime.executors.executor_registry import ONNXRUNTIME
from runtime.executors.executors import make_executor
from runtime.images.chosen_image import Chosen, chosen_image
from runtime.images.sample_file import raw_line
from runtime.output_checks import PIPE
from runtime.segments.segment_codec import Samples
from runtime.stream.line_records import LineRecords
from runtime.stream.records import Gap

Words = tuple[str | None, str | None, str | None]
"""Of lines, bands and columns: `a:b`, of bands also numbers and such runs with commas; None: all."""
Piece = tuple[Segment | Gap, LineRecords | None]


def decompress_chosen(
    source: Path, output: Path, packages: Sequence[FlightPackage] = (), executor: str = ONNXRUNTIME, fill: int = 0, *,
    words: Words, with_records: bool = False, n_threads: int = 1, trust: Path | None = None, salvage: bool = False,
) -> Report:  # fmt: skip
    """As `decompress`, of the chosen part; with `salvage` what is damaged or cut off costs its own lines alone.

    In a stream without an index a damaged header of a segment costs all that follows. The report's bytes are those of
    the segments read. Lines of the output, and of what names those that are missing, count from the first one chosen.
    Raises LineRwkvError; BadArgument for a source that cannot be read from any place.
    """
    start = time.perf_counter()
    if source == PIPE:
        raise BadArgument("chosen lines, bands and columns: found a pipe, allowed a file that can be read anywhere")
    with open_input(source) as file:
        found = segment_places(file)
        if found.error is not None and not salvage:
            raise found.error
        if found.n_lines == 0:
            raise found.error or Corrupt("stream: no lines")
        image = found.header.image
        chosen = chosen_part(words, (found.n_lines, image.n_bands, image.n_columns))
        packages = needed_packages(found.header, packages, trust)
        make = partial(make_executor, name=executor)
        new_decoder = partial(Decoder, found.header, packages, make)
        segments = DecodedSegments(file, found, new_decoder, most_kept=0)
        check_restored(output, source, packages)
        with restored_output(output, chosen_image(image, chosen), fill, with_records=with_records) as restored:
            if salvage:
                errors = write_salvaged_part(restored, segments, chosen)
                if found.missing_from is not None and (words[0] is None or words[0].strip().endswith(":")):
                    restored.end(None)
            else:
                errors = []
                write_part(restored, segments, chosen, [new_decoder() for _ in range(n_threads)])
    read = list(found.touched(chosen.lines.start, chosen.lines.stop - 1))
    n_bytes = sum(place.end - place.offset for place in read)
    notes = (*errors, *output_notes(output, restored.image, restored.file.not_carried))
    return restored_report(restored, n_bytes, start, notes, n_threads)


def chosen_part(words: Words, shape: tuple[int, int, int]) -> Chosen:
    """What words choose of an image. Raises BadArgument."""
    (lines, bands, columns), (n_lines, n_bands, n_columns) = words, shape
    return Chosen(
        run_of(lines, n_lines, "lines"),
        tuple(range(n_bands)) if bands is None else numbers_of(bands, n_bands, "bands"),
        run_of(columns, n_columns, "columns"),
    )


def run_of(word: str | None, n: int, name: str) -> range:
    """The numbers of A:B, or of several such that follow one another; None: all of 0 to n - 1. Raises BadArgument."""
    runs = [range(n)] if word is None else ranges_of(word, n, name)
    if any(other.start != one.stop for one, other in itertools.pairwise(runs)):
        raise BadArgument(f"{name}: found several runs, allowed one A:B")
    return range(runs[0].start, runs[-1].stop)


def numbers_of(word: str, n: int, name: str) -> tuple[int, ...]:
    """Numbers from 0 to n - 1 in the order of the words. Raises BadArgument."""
    return tuple(itertools.chain.from_iterable(ranges_of(word, n, name)))


def ranges_of(word: str, n: int, name: str) -> list[range]:
    """Of each number and each A:B between commas, within 0 to n - 1. Raises BadArgument."""
    found: list[range] = []
    for part in word.split(","):
        first, colon, end = (one.strip() for one in part.partition(":"))
        try:
            low = int(first) if first or not colon else 0
            high = int(end) if end else n if colon else low + 1
        except ValueError:
            raise BadArgument(f"{name}: found {part!r}, allowed a number or A:B") from None
        if not 0 <= low < high <= n:
            raise BadArgument(f"{name}: found {part}, allowed within 0:{n}, the end not included")
        found.append(range(low, high))
    return found


def parts_of(found: SegmentPlaces, lines: range) -> Iterator[tuple[Gap | Place, range]]:
    """Gaps and segments that have some of the lines, in order; and which lines of the image these are."""
    for part in found.runs():
        shared = range(max(part.first_line, lines.start), min(part.next_line, lines.stop))
        if shared:
            yield part, shared


def write_part(restored: RestoredLines, segments: DecodedSegments, chosen: Chosen, decoders: Sequence[Decoder]) -> None:
    """Write the chosen samples, segments decoded on several threads. Raises LineRwkvError."""
    parts = list(parts_of(segments.found, chosen.lines))

    def pieces() -> Iterator[Piece]:
        for part, _ in parts:
            yield (part, None) if isinstance(part, Gap) else segments.read(part)

    for (_, shared), (piece, records, lines) in zip(parts, decoded(pieces(), decoders), strict=True):
        if isinstance(piece, Gap):
            restored.leave_out(len(shared))
        else:
            first = piece.header.first_line
            restored.write(samples_of(lines, first, shared, chosen), records_of(records, shared, chosen))


def write_salvaged_part(restored: RestoredLines, segments: DecodedSegments, chosen: Chosen) -> list[str]:
    """Write the chosen samples of segments that are sound; why others are missing."""
    errors = [] if segments.found.error is None else [str(segments.found.error)]
    for part, shared in parts_of(segments.found, chosen.lines):
        if isinstance(part, Gap):
            restored.leave_out(len(shared))
            continue
        with tempfile.SpooledTemporaryFile(LARGEST_IN_MEMORY) as spool:
            try:
                segment, records = segments.read(part)
                lines = segments.lines_of(segment)
                for line in samples_of(lines, part.first_line, shared, chosen):
                    spool.write(raw_line(line, restored.image.file_type))
            except LineRwkvError as error:
                errors.append(str(error))
                restored.leave_out(len(shared))
                continue
            spool.seek(0)
            restored.write(spooled_lines(spool, restored.image, len(shared)), records_of(records, shared, chosen))
    return errors


def samples_of(lines: Iterator[Samples], first_line: int, shared: range, chosen: Chosen) -> Iterator[Samples]:
    """The chosen samples of a segment's lines, all of which are decoded, so that their checksum is checked."""
    bands, columns = list(chosen.bands), slice(chosen.columns.start, chosen.columns.stop)
    for y, line in enumerate(lines, first_line):
        if y in shared:
            yield line[bands, columns]


def records_of(records: LineRecords | None, shared: range, chosen: Chosen) -> LineRecords | None:
    """The records of the chosen lines of a segment."""
    if records is None:
        return None
    rows = slice(shared.start - records.first_line, shared.stop - records.first_line)
    return LineRecords(shared.start - chosen.lines.start, records.records[rows])
