"""Records of lines on their way out: into two files beside the image, or around the samples of raw frames."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

from runtime.errors import BadArgument
from runtime.images.line_frame import LineFrame
from runtime.images.sample_file import SampleFile, Samples
from runtime.stream.line_records import LineRecords
from runtime.whole_output import replacing


def record_paths(header: Path) -> tuple[Path, Path]:
    """Beside the header of an image: all records one after another, and how long each is."""
    return header.with_suffix(".records.bin"), header.with_suffix(".records.json")


class RecordFiles:
    """OUT.records.bin and OUT.records.json, made when the first record comes; memory is one segment's."""

    def __init__(self, header: Path, frame: LineFrame | None, stack: contextlib.ExitStack) -> None:
        self.paths, self.frame, self.stack = record_paths(header), frame, stack
        self.files: tuple[BinaryIO, TextIO] | None = None
        self.n_records = self.n_bytes = 0
        self.run = (0, 0, 0)  # first line, lines, bytes of each record; not written yet
        self.n_runs = 0

    def open(self) -> tuple[BinaryIO, TextIO]:
        """Both files, which have their names only when the stack is closed without an error."""
        if self.files is None:
            data, table = (self.stack.enter_context(replacing(path)) for path in self.paths)
            self.files = self.stack.enter_context(data.open("wb")), self.stack.enter_context(table.open("w"))
            self.files[1].write('{"runs": [')
        return self.files

    def take(self, found: LineRecords) -> None:
        """Append the records of a segment's lines, which come in their order."""
        data, _ = self.open()
        for y, record in enumerate(found.records, found.first_line):
            if not record:
                continue
            data.write(record)
            self.n_records += 1
            self.n_bytes += len(record)
            first, n_lines, n_bytes = self.run
            if (first + n_lines, n_bytes) == (y, len(record)):
                self.run = (first, n_lines + 1, n_bytes)
            else:
                self.write_run()
                self.run = (y, 1, len(record))

    def write_run(self) -> None:
        """The lines whose records follow one another and are equally long."""
        if self.run[1]:
            self.open()[1].write(f"{', ' if self.n_runs else ''}{json.dumps(self.run)}")
            self.n_runs += 1

    def end(self) -> None:
        """Nothing follows; where there was no record, files that are there already say so."""
        if self.files is None and not any(path.exists() for path in self.paths):
            return
        _, table = self.open()
        self.write_run()
        frame = None if self.frame is None else self.frame._asdict()
        table.write(f'], "records": {self.n_records}, "bytes": {self.n_bytes}, "frame": {json.dumps(frame)}}}\n')

    def notes(self) -> tuple[str, ...]:
        """What the user should know of them."""
        if not self.n_records:
            return ()
        return (f"records of {self.n_records} lines, {self.n_bytes} bytes, are in {self.paths[0]}",)


class LostRecords:
    """Where records have no place: they are counted."""

    def __init__(self) -> None:
        self.n_records = 0

    def take(self, found: LineRecords) -> None:
        """Count those of a segment."""
        self.n_records += sum(map(bool, found.records))

    def notes(self) -> tuple[str, ...]:
        """What the user should know of them."""
        if not self.n_records:
            return ()
        return (f"records of {self.n_records} lines are not carried; --with-records, or an output OUT.hdr, keeps them",)


class RawFrames(SampleFile):
    """Raw lines with their records around them; a line that is missing, or has no record, has one of zeros."""

    def __init__(self, file: BinaryIO, dtype: np.dtype[Any], frame: LineFrame) -> None:
        super().__init__(file, dtype)
        self.frame = frame
        self.waiting: Iterator[bytes] = iter(())

    def line_bytes(self, n_samples: int) -> int:
        """With its frame."""
        return super().line_bytes(n_samples) + self.frame.n_bytes

    def take(self, found: LineRecords) -> None:
        """Records of the lines that come next. Raises BadArgument where one is none of the stream's frames."""
        for y, record in enumerate(found.records, found.first_line):
            if len(record) not in (0, self.frame.n_bytes):
                sizes = f"{len(record)} bytes found, frames have {self.frame.n_bytes}"
                raise BadArgument(f"record of line {y}: {sizes}; an output OUT.hdr keeps records of any length")
        self.waiting = iter(found.records)

    def append(self, line: Samples) -> None:
        """Write one line (Z, X) and its frame."""
        record = next(self.waiting, b"") or bytes(self.frame.n_bytes)
        self.file.write(record[: self.frame.header])
        super().append(line)
        self.file.write(record[self.frame.header :])

    def notes(self) -> tuple[str, ...]:
        """Nothing is lost."""
        return ()


Records = RecordFiles | LostRecords | RawFrames


@contextlib.contextmanager
def record_files(header: Path, frame: LineFrame | None) -> Iterator[RecordFiles]:
    """The files beside an image, which are there when the block ends without an error."""
    with contextlib.ExitStack() as stack:
        yield (files := RecordFiles(header, frame, stack))
        files.end()
