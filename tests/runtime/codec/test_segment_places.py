"""Where segments lie, of any bytes: the samples that come are right, or fill that is named, or there is one line."""

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoded_segments import DecodedSegments
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.segment_places import TAIL_BYTES, SegmentPlaces, segment_places
from runtime.codec.stream_selection import Missing, Selection, selected
from runtime.errors import Corrupt, LineRwkvError
from runtime.stream.crc32c import crc32c
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind
from runtime.stream.records import END_MARKER, INDEX_MARKER, TAIL, EndRecord, IndexEntry, index_body, record_bytes
from runtime.stream.segment_header import SEGMENT_BYTES, SegmentHeader
from runtime.stream.stream_header import StreamHeader

CUBE = np.random.default_rng(5).integers(0, 4000, (20, 3, 5)).astype(np.uint16)
IMAGE = ImageDescription(3, 5, 12, False, 20)
FILL = 4095


def encoded(*, index: bool = True) -> bytes:
    encoder = Encoder(IMAGE, CodingOptions(PredictorKind.DPCM, segment_lines=6, index=index))
    lines = b"".join(encoder.push(line, b"r%d" % y) for y, line in enumerate(CUBE))
    return encoder.header + lines + encoder.finish()


STREAM = encoded()
SOUND = segment_places(io.BytesIO(STREAM))


def read_all(data: bytes, kept: int = 1 << 20) -> tuple[SegmentPlaces, np.ndarray, list[tuple[int, int]]]:
    """Everything that random access gives of a stream."""
    found = segment_places(io.BytesIO(data))
    segments = DecodedSegments(io.BytesIO(data), found, lambda: Decoder(found.header), kept)
    missing = Missing(FILL, found.missing())
    lines = np.arange(min(found.n_lines, 100))
    return found, selected(segments, Selection(lines, slice(None), slice(None)), missing), missing.lines()


def check(data: bytes, kept: int = 1 << 20) -> None:
    """Hold what comes of a damaged stream against the law."""
    try:
        _, cube, missing = read_all(data, kept)
    except LineRwkvError as error:
        assert "\n" not in str(error)
        return
    for y, line in enumerate(cube):
        is_missing = any(first <= y <= last for first, last in missing)
        assert np.all(line == FILL) if is_missing else np.array_equal(line, CUBE[y])


def test_index_and_skipping_find_the_same() -> None:
    skipped = segment_places(io.BytesIO(encoded(index=False)))
    assert SOUND.has_index and not skipped.has_index
    assert [place[:3] for place in skipped.places] == [place[:3] for place in SOUND.places]
    assert [place.end for place in skipped.places] == [place.end for place in SOUND.places]
    assert skipped.error is None and skipped.missing() == SOUND.missing() == []


@pytest.mark.parametrize("kept", [0, 1 << 20])
@pytest.mark.parametrize("make", [encoded, lambda: encoded(index=False)])
def test_all_samples_come(kept: int, make: Callable[[], bytes]) -> None:
    found, cube, missing = read_all(make(), kept)
    assert np.array_equal(cube, CUBE)
    assert missing == [] and found.n_lines == 20


