"""No stream and no package, however made, gives wrong samples, a traceback, or takes what it likes of the machine."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from runtime.codec import decoder
from runtime.segments.segment_codec import Samples, SegmentCodec
from runtime.stream.segment_header import SegmentHeader
from tests.fuzz.run import run


def test_hostile_examples_are_refused_in_one_line_or_give_right_samples() -> None:
    ends = run(0, 1000)
    n_streams = 1000 - 125
    for way in (
        "info",
        "decompress",
        "salvage",
    ):  # both ends are reached: a fuzzer that is always refused tests nothing
        assert ends[f"{way}: done"] + ends[f"{way}: refused"] == n_streams
        assert ends[f"{way}: done"] > n_streams / 20
        assert ends[f"{way}: refused"] > n_streams / 20


def test_wrong_samples_break_the_law() -> None:
    def unchecked(codec: SegmentCodec, header: SegmentHeader, payload: bytes) -> Iterator[Samples]:
        return codec.lines(header, payload)

    with patch.object(decoder, "checked_lines", unchecked), pytest.raises(AssertionError, match="example"):
        run(0, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 6000, 1000))
def test_more_of_them(first: int) -> None:
    run(first, 1000)
