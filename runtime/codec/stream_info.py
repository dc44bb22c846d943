"""What a stream says of itself, as plain values."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.codec.compression import open_input
from runtime.codec.stream_reader import Segment, StreamReader
from runtime.errors import LineRwkvError, naming
from runtime.stream.kinds import Arithmetic
from runtime.stream.line_records import LineRecords
from runtime.stream.segment_header import SegmentHeader
from runtime.stream.stream_header import PackageName


def stream_info(path: Path) -> dict[str, Any]:
    """Header, segments and gaps of a stream. Raises Corrupt, Truncated or TooNew for one that is not sound."""
    found, error = stream_info_so_far(path)
    if error is not None:
        raise error
    return found


def stream_info_so_far(path: Path) -> tuple[dict[str, Any], LineRwkvError | None]:
    """As `stream_info`, up to what is wrong; raises where the header is. `lines` are those that came, gaps included."""
    segments, n_records, n_record_bytes, n_lines, wrong = [], 0, 0, 0, None
    with open_input(path) as file:
        reader = StreamReader(file)
        try:
            with naming(path):
                for piece in reader.structures():
                    if isinstance(piece, LineRecords):
                        n_records += sum(map(bool, piece.records))
                        n_record_bytes += sum(map(len, piece.records))
                    elif isinstance(piece, Segment):
                        segments.append(segment_info(piece.header, reader.header.image.values.step))
                        n_lines = piece.header.next_line
                    else:
                        n_lines = piece.first_line + piece.n_lines
        except LineRwkvError as error:
            wrong = error
    image = reader.header.image
    found = {
        "header": {
            "lines": n_lines,
            "bands": image.n_bands,
            "columns": image.n_columns,
            "bit_depth": image.depth,
            "signed": image.is_signed,
            "sample_type": image.file_type.name.lower(),
            "packages": [package_info(package) for package in reader.header.packages],
            "index": bool(reader.index),
            "special_values": [str(special) for special in image.specials],
            "values": image.values._asdict() if not image.values.is_plain else "as coded",
            "records": n_records,
            "record_bytes": n_record_bytes,
            "metadata": image.metadata,
        },
        "bytes": reader.n_bytes,
        "segments": segments,
        "gaps": [{"first_line": gap.first_line, "lines": gap.n_lines} for gap in reader.gaps],
    }
    return found, wrong


def stream_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each line that has a record, and the record. Raises as `stream_info`, after those that are sound."""
    with open_input(path) as file:
        for piece in StreamReader(file).structures():
            if isinstance(piece, LineRecords):
                yield from ((y, record) for y, record in enumerate(piece.records, piece.first_line) if record)


def package_info(package: PackageName) -> str:
    """A row of the table of packages, with what it means for decoding."""
    note = " (decodes on the machine that made it only)" if package.arithmetic is Arithmetic.FLOAT32 else ""
    return f"{package.sha256.hex()} {package.arithmetic.name.lower()}{note}"


def segment_info(header: SegmentHeader, step: int) -> dict[str, Any]:
    """What a segment's header says; step: of samples, in which its maximum error is counted."""
    coding = header.coding
    return {
        "first_line": header.first_line,
        "lines": header.n_lines,
        "predictor": coding.predictor.name.lower(),
        "stage": coding.stage.name.lower(),
        "max_error": coding.max_error * step,
        "quantisation": coding.quantisation.name.lower().replace("_", "-") if coding.max_error else None,
        "coder": header.coder.name.lower(),
        "special_values": coding.has_specials,
        "bytes": header.n_payload_bytes,
    }
