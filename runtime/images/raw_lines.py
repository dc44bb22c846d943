"""Lines without a header from a pipe, or a block of them from a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.exact_read import read_fully
from runtime.images.line_form import LineForm
from runtime.images.line_frame import LineFrame, RecordedLine
from runtime.images.packed_samples import Bytes
from runtime.images.sample_file import DTYPES, Samples
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import SpecialKind
from runtime.stream.line_records import LARGEST_RECORD_BYTES
from runtime.stream.sample_map import PLAIN as AS_CODED
from runtime.stream.sample_map import SampleMap
from runtime.stream.special_values import IGNORED, LARGEST_SPECIAL, Special

SAMPLE_TYPES = {dtype.name: sample_type for sample_type, dtype in DTYPES.items()}


WHOLE_BYTES, NO_FRAME = LineForm(), LineFrame()


@dataclass(frozen=True)
class RawLayout:
    """How lines follow one another. Raises BadArgument for what no lines have."""

    n_bands: int
    n_columns: int
    dtype: str  # NumPy name with byte order: uint16, <i2, >u2; of packed samples, what they become
    interleave: str  # bil, bip; of a file also bsq
    form: LineForm = WHOLE_BYTES
    frame: LineFrame = NO_FRAME
    """Bytes around the samples of each line, padding included; not of bsq."""
    values: SampleMap = AS_CODED
    """What a pipe's samples are, where not all of a depth; a file is scanned."""

    def __post_init__(self) -> None:
        """Hold the words against one another."""
        try:
            dtype = np.dtype(self.dtype)
        except TypeError:
            allowed = "uint8, int16, uint16, int32 and others, and byte orders of them"
            raise BadArgument(f"sample type {self.dtype!r}, allowed {allowed}") from None
        types = [name for name, kind in SAMPLE_TYPES.items() if not kind.is_float]
        if dtype.name not in types:
            raise BadArgument(f"sample type {dtype.name}, allowed {', '.join(types)}")
        if self.n_bands < 1 or self.n_columns < 1:
            raise BadArgument(f"{self.n_bands} bands x {self.n_columns} columns, allowed at least 1 each")
        if self.form.packing is not None and dtype != np.uint16:
            raise BadArgument(f"packed samples of type {self.dtype}, allowed uint16")
        if self.interleave == "bip" and self.form.row_alignment != 1:
            raise BadArgument("row alignment of bip, whose bands have no rows; allowed line alignment")
        if self.interleave == "bsq" and self.form.line_alignment != 8:
            raise BadArgument("line alignment of bsq, whose lines are rows of bands; allowed row alignment")
        if min(self.frame) < 0 or self.frame.n_bytes > LARGEST_RECORD_BYTES:
            sizes = " and ".join(map(str, self.frame))
            raise BadArgument(f"line header and trailer of {sizes} bytes, allowed {LARGEST_RECORD_BYTES} together")
        if self.interleave == "bsq" and self.frame.n_bytes:
            raise BadArgument("line header and trailer of bsq, whose lines lie apart; allowed bil, bip")

    @property
    def rows(self) -> tuple[int, int]:
        """Rows that lie together in the file, and samples of each: of a line, or of one band of it with bsq."""
        n_bands, n_columns = self.n_bands, self.n_columns
        return {"bil": (n_bands, n_columns), "bip": (n_columns, n_bands), "bsq": (1, n_columns)}[self.interleave]

    @property
    def n_bytes(self) -> int:
        """Of what lies together: a line with its frame, or with bsq one band of it."""
        return self.frame.n_bytes + self.form.n_bytes(*self.rows, np.dtype(self.dtype))

    def lines(self, data: Bytes) -> npt.NDArray[Any]:
        """Lines (n, Z, X) in native byte order of bytes (n, `n_bytes`), with bsq (Z, n, `n_bytes`)."""
        samples = data.reshape(-1, self.n_bytes)[:, self.frame.header :]
        found = self.form.samples(samples, *self.rows, np.dtype(self.dtype))
        if self.interleave == "bsq":
            return found.reshape(self.n_bands, -1, self.n_columns).transpose(1, 0, 2)
        return found if self.interleave == "bil" else found.transpose(0, 2, 1)

    def recorded(self, frame: bytes) -> RecordedLine:
        """One line of `n_bytes`, with what lies around its samples."""
        data = np.frombuffer(frame, np.uint8)
        return RecordedLine(self.lines(data)[0], self.records(data)[0])

    def records(self, data: Bytes) -> list[bytes]:
        """What lies around the samples of lines of bytes (n, `n_bytes`)."""
        header, trailer = self.frame
        lines = data.reshape(-1, self.n_bytes)
        return [line[:header].tobytes() + line[self.n_bytes - trailer :].tobytes() for line in lines]


def describe_pipe(layout: RawLayout, depth: int, specials: Sequence[int | float] = ()) -> ImageDescription:
    """What the encoder must know of lines from a pipe; signed where the sample type is.

    depth: bits per sample, after offset and step. specials: values that are no measurements; the ends of
    the depth are limits, unless they are among these. Raises BadArgument.
    """
    dtype = np.dtype(layout.dtype)
    sizes = (layout.n_bands, layout.n_columns, depth, dtype.kind == "i", 0, SAMPLE_TYPES[dtype.name])
    if not all(isinstance(value, int) for value in specials):
        raise BadArgument(f"special values {', '.join(map(str, specials))}, allowed integers")
    voids = tuple(Special(int(value)) for value in dict.fromkeys(specials))
    values, metadata = layout.values, layout.frame.metadata()
    if len(voids) == 1:
        metadata[IGNORED] = str(voids[0].value)
    ends = values.values_of(np.array(ImageDescription(*sizes, metadata, values).range), np.dtype(np.int64)).tolist()
    limits = tuple(Special(end, SpecialKind.LIMIT) for end in dict.fromkeys(ends) if end not in specials)
    return ImageDescription(*sizes, metadata, values, voids + limits[: LARGEST_SPECIAL - len(voids)])


def raw_lines(file: BinaryIO, layout: RawLayout) -> Iterator[Samples]:
    """Each line (Z, X) of a pipe until it ends, as in `recorded_lines`."""
    return (one.line for one in recorded_lines(file, layout))


def recorded_lines(file: BinaryIO, layout: RawLayout) -> Iterator[RecordedLine]:
    """Each line of a pipe until it ends, with its frame as record. Raises BadArgument: bsq; it ends within a line."""
    if layout.interleave == "bsq":
        why = "its first line is whole only at the end"
        raise BadArgument(f"interleave bsq from a pipe: {why}; allowed bil, bip")
    return read_lines(file, layout)


def read_lines(file: BinaryIO, layout: RawLayout) -> Iterator[RecordedLine]:
    """As in `recorded_lines`."""
    offset, n_bytes = layout.form.offset, layout.n_bytes
    if (n_found := len(read_fully(file.read, offset))) < offset:
        raise BadArgument(f"input ends within the {offset} bytes before its first line: {n_found} bytes")
    y = 0
    while data := read_fully(file.read, n_bytes):
        if len(data) < n_bytes:
            raise BadArgument(f"input ends within line {y}: {len(data)} of {n_bytes} bytes")
        yield layout.recorded(data)
        y += 1
