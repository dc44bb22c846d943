"""`linerwkv packets`: a stream goes down in packets, losses are listed, sent again, and the stream is whole."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.commands.packet_commands import packets
from runtime.errors import BadArgument, Incomplete, Truncated
from runtime.packets.packet_scan import fragments
from tests.runtime.packets.packed_streams import STREAM


def run(*words: object) -> Result:
    return CliRunner().invoke(packets, [str(word) for word in words])


@pytest.fixture
def down(tmp_path: Path) -> tuple[Path, list[bytes]]:
    """The stream as a file, and its packets."""
    (tmp_path / "s.lrwk").write_bytes(STREAM)
    words = ("--packet-bytes", 100, "--recording", 3)
    assert run("pack", tmp_path / "s.lrwk", "-o", tmp_path / "p.bin", *words).exit_code == 0
    data, made = (tmp_path / "p.bin").read_bytes(), []
    while data:
        n_bytes = int.from_bytes(data[4:6], "big") + 7
        made.append(data[:n_bytes])
        data = data[n_bytes:]
    return tmp_path, made


def test_losses_are_listed_sent_again_and_filled(down: tuple[Path, list[bytes]]) -> None:
    folder, made = down
    lost = [i for i, packet in enumerate(made) if next(fragments(packet, 1)).place.number in (1, 3)][1:4]
    (folder / "p.bin").write_bytes(b"".join(reversed([one for i, one in enumerate(made) if i not in lost])))
    done = run("assemble", folder / "p.bin", "-o", folder / "back.lrwk", "--json")
    missing = json.loads((folder / "back.lrwk.missing.json").read_text())
    assert done.exit_code == 1 and missing.items() <= json.loads(done.stdout).items()
    assert missing["missing_from"] is None and missing["lines"][0][0] == 0
    again = ("--again", folder / "back.lrwk.missing.json", "--packet-bytes", 80, "--recording", 3)
    sent = run("pack", folder / "s.lrwk", "-o", folder / "more.bin", *again, "--json")
    assert sent.exit_code == 0 and json.loads(sent.stdout)["packets"] <= 2 * len(lost)
    both = folder / "p.bin", folder / "more.bin"
    assert run("assemble", *both, "-o", folder / "back.lrwk").exit_code == 0
    assert (folder / "back.lrwk").read_bytes() == STREAM
    assert not (folder / "back.lrwk.missing.json").exists()


def test_people_are_told_what_is_missing(down: tuple[Path, list[bytes]]) -> None:
    folder, made = down
    (folder / "p.bin").write_bytes(b"".join(one for one in made if next(fragments(one, 1)).place.number not in (3, 8)))
    done = run("assemble", folder / "p.bin", "-o", folder / "back.lrwk")
    assert "lines 4..7 are missing" in done.stderr and "back.lrwk.missing.json lists" in done.stderr


def test_without_a_header_there_is_a_list_and_no_stream(down: tuple[Path, list[bytes]]) -> None:
    folder, made = down
    (folder / "p.bin").write_bytes(b"".join(one for one in made if next(fragments(one, 1)).place.number == 2))
    done = run("assemble", folder / "p.bin", "-o", folder / "back.lrwk")
    assert isinstance(done.exception, Truncated) and "its header has not come" in str(done.exception)
    assert (folder / "back.lrwk.missing.json").exists() and not (folder / "back.lrwk").exists()


def test_of_several_streams_one_is_named(down: tuple[Path, list[bytes]]) -> None:
    folder, _ = down
    assert run("pack", folder / "s.lrwk", "-o", folder / "q.bin", "--recording", 4).exit_code == 0
    words = ("assemble", folder / "p.bin", folder / "q.bin", "-o", folder / "back.lrwk")
    done = run(*words)
    assert isinstance(done.exception, BadArgument) and "of streams: 3-" in str(done.exception)
    name = str(done.exception).split("streams: ")[1].split(",")[0]
    assert run(*words, "--stream", name).exit_code == 0
    assert (folder / "back.lrwk").read_bytes() == STREAM
    nothing = run(*words, "--apid", 9)
    assert isinstance(nothing.exception, BadArgument) and "of streams: none" in str(nothing.exception)


def test_a_cut_stream_is_packed_and_told(tmp_path: Path) -> None:
    (tmp_path / "s.lrwk").write_bytes(STREAM[:-5])
    done = run("pack", tmp_path / "s.lrwk", "-o", tmp_path / "p.bin")
    assert isinstance(done.exception, Incomplete) and "structures before it are packed" in str(done.exception)
    done = run("assemble", tmp_path / "p.bin", "-o", tmp_path / "back.lrwk")
    assert done.exit_code == 1 and "the end of the stream is missing" in done.stderr


def test_a_list_that_is_none_is_refused(down: tuple[Path, list[bytes]]) -> None:
    folder, _ = down
    (folder / "list").write_text('{"stream": "3-1", "missing": [{"first": -1, "last": 2}], "lines": []}')
    done = run("pack", folder / "s.lrwk", "-o", folder / "q.bin", "--again", folder / "list")
    assert isinstance(done.exception, BadArgument) and "list: key " in str(done.exception)
