"""What comes back from a stream, and its digests, by which a later release is held."""

import hashlib
import io
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm
from typing_extensions import override

from runtime.codec.decoder import Decoder
from runtime.codec.opened_encoder import Loaded
from runtime.codec.restored_output import RestoredLines, write_salvaged
from runtime.codec.restored_records import LostRecords
from runtime.codec.salvage import salvage
from runtime.codec.stream_reader import StreamReader
from runtime.images.sample_file import DTYPES, SampleFile
from runtime.stream.image_description import ImageDescription
from runtime.stream.line_records import LineRecords
from runtime.stream.records import Gap
from runtime.stream.special_values import Special
from tests.golden.case import Case, Cube, Run, Source
from tests.golden.manifest import Restored


class Back(NamedTuple):
    """What `decompress` gives."""

    image: ImageDescription
    lines: Cube
    """(Y, Z, X), those that are missing zero."""
    records: dict[int, bytes]
    """Of the lines that have one."""
    missing: tuple[Run, ...]
    missing_from: int | None

    def digests(self) -> Restored:
        """What a manifest says of it."""
        image, records = self.image, [[y, record.hex()] for y, record in self.records.items()]
        return Restored(
            list(self.lines.shape), image.file_type.name.lower(), sha256(self.lines.tobytes()),
            metadata=sha256_of_json(image.metadata) if image.metadata else None,
            records=sha256_of_json(records) if records else None, missing=[list(run) for run in self.missing],
            missing_from=self.missing_from,
        )  # fmt: skip


def sha256(data: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_json(value: Any) -> str:
    """Of the JSON of a value without blanks, keys in their order."""
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


class KeptRecords(LostRecords):
    """Records of lines, by the line, kept in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, bytes] = {}

    @override
    def take(self, found: LineRecords) -> None:
        self.kept |= {y: record for y, record in enumerate(found.records, found.first_line) if record}


def restored(data: bytes, packages: Iterable[Loaded], *, is_salvaged: bool) -> Back:
    """Restore a stream as `decompress` does, but into memory. Raises LineRwkvError."""
    known = {loaded.package.sha256: loaded for loaded in packages}
    found = salvage(data)
    image, lines, records = found.header.image, io.BytesIO(), KeptRecords()
    dtype = DTYPES[image.file_type]
    out = RestoredLines(SampleFile(lines, dtype), image, 0, tqdm(disable=True), records, is_pipe=True)
    decoder = Decoder(
        found.header, [one.package for one in known.values()], lambda package: known[package.sha256].executor
    )
    if is_salvaged:
        write_salvaged(out, decoder, found)
        out.end(found.n_lines)
    else:
        for piece, beside in StreamReader(io.BytesIO(data)).pieces_with_records():
            if isinstance(piece, Gap):
                out.leave_out(piece.n_lines)
            else:
                out.write(decoder.lines(*piece), beside)
    cube = np.frombuffer(lines.getvalue(), dtype).reshape(-1, image.n_bands, image.n_columns)
    return Back(image, cube, records.kept, tuple(out.missing), out.missing_from)


def check(back: Back, case: Case, source: Source) -> None:
    """Raise AssertionError where what comes back is not what went in, within the error allowed."""
    end = len(source.lines) if back.missing_from is None else back.missing_from
    gone = {y for first, last in case.missing for y in range(first, last + 1)}
    here = [y for y in range(end) if y not in gone]
    assert (back.missing, len(back.lines)) == (case.missing, end)
    assert back.missing_from is None or case.is_salvaged
    assert repr(back.image) == repr(source.image)  # NaN is not NaN
    assert not back.lines[sorted(gone)].any()
    check_samples(back.lines[here], source.lines[here].astype(back.lines.dtype), source.image, case.options.max_error)
    expected = {y: source.record(y) for y in here if source.record(y) and y not in case.without_records}
    assert back.records == expected


def check_samples(found: Cube, lines: Cube, image: ImageDescription, max_error: int) -> None:
    """Raise AssertionError where a sample is further off than allowed, or a special value is another."""
    if max_error == 0:
        assert found.tobytes() == lines.tobytes()
        return
    is_special = np.zeros(lines.shape, bool)
    for special in image.specials:
        marked = Special(special.value).found_in(lines)
        np.testing.assert_array_equal(Special(special.value).found_in(found), marked)
        is_special |= marked
    off = image.values.integers(found[~is_special]) - image.values.integers(lines[~is_special])
    assert np.abs(off).max(initial=0) <= max_error