@settings(max_examples=300)
@given(st.data(), st.booleans(), st.sampled_from([0, 1 << 20]))
def test_any_damage_is_named(data: st.DataObject, has_index: bool, kept: int) -> None:
    stream = bytearray(STREAM if has_index else encoded(index=False))
    for _ in range(data.draw(st.integers(0, 3))):
        stream[data.draw(st.integers(0, len(stream) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    first = data.draw(st.integers(0, len(stream)))
    removed = data.draw(st.sampled_from([0, 0, 1, 40, len(stream)]))
    check(bytes(stream[:first] + stream[first + removed :]), kept)


@given(st.data())
def test_an_index_that_lies_gives_no_wrong_sample(data: st.DataObject) -> None:
    """Its checksums are right: who made it can do so."""
    number = st.integers(0, 30)
    made = st.builds(IndexEntry, number, st.integers(0, 9), st.sampled_from([place.offset for place in SOUND.places]))
    entries = data.draw(
        st.lists(made | st.sampled_from([IndexEntry(*place[:3]) for place in SOUND.places]), max_size=5)
    )
    body = STREAM[: SOUND.places[-1].end]
    end = EndRecord(data.draw(st.sampled_from([20, 25])), len(entries), len(body), b"")
    header = STREAM[: SOUND.places[0].offset]
    index = record_bytes(INDEX_MARKER, SOUND.stream_crc, index_body(entries))
    check(body + index + record_bytes(END_MARKER, SOUND.stream_crc, end._replace(header=header).body()))


class CountedFile(io.BytesIO):
    """Counts the bytes that are read."""

    n_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As of a file."""
        data = super().read(size)
        self.n_read += len(data)
        return data


BODY = STREAM[: SOUND.places[-1].end]


def rebuilt(entries: list[IndexEntry], n_lines: int = 20, body: bytes = BODY) -> bytes:
    """A stream with another index, and an end record that has this number of lines; every checksum is right."""
    end = EndRecord(n_lines, len(entries), len(body), STREAM[: SOUND.places[0].offset])
    index = record_bytes(INDEX_MARKER, SOUND.stream_crc, index_body(entries))
    return body + index + record_bytes(END_MARKER, SOUND.stream_crc, end.body())


ENTRIES = [IndexEntry(*place[:3]) for place in SOUND.places]
HUGE = 16 << 20


@pytest.mark.parametrize("n_bytes", [1000, HUGE, HUGE - 100, (1 << 32) - 1])
def test_a_number_at_the_end_of_a_cut_stream_is_not_read(n_bytes: int) -> None:
    """The last bytes are payload then; 64 KiB of the tail and what headers are skipped come."""
    file = CountedFile(STREAM[: SOUND.places[0].offset] + bytes(HUGE) + TAIL.pack(n_bytes, 0))
    assert segment_places(file).error is not None
    assert file.n_read < TAIL_BYTES + 4096


def test_bytes_at_the_place_of_an_index_or_end_are_not_read_before_their_size_is_known() -> None:
    end = EndRecord(20, len(ENTRIES), len(BODY), STREAM[: SOUND.places[0].offset])
    long_index = BODY + bytes(5 * HUGE) + record_bytes(END_MARKER, SOUND.stream_crc, end.body())
    file = CountedFile(long_index)
    assert segment_places(file).error is not None
    assert file.n_read < TAIL_BYTES + 4096
    file = CountedFile(BODY + END_MARKER + bytes(HUGE))
    assert "allowed at most" in str(segment_places(file).error)
    assert file.n_read < TAIL_BYTES + 4096


def test_an_index_is_held_against_header_end_and_gaps() -> None:
    sound = segment_places(io.BytesIO(rebuilt(ENTRIES)))
    assert sound.has_index and sound == SOUND
    for data in (rebuilt(ENTRIES[:2] + ENTRIES[3:]), rebuilt(ENTRIES[1:]), rebuilt(ENTRIES[:-1])):
        found, cube, missing = read_all(data)
        assert not found.has_index and np.array_equal(cube, CUBE) and missing == []
    found, cube, missing = read_all(rebuilt(ENTRIES, 25))
    assert "25 lines in 4 segments, found 20 in 4" in str(found.error)
    assert np.array_equal(cube, CUBE)


@pytest.mark.parametrize("index", [True, False])
def test_a_header_that_announces_other_lines_is_corrupt(index: bool) -> None:
    announced = StreamHeader(dataclasses.replace(IMAGE, n_lines=21)).to_bytes()
    encoder = Encoder(dataclasses.replace(IMAGE, n_lines=0), CodingOptions(PredictorKind.DPCM, index=index))
    stream = encoder.header + b"".join(map(encoder.push, CUBE)) + encoder.finish()
    sound = segment_places(io.BytesIO(stream))
    assert sound.error is None and sound.missing_from is None
    data = restamped(stream, sound, announced)
    found = segment_places(io.BytesIO(data))
    assert "stream has 20 lines, its header announces 21" in str(found.error)
    assert found.missing() == [(20, 20)]


def restamped(stream: bytes, found: SegmentPlaces, header: bytes) -> bytes:
    """The segments of a stream behind another header, with the index and end that belong to them."""
    crc = crc32c(header)
    data, entries = header, []
    for place in found.places:
        segment = SegmentHeader.from_bytes(stream[place.offset : place.offset + SEGMENT_BYTES])
        entries.append(IndexEntry(place.first_line, place.n_lines, len(data)))
        data += segment._replace(stream_crc=crc).to_bytes()
        data += stream[place.offset + SEGMENT_BYTES : place.end]
    end = EndRecord(found.n_lines, len(entries), len(data) if found.has_index else 0, header)
    data += record_bytes(INDEX_MARKER, crc, index_body(entries)) if found.has_index else b""
    return data + record_bytes(END_MARKER, crc, end.body())


def test_bytes_between_segments_of_which_the_index_says_nothing_are_corrupt() -> None:
    second = SOUND.places[1]
    segment = STREAM[second.offset : second.end]
    body = BODY[: second.end] + segment + BODY[second.end :]
    moved = [one._replace(offset=one.offset + len(segment)) for one in ENTRIES[2:]]
    data = rebuilt([ENTRIES[0], ENTRIES[1]._replace(offset=second.end), *moved], body=body)
    found = segment_places(io.BytesIO(data))
    assert found.has_index
    segments = DecodedSegments(io.BytesIO(data), found, lambda: Decoder(found.header), 0)
    with pytest.raises(Corrupt, match="its place"):
        segments.read(found.places[0])


@pytest.mark.parametrize("index", [True, False])
def test_gaps_stand_where_the_index_has_no_segment(index: bool) -> None:
    encoder = Encoder(dataclasses.replace(IMAGE, n_lines=0), CodingOptions(PredictorKind.DPCM, index=index))
    stream = encoder.header + encoder.skip(2)
    stream += b"".join(encoder.push(line, b"r") for line in CUBE[2:5]) + encoder.skip(1) + encoder.skip(2)
    stream += b"".join(map(encoder.push, CUBE[8:10])) + encoder.skip(7) + encoder.finish()
    found, cube, missing = read_all(stream)
    assert (found.has_index, found.error, found.n_lines) == (index, None, 17)
    assert missing == [(0, 1), (5, 7), (10, 16)]
    assert np.array_equal(cube[2:5], CUBE[2:5]) and np.array_equal(cube[8:10], CUBE[8:10])


def test_a_cut_stream_that_announced_no_lines_says_that_more_may_be_missing() -> None:
    encoder = Encoder(dataclasses.replace(IMAGE, n_lines=0), CodingOptions(PredictorKind.DPCM, segment_lines=6))
    stream = encoder.header + b"".join(map(encoder.push, CUBE))
    assert segment_places(io.BytesIO(stream)).missing_from == 18
    assert segment_places(io.BytesIO(STREAM[: SOUND.places[2].offset])).missing_from is None
    assert SOUND.missing_from is None
