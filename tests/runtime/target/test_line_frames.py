"""Whatever comes in whatever pieces, whole lines are found once, in order, and the counter says what is missing."""

import io
import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runtime.target.flight_tables import LinesTable
from runtime.target.line_frames import LARGEST_GAP, FoundLine, LineFrames
from tests.runtime.target.recorded_frames import FRAME_BYTES, LINES, N_BANDS, N_COLUMNS, SYNC, frame

TABLE = LinesTable(
    N_BANDS, N_COLUMNS, 12, line_header=8, sync=SYNC.hex(), counter_at=4, counter_bytes=4
)  # fmt: skip


def found(data: bytes, table: LinesTable = TABLE, piece: int = 1 << 16) -> tuple[list[FoundLine], LineFrames]:
    frames, file = LineFrames(table), io.BytesIO(data)
    return list(frames.lines(lambda n: file.read(min(n, piece)))), frames


def numbers(lines: list[FoundLine]) -> list[int]:
    """Of the lines, which are bit for bit those that were sent."""
    counters = [int.from_bytes(one.recorded.record[4:], "big") for one in lines]
    assert all(np.array_equal(one.recorded.line, LINES[y]) for one, y in zip(lines, counters, strict=True))
    return counters


@given(st.lists(st.integers(0, 39), min_size=1, max_size=30, unique=True).map(sorted), st.integers(1, 100))
def test_lost_lines_are_counted(kept: list[int], piece: int) -> None:
    lines, frames = found(b"".join(map(frame, kept)), piece=piece)
    assert numbers(lines) == kept
    assert [one.n_lost for one in lines] == [0, *(b - a - 1 for a, b in itertools.pairwise(kept))]
    assert frames.n_repeated == frames.n_skipped_bytes == 0


@given(st.lists(st.integers(0, 2), min_size=10, max_size=10))
def test_repeated_lines_are_left_out(repeats: list[int]) -> None:
    sent = [y for y, n in enumerate(repeats) for _ in range(n + 1)]
    lines, frames = found(b"".join(map(frame, sent)))
    assert numbers(lines) == list(range(10)) and frames.n_repeated == sum(repeats)


@given(st.integers(0, 9 * FRAME_BYTES), st.integers(1, 3 * FRAME_BYTES), st.binary(max_size=50))
def test_bytes_that_are_lost_or_put_in_cost_their_lines_alone(at: int, n_lost: int, noise: bytes) -> None:
    sent = b"".join(map(frame, range(10)))
    lines, frames = found(sent[:at] + noise + sent[at + n_lost :])
    whole = [y for y in range(10) if (y + 1) * FRAME_BYTES <= at or y * FRAME_BYTES >= at + n_lost]
    before = at // FRAME_BYTES - 1  # is whole, and lost where the sync word after it is damaged
    assert set(whole) - {before, before + 1} <= set(numbers_of_sound(lines))
    assert frames.n_skipped_bytes <= len(sent) + len(noise)


def test_a_loss_of_as_many_bytes_as_a_frame_has_joins_two_lines() -> None:
    """The limit that docs/recorder.md names: frames have no checksum."""
    sent = b"".join(map(frame, range(6)))
    lines, _ = found(sent[: FRAME_BYTES + 20] + sent[2 * FRAME_BYTES + 20 :])
    assert numbers_of_sound(lines) == [0, 1, 3, 4, 5] and [one.n_lost for one in lines] == [0, 0, 1, 0, 0]
    joined = np.concatenate([LINES[1].ravel()[:6], LINES[2].ravel()[6:]])
    assert np.array_equal(lines[1].recorded.line.ravel(), joined)


def numbers_of_sound(lines: list[FoundLine]) -> list[int]:
    """Counters of lines, which need not be right where bytes were exchanged."""
    return [int.from_bytes(one.recorded.record[4:], "big") for one in lines]


def test_a_counter_goes_over_its_range_and_begins_again() -> None:
    table = LinesTable(N_BANDS, N_COLUMNS, 12, line_header=8, sync=SYNC.hex(), counter_at=7, counter_bytes=1)
    lines, frames = found(b"".join(frame(0, counter) for counter in (254, 255, 0, 1, 3, 100, 50)), table)
    assert [(one.n_lost, one.has_begun_again) for one in lines] == [
        (0, False), (0, False), (0, False), (0, False), (1, False), (96, False), (0, True),
    ]  # fmt: skip
    assert frames.n_repeated == 0
    far = found(frame(0, 5) + frame(1, 6 + LARGEST_GAP + 1))[0]
    assert [one.has_begun_again for one in far] == [False, True]


def test_frames_without_sync_word_or_counter_follow_one_another() -> None:
    table = LinesTable(N_BANDS, N_COLUMNS, 12)
    lines, frames = found(LINES.tobytes() + b"cut", table, piece=7)
    assert np.array_equal([one.recorded.line for one in lines], LINES) and frames.n_skipped_bytes == 3


def test_nothing_is_no_line() -> None:
    assert found(b"")[0] == [] and found(SYNC)[0] == []
