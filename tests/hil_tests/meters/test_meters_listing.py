"""The verb that shows what this machine can meter."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hil_tests.meters.listing import meters_command


def test_meters_are_listed_with_a_reading_or_why_not(tmp_path: Path) -> None:
    hwmon = tmp_path / "class/hwmon/hwmon0"
    hwmon.mkdir(parents=True)
    (hwmon / "name").write_text("ina219\n")
    (hwmon / "power1_input").write_text("1250000\n")
    (hwmon / "power1_label").write_text("VBUS\n")
    (hwmon / "power2_average").write_text("500000\n")
    arguments = ["--root", str(tmp_path), "--seconds", "0.1"]
    done = CliRunner().invoke(meters_command, [*arguments, "--json"])
    assert done.exit_code == 0
    found = [(reading["kind"], reading["rail"], reading["watts"]) for reading in json.loads(done.stdout)]
    assert found[:2] == [("hwmon", "ina219 VBUS", 1.25), ("hwmon", "ina219 power2", 0.5)]
    assert found[2:4] == [("jetson", "", None), ("rapl", "", None)]
    assert all(reading["watts"] is not None or reading["why_not"] for reading in json.loads(done.stdout))
    text = CliRunner().invoke(meters_command, arguments).stdout
    assert re.search(r"hwmon +1\.250 W +\d+\.\d samples/s, +0\.0 new  ina219 VBUS\n", text)
    assert re.search(r"rapl +not there  rapl: no power sensor under", text)


BOARD = """
name = "desk"
transport = "local"
[[meters]]
kind = "simulated"
name = "pretended"
idle_watts = 3.0
busy_watts = 4.0
period_s = 0.02
"""


def test_meters_of_a_board_are_those_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "desk.toml"
    path.write_text(BOARD)
    done = CliRunner().invoke(meters_command, ["--board", str(path), "--seconds", "0.5", "--json"])
    assert done.exit_code == 0, done.output
    (reading,) = json.loads(done.stdout)
    assert (reading["kind"], reading["rail"]) == ("pretended", "board")
    # Children of the test may be busy: more than idle. Less by what the clock leaves open (test_simulated.py): 25 ms at
    # either end, which only a busy machine has.
    assert reading["watts"] >= 3.0 * (1 - 2 * 0.025 / 0.5)
    assert 10 < reading["samples_per_s"] <= 51
    assert reading["why_not"].startswith("simulated: ")


def test_a_board_file_without_meters_shows_what_the_board_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "desk.toml"
    path.write_text('name = "desk"\ntransport = "local"\n')
    arguments = ["--board", str(path), "--seconds", "0.1", "--root", "/nowhere", "--json"]
    done = CliRunner().invoke(meters_command, arguments)
    assert [one["kind"] for one in json.loads(done.stdout)] == ["hwmon", "jetson", "rapl"]
    assert all("no power sensor under /nowhere" in one["why_not"] for one in json.loads(done.stdout))
