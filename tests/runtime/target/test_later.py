"""Recorded first, compressed afterwards: all of a stream goes through, whatever happens meanwhile."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from runtime.errors import BadArgument, Incomplete
from runtime.packets.assembled_file import assemble
from runtime.packets.packet_scan import fragments
from runtime.packets.space_packet import COUNTS
from runtime.target.flight_command import record
from runtime.target.later_compression import compress_later
from runtime.target.later_journal import NAME, read_journal
from tests.runtime.target.later_folder import (
    PLAIN,
    codings,
    compressed,
    content_of,
    files,
    later_text,
    recorded,
    stream_bytes,
    streams,
)
from tests.runtime.target.recorded_frames import config_of

RLS = "RLS"


@pytest.mark.parametrize("n_threads", [1, 2])
def test_everything_goes_through_and_once_only(tmp_path: Path, n_threads: int) -> None:
    text = later_text(tmp_path / "out").replace("threads = 1", f"threads = {n_threads}")
    config = recorded(tmp_path / "out", text)
    paths = streams(tmp_path / "out")
    before = {path: (content_of(path), path.stat().st_size) for path in paths}
    assert len(paths) > 2 and all(codings(path) == PLAIN for path in paths)
    assert {type(one).__name__ for found, _ in before.values() for one in found} == {"tuple", "Gap"}
    told = compressed(config)
    assert [one.get("compressed") for one in told[:-1]] == [path.name for path in paths]
    assert told[-1] == {"compressed_all": True, "failed": 0}
    assert streams(tmp_path / "out") == paths
    for path, one in zip(paths, told, strict=False):
        assert {predictor for predictor, _, _ in codings(path)} == {RLS}
        assert content_of(path) == before[path][0]
        assert one["bytes"] == [before[path][1], path.stat().st_size] and one["bytes"][1] < one["bytes"][0]
    after = files(tmp_path / "out")
    assert compressed(config) == [{"compressed_all": True, "failed": 0}]
    (tmp_path / "out" / NAME).unlink()
    assert ["no smaller" in one.get("why", "") for one in compressed(config)] == [True] * len(paths) + [False]
    assert {name: data for name, data in files(tmp_path / "out").items() if name != NAME} == {
        name: data for name, data in after.items() if name != NAME
    }


def test_with_an_error_it_is_within_it_and_not_done_twice(tmp_path: Path) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out", '{ predictor = "rls", max_error = 2 }'))
    paths = streams(tmp_path / "out")
    before = [content_of(path) for path in paths]
    compressed(config)
    after = files(tmp_path / "out")
    for path, wanted in zip(paths, before, strict=True):
        found = content_of(path)
        assert {error for _, _, error in codings(path)} == {2} and len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert one[1] == other[1]
            errors = np.abs(np.subtract(one[0], other[0]))
            assert errors.max() <= 2 and not errors[np.isin(other[0], (0, 4095))].any()
    (tmp_path / "out" / NAME).unlink()
    assert all("with an error of up to 2" in one["why"] for one in compressed(config)[:-1])
    assert {name: data for name, data in files(tmp_path / "out").items() if name != NAME} == {
        name: data for name, data in after.items() if name != NAME
    }


def test_packets_are_made_of_what_is_compressed_and_counted_on(tmp_path: Path) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out", more="[packets]\napid = 3\npacket_bytes = 128"))
    assert not list((tmp_path / "out").glob("*.packets"))
    compressed(config)
    packets = sorted((tmp_path / "out").glob("*.packets"))
    assert [one.stem for one in packets] == [one.stem for one in streams(tmp_path / "out")]
    data = b"".join(path.read_bytes() for path in packets)
    counts = [int.from_bytes(packet[2:4], "big") % COUNTS for packet in packets_of(data)]
    assert counts == [i % COUNTS for i in range(len(counts))]
    assert json.loads((tmp_path / "out" / NAME).read_text())["next_count"] == len(counts)
    for path, of_path in zip(streams(tmp_path / "out"), packets, strict=True):
        (name,) = {str(one.stream) for one in fragments(of_path.read_bytes(), 3)}
        assert name.startswith(f"{int(path.stem)}-")
        assert not assemble([of_path], tmp_path / "back", 3, name).missing
        assert (tmp_path / "back").read_bytes() == path.read_bytes()


def packets_of(data: bytes) -> list[bytes]:
    found = []
    while data:
        n_bytes = 7 + int.from_bytes(data[4:6], "big")
        found.append(data[:n_bytes])
        data = data[n_bytes:]
    return found


def test_the_quota_is_kept_beside_a_recorder(tmp_path: Path) -> None:
    quota = 11_000
    text = later_text(tmp_path / "out") + f"quota_bytes = {quota}\n"
    config = recorded(tmp_path / "out", text)
    names = [path.name for path in streams(tmp_path / "out")]
    total = sum(path.stat().st_size for path in streams(tmp_path / "out"))
    assert names[0] != "0001.lrwk" and total <= quota - 4000
    (tmp_path / "out" / "0000.lrwk").write_bytes(bytes(quota - total - 100))  # there is room for nothing now
    before = files(tmp_path / "out")
    told: list[dict[str, Any]] = []
    with pytest.raises(Incomplete):
        compress_later(config, told.append)
    assert sum("the quota has room for 100" in one.get("why", "") for one in told) == len(names)
    assert stream_bytes(tmp_path / "out") == before
    (tmp_path / "out" / "0000.lrwk").unlink()
    assert len(compressed(config)) == len(names) + 1


def test_the_command_tells_what_it_does(tmp_path: Path) -> None:
    text = later_text(tmp_path / "out")
    recorded(tmp_path / "out", text)
    (tmp_path / "c.toml").write_text(text.replace(f'file = "{tmp_path / "out"}.jsonl"', ""))
    done = CliRunner().invoke(record, [str(tmp_path / "c.toml"), "--compress-later"])
    assert done.exit_code == 0, done.exception
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told[-1]["compressed_all"] and all("time" in one for one in told)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"rls"', '"x"', "key later.form.predictor: found"),
        ("threads = 1", "threads = -1", "key later.threads: found -1"),
        ("[later]", "[packets]\n[downlink]\nport = 5\n[later]", "downlink: found with a table later"),
        ("rotate_bytes = 2000", "rotate_bytes = 2000\nquota_bytes = 6000", "output.quota_bytes: found 6000"),
    ],
)
def test_a_configuration_is_checked(tmp_path: Path, old: str, new: str, found: str) -> None:
    with pytest.raises(BadArgument) as error:
        config_of(later_text(tmp_path / "out").replace(old, new))
    assert found in str(error.value)


def test_without_a_table_nothing_is_done(tmp_path: Path) -> None:
    recorded(tmp_path / "out", later_text(tmp_path / "out"))
    before = files(tmp_path / "out")
    with pytest.raises(BadArgument, match="later: found no such table"):
        compressed(config_of(later_text(tmp_path / "out").partition("[later]")[0] + f'[output]\nfolder = "{tmp_path}"'))
    assert stream_bytes(tmp_path / "out") == before


def test_a_journal_that_is_none_is_begun_anew(tmp_path: Path) -> None:
    config = recorded(tmp_path / "out", later_text(tmp_path / "out"))
    compressed(config)
    before = stream_bytes(tmp_path / "out")
    for text in ("{", '{"next_count": -1}', '{"done": {"0001.lrwk": {"bytes": 1}}}', '{"more": 1}'):
        (tmp_path / "out" / NAME).write_text(text)
        compressed(config)
        assert sorted(read_journal(tmp_path / "out").done) == sorted(before)
    assert stream_bytes(tmp_path / "out") == before
