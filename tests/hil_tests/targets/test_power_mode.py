"""Power modes set by name and read back, by real programs that behave as a Jetson's are documented."""

from pathlib import Path

import pytest

from hil_tests.board.board import PowerMode
from hil_tests.meters.this_machine import ThisMachine
from hil_tests.targets import power_mode
from hil_tests.targets.power_mode import set_power_mode
from hil_tests.targets.target import TargetFailed

NVPMODEL = """#!/bin/sh
case $1 in
-q) echo "NV Power Mode: $(cat {folder}/mode)"; echo 0;;
-m) test -e {folder}/stuck || sed -n "s/.*ID=$2 NAME=\\([^ ]*\\).*/\\1/p" {folder}/nvpmodel.conf > {folder}/mode;;
esac
"""
JETSON_CLOCKS = """#!/bin/sh
if test "$1" = --show; then
echo "SOC family:tegra234  Machine:Orin"
echo "cpu0:  Governor=schedutil MinFreq=$(cat {folder}/least) MaxFreq=1510400 CurrentFreq=1510400 IdleStates: WFI=0"
echo "GPU MinFreq=624750000 MaxFreq=624750000 CurrentFreq=624750000"
else test -e {folder}/stuck || echo 1510400 > {folder}/least; fi
"""


@pytest.fixture
def jetson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ThisMachine:
    """This machine with such programs, one processor with a governor, and modes 15W and 25W."""
    for name, text in {"nvpmodel": NVPMODEL, "jetson_clocks": JETSON_CLOCKS}.items():
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    (tmp_path / "nvpmodel.conf").write_text("< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=25W >\n")
    (tmp_path / "mode").write_text("25W\n")
    (tmp_path / "least").write_text("729600\n")
    (tmp_path / "cpu0").mkdir()
    (tmp_path / "cpu0/scaling_governor").write_text("schedutil\n")
    monkeypatch.setattr(power_mode, "NVPMODEL_FILE", str(tmp_path / "nvpmodel.conf"))
    monkeypatch.setattr(power_mode, "GOVERNORS", str(tmp_path / "cpu[0-9]*/scaling_governor"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return ThisMachine(tmp_path)


def test_what_is_named_is_set_and_read_back(jetson: ThisMachine) -> None:
    found = set_power_mode(jetson, PowerMode(nvpmodel="15W", jetson_clocks=True, governor="performance"))
    assert found == {
        "nvpmodel": "15W", "governor": "performance", "jetson_clocks": "cpu0 1510400, GPU 624750000",
    }  # fmt: skip
    assert (jetson.root / "cpu0/scaling_governor").read_text() == "performance\n"


def test_what_is_not_named_is_left_as_it_is(jetson: ThisMachine) -> None:
    assert set_power_mode(jetson, PowerMode()) == {}
    assert (jetson.root / "mode").read_text() == "25W\n"
    assert (jetson.root / "cpu0/scaling_governor").read_text() == "schedutil\n"


def test_a_mode_that_is_not_there_or_does_not_come_is_one_line(jetson: ThisMachine) -> None:
    with pytest.raises(TargetFailed, match="nvpmodel: no mode 7W, there are 15W, 25W"):
        set_power_mode(jetson, PowerMode(nvpmodel="7W"))
    (jetson.root / "stuck").touch()
    with pytest.raises(TargetFailed, match="15W was set, 25W is read back; a reboot may be needed"):
        set_power_mode(jetson, PowerMode(nvpmodel="15W"))
    with pytest.raises(TargetFailed, match="cpu0 runs from 729600 to 1510400 kHz, not pinned"):
        set_power_mode(jetson, PowerMode(jetson_clocks=True))


def test_a_machine_without_governors_says_so(jetson: ThisMachine) -> None:
    (jetson.root / "cpu0/scaling_governor").unlink()
    with pytest.raises(TargetFailed):
        set_power_mode(jetson, PowerMode(governor="performance"))
