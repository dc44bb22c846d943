"""Where segments lie, of any bytes: the samples that come are right, or fill that is named, or there is one line."""

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
from runtime.codec.segment_places import SegmentPlaces, segment_places
from runtime.codec.stream_selection import Missing, Selection, selected
from runtime.errors import LineRwkvError
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind
from runtime.stream.records import END_MARKER, INDEX_MARKER, EndRecord, IndexEntry, index_body, record_bytes

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
