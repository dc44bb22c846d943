"""A dry run of every board file: nothing is touched, and each step says what it needs and what it would measure."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hil_tests.board.board import load_board
from hil_tests.commands import hil
from hil_tests.places.place import REPOSITORY

BOARDS = sorted((REPOSITORY / "hil_tests/boards").glob("*.toml"))


def planned(path: Path, *options: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(hil, ["run", "--board", str(path), "--dry-run", "--json", *options])
    assert done.exit_code == 0, done.output
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_board_file_has_a_plan_and_nothing_is_written(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    board = load_board(path)
    steps = planned(path)
    assert [step["name"] for step in steps] == [*board.step_names, "limits"]
    assert all(step["needs"] for step in steps[:-1])
    assert len(steps[-1]["measures"]) == len(board.limits)
    assert list(tmp_path.iterdir()) == []
    by_name = {str(step["name"]): step for step in steps}
    assert bool(by_name["energy"]["measures"]) == bool(board.meters or board.forms)
    assert any("J/Msample" in figure for figure in by_name["energy"]["measures"]) == bool(board.meters)
    mode = board.power
    assert len(by_name["bring-up"]["measures"]) == bool(mode.nvpmodel) + bool(mode.governor) + mode.jetson_clocks


def test_what_is_left_out_says_why() -> None:
    steps = {
        str(step["name"]): step for step in planned(REPOSITORY / "hil_tests/boards/raspberry_pi_5.toml", "--short")
    }
    assert steps["soak"]["needs"] == ["left out: a short run"]
    assert steps["energy"]["needs"] == ["left out: a short run; joules are not measured"]
    local = {str(step["name"]): step for step in planned(REPOSITORY / "hil_tests/boards/local.toml")}
    assert local["energy"]["needs"] == ["left out: the board file names no meter; joules are not measured"]


def test_text_names_rails_power_mode_and_limits() -> None:
    path = REPOSITORY / "hil_tests/boards/jetson_orin_nano.toml"
    text = CliRunner().invoke(hil, ["run", "--board", str(path), "--dry-run"]).stdout
    assert "    needs     root there by sudo -n to set nvpmodel 15W, jetson_clocks\n" in text
    assert "    measures  nvpmodel, read back\n" in text
    assert "    needs     meter module: VDD_IN, VDD_CPU_GPU_CV, VDD_SOC\n" in text
    assert "    held      peak_mib <= 1000 MiB\n" in text


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ('[[meters]]\nkind = "sundial"\n', "meters[0].kind"),
        ("[energy]\nwindow_s = 0\n", "energy.window_s"),
        ('faults = ["rain"]\n', "fault 'rain' is not known"),
        ('[power]\ngovernor = "fast; reboot"\n', "power.governor"),
        ('[local]\nhost = "here"\n', "local.host"),
    ],
)
def test_a_wrong_board_file_is_found_without_the_board(more: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(f'name = "desk"\ntransport = "local"\n{more}')
    done = CliRunner().invoke(hil, ["run", "--board", str(path), "--dry-run"])
    assert done.exit_code != 0
    assert line in str(done.exception)
