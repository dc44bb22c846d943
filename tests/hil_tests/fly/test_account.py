"""What a flight says of its lines: each loss, repeat and wrong sample is found, and nothing where all is right."""

import threading
from pathlib import Path

import numpy as np
import pytest

from hil_tests.fault_programs.flight.account import (
    Check,
    decoded,
    line_checks,
    packet_checks,
    recordings,
    stream_checks,
)
from hil_tests.fault_programs.flight.configuration import APID
from hil_tests.fault_programs.flight.scene import Scene, number_of
from runtime.images.synthetic import BIT_DEPTH
from runtime.target.flight_command import run
from tests.runtime.target.recorded_frames import N_BANDS, N_COLUMNS, config_of, config_text

N_LINES, GAP = 40, range(18, 21)
SCENE = Scene(np.random.default_rng(3).integers(0, 1 << BIT_DEPTH, (30, N_BANDS, N_COLUMNS)).astype(np.uint16))
SENT = [y for y in range(N_LINES) if y not in GAP]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Streams of a recorder, three lines never came."""
    folder = tmp_path_factory.mktemp("fly")
    (folder / "frames").write_bytes(b"".join(map(SCENE.frame, SENT)))
    text = config_text(folder / "out", f'kind = "file"\npath = "{folder / "frames"}"')
    text = text.replace("bit_depth = 12", f"bit_depth = {BIT_DEPTH}").replace(
        "[output]", "[output]\nrotate_bytes = 500"
    )
    run(config_of(f"{text}\n[packets]\napid = {APID}\npacket_bytes = 128"), threading.Event())
    assert len(list((folder / "out").glob("*.lrwk"))) > 1
    return folder / "out"


def failed(checks: list[Check]) -> list[str]:
    return [one.name for one in checks if not one.is_held]


def test_lines_go_forth_and_back() -> None:
    last = len(SCENE.lines) - 1
    for y, place in ((0, 0), (last, last), (last + 1, last - 1), (2 * last, 0), (2 * last + 3, 3)):
        assert np.array_equal(SCENE.line(y), SCENE.lines[place])
        assert number_of(SCENE.frame(y)) == y


def test_every_line_is_found(disk: Path) -> None:
    found = decoded(recordings(disk), SCENE, [])
    assert sorted(found.times) == SENT and failed(line_checks(found, SENT, range(0))) == []


def test_what_is_lost_or_twice_or_wrong_is_named(disk: Path) -> None:
    found = decoded(recordings(disk), SCENE, [])
    assert failed(line_checks(found, [*SENT, N_LINES], range(0)))[0] == "accepted lines that are lost"
    assert failed(line_checks(found, [*SENT, N_LINES], range(N_LINES, N_LINES + 1), 1)) == []
    twice = decoded([*recordings(disk), recordings(disk)[0]], SCENE, [])
    assert failed(line_checks(twice, SENT, range(0))) == ["lines recorded twice"]
    other = Scene(np.where(np.arange(30)[:, None, None] == 7, 0, SCENE.lines))
    assert decoded(recordings(disk), other, []).wrong == [7]


def test_a_damaged_segment_is_a_lost_one(disk: Path) -> None:
    (name, data), *rest = recordings(disk)
    middle = len(data) // 2
    torn = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    found = decoded([(name, torn), *rest], SCENE, [])
    assert "accepted lines that are lost" in failed(line_checks(found, SENT, range(0)))


def test_streams_have_their_ends_and_gaps(disk: Path) -> None:
    streams = recordings(disk)
    found = decoded(streams, SCENE, [])
    assert failed(stream_checks(streams, found, [], len(GAP))) == []
    assert failed(stream_checks(streams, found, [], len(GAP) + 1)) == ["lines that never came, as gaps of streams"]
    name, data = streams[0]
    cut = [(name, data[:-8]), *streams[1:]]
    torn = decoded(cut, SCENE, [])
    assert "streams without an end" in failed(stream_checks(cut, torn, [], 0))
    assert "streams without an end" not in failed(stream_checks(cut, torn, [name], 0))


def test_what_a_power_cut_takes_is_counted(disk: Path) -> None:
    found, sent, cut = decoded(recordings(disk), SCENE, []), [*SENT, *range(N_LINES, N_LINES + 6)], range(40, 46)
    assert failed(line_checks(found, sent, cut, n_unread=2, n_allowed=4)) == []
    assert len(failed(line_checks(found, sent, cut, n_unread=2, n_allowed=3))) == 1


def test_packets_give_each_stream_again(disk: Path) -> None:
    received = b"".join(path.read_bytes() for path in sorted(disk.glob("*.packets")))
    assert failed(packet_checks(disk, received, SCENE, [], [])) == []
    assert failed(packet_checks(disk, b"", SCENE, [], [])) == ["streams that the downlink gave whole"]
    first = sorted(disk.glob("*.packets"))[0]
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) // 2])
    try:
        assert failed(packet_checks(disk, received, SCENE, [], [])) == ["streams that their packets give again"]
        assert failed(packet_checks(disk, received, SCENE, [], [first.with_suffix(".lrwk").name])) == []
    finally:
        first.write_bytes(whole)
