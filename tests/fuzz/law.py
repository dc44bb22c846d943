"""What may become of any bytes: right samples or an error of one line, in bounded time and memory."""

import json
import time
from collections import Counter
from contextlib import suppress
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import numpy as np

from runtime.codec import compression
from runtime.codec.compression import decompress, decompress_salvaged, restored_lines
from runtime.codec.decoder import Decoder
from runtime.codec.report import Report
from runtime.codec.restored_records import record_paths
from runtime.codec.salvage import salvage
from runtime.codec.stream_info import stream_info
from runtime.codec.stream_reader import StreamReader
from runtime.errors import LineRwkvError
from runtime.images.envi_header_reader import read_envi_header
from runtime.process_memory import memory_mib, peak_memory_mib, reset_peak_memory
from runtime.stream.segment_header import SEGMENT_BYTES, SEGMENT_MARKER, SegmentHeader
from tests.fuzz.sound_streams import SEGMENT_LINES, SPECIALS, shipped_executor, shipped_package, sound_streams
from tests.runtime.codec.coded_cube import Cube

MOST_SECONDS = 20.0
"""Of the processor, after everything is compiled; other programs of the machine do not count."""
MOST_BYTES = 900 << 20
"""Of memory beyond what the process has: the state of the largest line that a network may have."""
MOST_BLOCKS = (1 << 26) // 512
"""Of an output: what is only announced takes no space."""


@cache
def check_sound_streams() -> None:
    """Restore every sound stream, which compiles all that the examples will run. Raises AssertionError."""
    for stream, max_error, cube in sound_streams():
        reader = StreamReader(BytesIO(stream))
        decoder = Decoder(reader.header, [shipped_package()], lambda _: shipped_executor())
        assert np.abs(np.array(list(restored_lines(decoder, reader.pieces()))) - cube).max() <= max_error
        assert len(salvage(stream).segments) == len(cube) // SEGMENT_LINES


class Peak:
    """The largest memory of this process since it was made, where the system tells."""

    def __init__(self) -> None:
        reset_peak_memory()
        self.before = memory_mib() or 0.0

    @property
    def n_bytes(self) -> int:
        """Beyond what there was."""
        return int(((peak_memory_mib() or 0.0) - self.before) * (1 << 20))


@cache
def restorable() -> dict[int, tuple[int, Cube]]:
    """By the samples CRC of its segments: the maximum error and the lines of every sound stream."""
    found = {}
    for stream, max_error, cube in sound_streams():
        position, y = stream.find(SEGMENT_MARKER), 0
        while position >= 0:
            header = SegmentHeader.from_bytes(stream[position : position + SEGMENT_BYTES])
            found[header.samples_crc] = (max_error, cube[y : y + SEGMENT_LINES])
            y += SEGMENT_LINES
            position = stream.find(SEGMENT_MARKER, position + SEGMENT_BYTES + header.n_payload_bytes)
    return found


def announced_segments(data: bytes) -> list[SegmentHeader]:
    """The headers of segments in a stream, wherever they stand."""
    found = []
    position = data.find(SEGMENT_MARKER)
    while position >= 0:
        with suppress(LineRwkvError):
            found.append(SegmentHeader.from_bytes(data[position : position + SEGMENT_BYTES]))
        position = data.find(SEGMENT_MARKER, position + 1)
    return found


def check_samples(data: bytes, header: Path, report: Report) -> None:
    """The restored pair says what was restored; what a segment of a sound stream promised is there or missing."""
    found = read_envi_header(header)
    assert found.shape == (report.n_lines, report.n_bands, report.n_columns)
    assert found.interleave == "bil" and found.offset == 0 and found.dtype[0] == "<"
    samples = header.with_suffix(".bil")
    n_bytes = report.n_samples * np.dtype(found.dtype).itemsize
    assert samples.stat().st_size == n_bytes
    assert samples.stat().st_blocks < MOST_BLOCKS
    if n_bytes > 1 << 20:
        return
    image = salvage(data).header.image
    if image.file_type.is_float or not image.values.is_plain or image.specials not in ((), SPECIALS):
        return  # the codes are right, and are other values now
    lines = np.fromfile(samples, found.dtype).astype(np.int32).reshape(found.shape)
    missing = {y for first, last in report.missing_lines for y in range(first, last + 1)}
    headers = announced_segments(data)
    for one in headers:
        y, (max_error, cube) = one.first_line, restorable().get(one.samples_crc, (0, None))
        rivals = [other for other in headers if other.first_line < one.next_line and y < other.next_line]
        restored = lines[y : one.next_line]
        if cube is None or restored.shape != cube.shape or len(rivals) > 1 or y in missing:
            continue
        assert np.abs(restored - cube).max() <= max_error


def check_records(header: Path, report: Report) -> None:
    """Records are of lines that are there, and as many bytes as the table says."""
    data, table = record_paths(header)
    if not table.exists():
        return
    runs = json.loads(table.read_text())["runs"]
    assert sum(n_lines * n_bytes for _, n_lines, n_bytes in runs) == data.stat().st_size
    ends = [first + n_lines for first, n_lines, _ in runs]
    assert all(first >= end for (first, _, _), end in zip(runs, [0, *ends], strict=False))
    assert max(ends, default=0) <= report.n_lines
    for one, last in report.missing_lines:
        assert not any(first <= last and one < first + n_lines for first, n_lines, _ in runs)


def check_stream(data: bytes, folder: Path) -> Counter[str]:
    """Hold one stream against the law, by every way to read it; how each ended."""
    source, output = folder / "hostile.lrwk", folder / "out.hdr"
    source.write_bytes(data)
    packages, ends = [shipped_package()], Counter[str]()

    def tried(name: str, restore: partial[Report] | None) -> None:
        start, peak = time.process_time(), Peak()
        try:
            if restore is None:
                stream_info(source)
            else:
                report = restore()
                check_samples(data, output, report)
                check_records(output, report)
            ends[f"{name}: done"] += 1
        except LineRwkvError as error:
            assert str(error) and "\n" not in str(error)
            ends[f"{name}: refused"] += 1
            assert not any(path.exists() for path in (output, *record_paths(output)))
        seconds = time.process_time() - start
        assert seconds < MOST_SECONDS, f"{name} takes {seconds} s"
        assert peak.n_bytes < MOST_BYTES, f"{name} takes {peak.n_bytes} bytes"
        for suffix in (".hdr", ".bil", ".lines.json", ".records.bin", ".records.json"):
            output.with_suffix(suffix).unlink(missing_ok=True)
        assert sorted(one.name for one in folder.iterdir()) == [source.name]

    with patch.object(compression, "make_executor", lambda package, name: shipped_executor()):
        tried("info", None)
        tried("decompress", partial(decompress, source, output, packages))
        tried("salvage", partial(decompress_salvaged, source, output, packages))
    return ends
