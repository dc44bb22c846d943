"""A ledger remembers whole lines, whatever a crash left of the last one, and is no other file."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linerwkv.ground.archive_ledger import open_ledger
from runtime.errors import BadArgument


def test_what_was_added_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger"
    with open_ledger(path) as ledger:
        assert ledger.finished == {}
        ledger.add("a", {"x": 1})
        assert len(path.read_bytes().splitlines()) == 2  # on the disk before the next file is begun
        ledger.add("b", {"x": 2})
    with open_ledger(path) as ledger:
        assert ledger.finished == {"a": {"x": 1}, "b": {"x": 2}}
    with open_ledger(None) as ledger:
        ledger.add("a", {})


@given(n_cut=st.integers(1, 40))
def test_a_cut_line_costs_itself_alone(n_cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger"
    with open_ledger(path) as ledger:
        ledger.add("a", {"x": 1})
        ledger.add("long enough to be cut at any place", {"x": 2})
    path.write_bytes(path.read_bytes()[:-1][:-n_cut])
    with open_ledger(path) as ledger:
        assert ledger.finished == {"a": {"x": 1}}
        ledger.add("c", {"x": 3})
    with open_ledger(path) as ledger:
        assert ledger.finished == {"a": {"x": 1}, "c": {"x": 3}}


@pytest.mark.parametrize("data", [b"LRWK\x00\xff", b"{}\n", json.dumps({"key": "a", "outcome": {}}).encode()])
def test_another_file_is_left_as_it_is(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "scene.lrwk"
    path.write_bytes(data)
    with pytest.raises(BadArgument, match="another file, allowed a new name or an older ledger"), open_ledger(path):
        pass
    assert path.read_bytes() == data
