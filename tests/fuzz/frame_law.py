"""Bytes of an imager that were lost, doubled, changed or made up: what is taken for a line, and what is counted."""

import io
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from runtime.target.flight_tables import LinesTable
from runtime.target.line_frames import LARGEST_GAP, REPEATED_LINES, FoundLine, LineFrames
from tests.fuzz.stream_mutations import Random

TAIL_FRAMES = 6
UNLIKELY_SYNC = "1acffc1d"
"""That random samples have only where it is put."""
SYNCS = ["", "1a", "1acf", UNLIKELY_SYNC, UNLIKELY_SYNC, "ffffffff"]


class Sent(NamedTuple):
    """What came, and where each byte of it was: its place in the frames that were sent, -1 where nobody sent it."""

    data: np.ndarray
    origin: np.ndarray


def any_table(random: Random) -> LinesTable:
    """A form of frames: sync word, counter, header and trailer of any size."""
    sync = SYNCS[random.integers(len(SYNCS))]
    n_sync, n_counter = len(sync) // 2, int(random.choice([0, 1, 2, 4, 8]))
    at = n_sync + int(random.integers(3))
    header = (at + n_counter if n_counter else n_sync) + int(random.integers(4))
    return LinesTable(
        int(random.integers(1, 5)), int(random.integers(1, 40)), 16, line_header=header,
        line_trailer=int(random.integers(4)), sync=sync, counter_at=at if n_counter else 0, counter_bytes=n_counter,
    )  # fmt: skip


def any_counters(random: Random, n_lines: int, n_counters: int) -> list[int]:
    """Of lines one after another, some left out, some repeated, some far on or back."""
    found, counter = [], int(random.integers(1 << 30))
    for _ in range(n_lines):
        found.append(counter % n_counters)
        kind = random.integers(12)
        steps = [1] * 8 + [0, -int(random.integers(20)), int(random.integers(2, 70000)), int(random.integers(1 << 40))]
        counter += steps[kind]
    return found


def frames_of(table: LinesTable, counters: list[int], random: Random, *, has_false_syncs: bool) -> np.ndarray:
    """Whole frames with random samples, some of which look like a sync word."""
    size, sync = table.layout().n_bytes, bytes.fromhex(table.sync)
    frames = random.integers(0, 256, (len(counters), size)).astype(np.uint8)
    places = random.permutation(np.arange(table.line_header, max(table.line_header, size - len(sync)) + 1))
    for i, counter in enumerate(counters):
        frames[i, : len(sync)] = list(sync)
        place = slice(table.counter_at, table.counter_at + table.counter_bytes)
        frames[i, place] = list(counter.to_bytes(table.counter_bytes, "big"))
        if has_false_syncs and i < len(places) and places[i] + len(sync) <= size:  # each at a place of its own
            frames[i, places[i] : places[i] + len(sync)] = list(sync)
    return frames


def damaged(sent: Sent, random: Random, size: int) -> Sent:
    """One damage: bytes lost, doubled, changed or put in, or a cut."""
    data, origin = sent
    at, n = int(random.integers(len(data) + 1)), int(random.integers(1, 2 * size))
    kind = random.integers(5)
    if kind == 0:
        n = size if random.integers(4) == 0 else n  # as many as a frame has
        return Sent(np.delete(data, slice(at, at + n)), np.delete(origin, slice(at, at + n)))
    if kind == 1:
        part = slice(at, at + n)
        return Sent(np.insert(data, at, data[part]), np.insert(origin, at, origin[part]))
    if kind == 2:
        return Sent(np.insert(data, at, random.integers(0, 256, n)), np.insert(origin, at, np.full(n, -1)))
    if kind == 3:
        return Sent(data[at:], origin[at:])
    changed = data.copy()
    changed[at : at + int(random.integers(1, 9))] ^= np.uint8(1 << int(random.integers(8)))
    return Sent(changed, np.where(changed == data, origin, -1))


