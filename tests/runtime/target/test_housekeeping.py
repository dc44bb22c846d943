"""Housekeeping of a recorder: packets in a file and over the downlink say its status; XTCE reads all of them."""

import json
import os
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import space_packet_parser
from click.testing import CliRunner

from runtime.commands.packet_commands import packets
from runtime.errors import BadArgument
from runtime.packets.housekeeping import PACKET_BYTES, Housekeeping, housekeeping_packets, unpack_housekeeping
from runtime.packets.housekeeping_table import AUTO_FORM, TABLE
from runtime.target.flight_command import run
from runtime.target.housekeeping import HousekeepingPackets, HousekeepingTable, append_whole, values_of
from tests.runtime.target.recorded_frames import SEGMENT_LINES, config_of, config_text, frame

APID = 9
SENT = [*range(20), 20, 20, *range(23, 40)]
STATUS: dict[str, Any] = {
    **{one.name: 0 for one in TABLE}, "recording": True, "form": "a", "form_asked": "auto", "fill": 0.5,
    "largest_fill": 1.0, "file": "0007.lrwk", "bytes": 12, "peak_mib": 99.6, "events": {},
}  # fmt: skip


def recorded(folder: Path, more: str) -> dict[str, Any]:
    """The last status of a recorder of `SENT`."""
    (folder / "frames").write_bytes(b"".join(map(frame, SENT)))
    text = config_text(folder / "out", f'kind = "file"\npath = "{folder / "frames"}"', more)
    run(config_of(text), threading.Event())
    last = (folder / "out.jsonl").read_text().splitlines()[-1]
    found: dict[str, Any] = json.loads(last)["ended"]
    return found


def read(path: Path) -> list[Housekeeping]:
    data = path.read_bytes()
    assert len(data) % PACKET_BYTES == 0
    return [unpack_housekeeping(data[i : i + PACKET_BYTES]) for i in range(0, len(data), PACKET_BYTES)]


def test_packets_say_the_status_and_the_last_one_the_end(tmp_path: Path) -> None:
    more = f'[housekeeping]\napid = {APID}\nseconds = 1e-6\nfile = "{tmp_path / "h"}"'
    for n_runs in (1, 2):
        end = recorded(tmp_path, more)
        found = read(tmp_path / "h")
        assert [one.head.sequence for one in found].count(0) == n_runs  # each program counts from 0
    assert len(found) > 2 * len(SENT) // SEGMENT_LINES
    assert {one.head.apid for one in found} == {APID}
    assert found == list(housekeeping_packets((tmp_path / "h").read_bytes(), APID))
    last = found[-1].values
    assert last == values_of({**end, "peak_mib": last["peak_memory"]}, ["ccsds123", "dpcm"])
    expected = {"lines": 38, "lost": 2, "repeated": 1, "recording": 1, "file_number": 0, "form_asked": AUTO_FORM}
    assert {name: last[name] for name in expected} == expected and last["peak_memory"] > 10
    assert any(one.values["file_number"] == 2 and one.values["file_bytes"] > 100 for one in found)
    lines = [one.values["lines"] for one in found[[one.head.sequence for one in found].index(0, 1) :]]
    assert lines == sorted(lines)


def test_xtce_that_the_command_writes_reads_the_packets_of_a_run(tmp_path: Path) -> None:
    recorded(tmp_path, f'[housekeeping]\napid = {APID}\nseconds = 0.001\nfile = "{tmp_path / "h"}"')
    done = CliRunner().invoke(packets, ["xtce", "--apid", str(APID), "-o", str(tmp_path / "h.xml")])
    assert done.exit_code == 0, done.exception
    definition = space_packet_parser.load_xtce(tmp_path / "h.xml")
    with (tmp_path / "h").open("rb") as file:
        parsed = [definition.parse_bytes(one) for one in space_packet_parser.ccsds_generator(file)]
    ours = read(tmp_path / "h")
    assert len(parsed) == len(ours) > 1
    for theirs, (head, values) in zip(parsed, ours, strict=True):
        assert {one.name: theirs[one.name].raw_value for one in TABLE} == values
        assert theirs["SRC_SEQ_CTR"] == head.sequence and theirs["recording"] == "YES"


@pytest.fixture
def ground() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        port.setblocking(False)
        yield port


def test_each_packet_is_a_datagram_without_packets_of_streams(tmp_path: Path, ground: socket.socket) -> None:
    downlink = f"[downlink]\nport = {ground.getsockname()[1]}"
    recorded(tmp_path, f'[housekeeping]\nseconds = 0.01\nfile = "{tmp_path / "h"}"\n{downlink}')
    came = [ground.recv(1 << 16) for _ in read(tmp_path / "h")]
    assert b"".join(came) == (tmp_path / "h").read_bytes()
    assert list((tmp_path / "out").glob("*.packets")) == []


def test_packets_of_both_kinds_are_told_apart_by_their_apid(tmp_path: Path, ground: socket.socket) -> None:
    downlink = f"[downlink]\nport = {ground.getsockname()[1]}"
    recorded(tmp_path, f"[packets]\n[housekeeping]\nseconds = 100\n{downlink}")
    data = b""
    with pytest.raises(BlockingIOError):
        while True:
            data += ground.recv(1 << 16)
    assert [one.values["lines"] for one in housekeeping_packets(data, 2)] == [0, 38]
    (stream,) = (tmp_path / "out").glob("*.packets")
    assert len(data) == stream.stat().st_size + 2 * PACKET_BYTES


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[housekeeping]\napid = 2047", "key housekeeping.apid: found 2047"),
        ("[housekeeping]\nseconds = 0.0", "key housekeeping.seconds: found 0.0, allowed finite number above 0"),
        ("[housekeeping]", "housekeeping.file: found none and no table downlink"),
        ('[housekeeping]\nfile = "h"\napid = 1\n[packets]', "housekeeping.apid: found 1, allowed another"),
    ],
)
def test_the_table_is_checked(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(BadArgument, match=said):
        config_of(config_text(tmp_path / "out", 'kind = "file"', more))


def test_a_file_that_cannot_be_is_told_before_lines_come(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"housekeeping .*none/h: No such file"):
        recorded(tmp_path, f'[housekeeping]\nfile = "{tmp_path / "none" / "h"}"')


def test_what_does_not_fit_leaves_whole_packets(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "h", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    append_whole(fd, b"whole")
    try:
        for n_bytes in (8, 5):
            resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
            append_whole(fd, b"does not fit")
            assert (tmp_path / "h").read_bytes() == b"whole"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    append_whole(fd, b"!")
    os.close(fd)
    assert (tmp_path / "h").read_bytes() == b"whole!"


def test_one_is_made_when_it_is_due_and_a_wrong_clock_makes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    made = HousekeepingPackets(HousekeepingTable(seconds=1000), lambda: STATUS, ["a"], None, sent.extend)
    made.make_due()
    made.make_due()
    assert len(sent) == 1
    values = unpack_housekeeping(sent[0]).values
    expected = {"fill": 500, "largest_fill": 1000, "file_number": 7, "file_bytes": 12, "peak_memory": 100, "form": 0}
    assert {name: values[name] for name in expected} == expected
    monkeypatch.setattr("time.time_ns", lambda: 1 << 63)
    made.make()
    assert len(sent) == 1
