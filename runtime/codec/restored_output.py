"""Restored lines on their way out: those that are missing keep their place, and a file beside the image names them."""

import contextlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from runtime.codec.decoder import Decoder
from runtime.codec.restored_records import LostRecords, RawFrames, Records, record_files
from runtime.codec.salvage import Salvaged
from runtime.errors import BadArgument, LineRwkvError
from runtime.images.line_frame import frame_of, without_frame
from runtime.images.restored_image import restoring
from runtime.images.sample_file import DTYPES, SampleFile, raw_line
from runtime.output_checks import PIPE
from runtime.segments.segment_codec import Samples
from runtime.standard_streams import standard_output
from runtime.stream.image_description import TYPE_RANGES, ImageDescription
from runtime.stream.kinds import SampleType
from runtime.stream.line_records import LineRecords
from runtime.whole_output import replacing

LARGEST_FILLED = 1 << 30
"""Bytes of missing lines that are written; more are refused where they cannot be a hole of a file."""
LARGEST_IN_MEMORY = 1 << 26
"""Bytes of a segment's lines that wait there until all are decoded; more wait in a temporary file."""


class RestoredLines:
    """What takes the lines of an image in their order, and remembers which of them are missing."""

    def __init__(
        self, file: SampleFile, image: ImageDescription, fill: int, bar: Any, records: Records, *, is_pipe: bool
    ) -> None:
        self.file, self.image, self.fill, self.bar, self.is_pipe = file, image, fill, bar, is_pipe
        self.records = records
        self.missing: list[tuple[int, int]] = []
        self.missing_from: int | None = None
        self.n_filled = 0
        self.n_lost_records = 0

    @property
    def n_lines(self) -> int:
        """So far."""
        return self.file.n_lines

    def write(self, lines: Iterable[Samples], records: LineRecords | None) -> None:
        """Append the lines (Z, X) of a segment, and their records."""
        if records is not None:
            self.records.take(records)
        for line in lines:
            self.file.append(line)
            self.bar.update()

    def leave_out(self, n_lines: int) -> None:
        """The next lines, 1 or more, are missing. Raises BadArgument where they would be gigabytes of fill values."""
        image, first = self.image, self.n_lines
        n_samples = image.n_bands * image.n_columns
        self.missing.append((first, first + n_lines - 1))
        if self.fill == 0 and not self.is_pipe and self.file.skip(n_lines, n_samples):
            return
        self.n_filled += n_lines * self.file.line_bytes(n_samples)
        if self.n_filled > LARGEST_FILLED:
            what = f"lines {first}..{first + n_lines - 1} are missing: {self.n_filled} bytes of fill values"
            raise BadArgument(f"{what}, allowed {LARGEST_FILLED}, and any number of zeros in a file")
        line = np.full((image.n_bands, image.n_columns), self.fill, self.file.dtype)
        for _ in range(n_lines):
            self.file.append(line)

    def end(self, n_lines: int | None) -> None:
        """Nothing follows; the image has `n_lines` lines, None: nobody knows how many."""
        if n_lines is None:
            self.missing_from = self.n_lines
        elif n_lines > self.n_lines:
            self.leave_out(n_lines - self.n_lines)

    def to_json(self) -> str:
        """Which lines are real: those of none of the runs."""
        values = {"lines": self.n_lines, "fill": self.fill, "missing": self.missing, "missing_from": self.missing_from}
        return json.dumps(values) + "\n"


def mask_path(output: Path) -> Path:
    """The file beside an image that says which of its lines are real."""
    return output.with_suffix(".lines.json")


@contextlib.contextmanager
def restored_output(
    output: Path, image: ImageDescription, fill: int = 0, *, with_records: bool = False
) -> Iterator[RestoredLines]:
    """An image file, as in `restoring`, that is there when the block ends, or raw BIL lines on standard output.

    Beside an image that lacks lines OUT.lines.json says which, and OUT.records.bin and .json have the records of lines;
    those that are there already are brought up to date. with_records: lines on standard output are whole frames. Raises
    BadArgument for a fill value that the sample type does not hold, and where the stream says nothing of frames.
    """
    frame, image = frame_of(image.metadata), without_frame(image)
    lowest, highest = TYPE_RANGES.get(image.file_type, TYPE_RANGES[SampleType.INT64])
    if not lowest <= fill <= highest:
        raise BadArgument(f"fill value {fill}, allowed {lowest}..{highest} for {image.file_type.name.lower()}")
    with tqdm(total=image.n_lines or None, desc="decompress", unit="line", disable=None, leave=False) as bar:
        if output == PIPE:
            pipe, dtype = standard_output(), DTYPES[image.file_type]
            if with_records and frame is None:
                raise BadArgument("raw frames: the stream does not say how records lie around samples")
            if with_records and frame is not None:
                frames = RawFrames(pipe, dtype, frame)
                yield RestoredLines(frames, image, fill, bar, frames, is_pipe=True)
            else:
                yield RestoredLines(SampleFile(pipe, dtype), image, fill, bar, LostRecords(), is_pipe=True)
            pipe.flush()
            return
        with restoring(output, image) as file, record_files(output, frame) as records:
            yield (restored := RestoredLines(file, image, fill, bar, records, is_pipe=False))
            mask = mask_path(output)
            if restored.missing or restored.missing_from is not None or mask.exists():
                with replacing(mask) as unfinished:
                    unfinished.write_text(restored.to_json())


def write_salvaged(restored: RestoredLines, decoder: Decoder, found: Salvaged) -> list[str]:
    """Write the segments, by rising first line, that decode and hold no lines that are there, with their records.

    Returns why others, and records, are left out.
    """
    errors = []
    for segment in found.segments:
        n_missing = segment.header.first_line - restored.n_lines
        if n_missing < 0:
            continue  # an intact stream has no segments that overlap
        with tempfile.SpooledTemporaryFile(LARGEST_IN_MEMORY) as spool:
            try:
                for line in decoder.lines(*segment):
                    spool.write(raw_line(line, restored.image.file_type))
            except LineRwkvError as error:
                errors.append(str(error))
                continue
            if n_missing:
                restored.leave_out(n_missing)
            spool.seek(0)
            try:
                records = found.records_of(segment.header)
            except LineRwkvError as error:
                records = None
                restored.n_lost_records += segment.header.n_lines
                errors.append(str(error))
            restored.write(spooled_lines(spool, restored.image, segment.header.n_lines), records)
    return errors


def spooled_lines(spool: Any, image: ImageDescription, n_lines: int) -> Iterator[Samples]:
    """The lines (Z, X) that lie in a file as `raw_line` makes them."""
    dtype, shape = DTYPES[image.file_type], (image.n_bands, image.n_columns)
    for _ in range(n_lines):
        yield np.frombuffer(spool.read(shape[0] * shape[1] * dtype.itemsize), dtype).reshape(shape)