def expected_places(data: bytes, size: int, sync: bytes) -> tuple[list[int], bool]:
    """Where frames stand that a sync word or the end follows, and whether two of them overlap: then one is false."""
    ends = [at for at in range(size, len(data) + 1) if at == len(data) or data.startswith(sync, at)]
    places = [end - size for end in ends if data.startswith(sync, end - size)]
    return places, any(b - a < size for a, b in pairwise(places))


def check_counters(found: list[FoundLine], counters: list[int], table: LinesTable, n_repeated: int) -> None:
    """Hold gaps and repeats against the counters of the frames that were found, in whole numbers."""
    if not table.counter_bytes:
        assert len(found) == len(counters) and not any(one.n_lost or one.has_begun_again for one in found)
        return
    n = 1 << 8 * table.counter_bytes
    kept: list[tuple[int, int, bool]] = []
    for counter in counters:
        if not kept:
            kept.append((counter, 0, False))
        elif (kept[-1][0] - counter) % n > min(REPEATED_LINES, n // 4):
            lost = (counter - kept[-1][0]) % n - 1
            is_gap = lost <= min(LARGEST_GAP, n // 2)
            kept.append((counter, lost if is_gap else 0, not is_gap))
    place = slice(table.counter_at, table.counter_at + table.counter_bytes)
    assert [
        (int.from_bytes(one.recorded.record[place], "big"), one.n_lost, one.has_begun_again) for one in found
    ] == kept
    assert n_repeated == len(counters) - len(kept)


def check_frames(random: Random) -> Counter[str]:
    """Hold what comes from an imager against the law; how many lines were found and lost."""
    table, n_lines = any_table(random), int(random.integers(1, 16))
    size, sync = table.layout().n_bytes, bytes.fromhex(table.sync)
    counters = any_counters(random, n_lines, 1 << 8 * table.counter_bytes)
    frames = frames_of(table, counters, random, has_false_syncs=bool(random.integers(2)))
    sent = Sent(frames.ravel(), np.arange(frames.size))
    for _ in range(random.integers(4)):
        sent = damaged(sent, random, size)
    later = any_counters(random, TAIL_FRAMES, 1 << 8 * table.counter_bytes)
    tail = frames_of(table, later, random, has_false_syncs=False)
    n_before = len(sent.data)
    sent = Sent(np.append(sent.data, tail), np.append(sent.origin, np.arange(tail.size) + frames.size))
    data = sent.data.tobytes()

    reader, file, places = LineFrames(table), io.BytesIO(data), list[int]()
    pieces = [int(random.integers(1, 3 * size)) for _ in range(8)]

    def take(n_bytes: int) -> bytes:
        pieces.append(pieces.pop(0))
        return file.read(min(n_bytes, pieces[-1]))

    for frame in reader.frames(take):
        places.append(reader.n_skipped_bytes + len(places) * size)
        assert data[places[-1] : places[-1] + size] == frame
    assert reader.n_skipped_bytes + len(places) * size == len(data)

    file.seek(0)
    again = LineFrames(table)
    found = list(again.lines(take))
    place = slice(table.counter_at, table.counter_at + table.counter_bytes)
    check_counters(found, [int.from_bytes(data[at:][place], "big") for at in places], table, again.n_repeated)
    for one in found:
        assert one.recorded.line.shape == (table.bands, table.columns)

    if sync:
        expected, has_overlaps = expected_places(data, size, sync)
        assert set(places) <= set(expected)
        if not has_overlaps:
            assert places == expected and {n_before + i * size for i in range(TAIL_FRAMES)} <= set(places)
            if table.sync == UNLIKELY_SYNC:  # with the sync word after it sent in one piece: it begins a frame
                origins = [sent.origin[at : at + size + len(sync)] for at in places]
                assert all(one[0] % size == 0 for one in origins if one[0] >= 0 and (np.diff(one) == 1).all())
    else:
        assert places == list(range(0, len(data) - size + 1, size))
    return Counter({"frames: found": len(places), "frames: not found": max(0, n_lines + TAIL_FRAMES - len(places))})
