"""Every TOML file of the repository and every TOML block of its documents reads; commands refuse wrong ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hil_tests.board.board import load_board
from hil_tests.energy.energy_run import make_plan
from hil_tests.meters.meter_factory import make_meters
from hil_tests.meters.this_machine import ThisMachine
from hil_tests.places.place import REPOSITORY
from hil_tests.worth.link import load_link
from model.sensors.sensor import load_sensor
from model.training.training_config import load_cross_validation, load_training_config
from quantize.recipe import recipe_values
from runtime.command_options import EXIT_BAD_INPUT
from runtime.commands.cli import main
from runtime.target.flight_config import read_config

FILES = [
    Path(line)
    for line in subprocess.run(
        ["git", "-C", str(REPOSITORY), "ls-files", "*.toml"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if line != "pyproject.toml"
]
BLOCKS = [
    (path.name, block)
    for path in sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
    for block in re.findall(r"```toml\n(.*?)```", path.read_text(), re.DOTALL)
]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_reads(path: Path) -> None:
    whole = REPOSITORY / path
    if path.parent == Path("hil_tests/boards"):
        assert load_board(whole).name == path.stem
    elif path.parent == Path("hil_tests/worth/missions"):
        assert load_link(whole).source
    elif path.parent == Path("quantize/configs"):
        assert recipe_values(whole)
    elif path.parent == Path("model/configs/cross_validation"):
        assert load_cross_validation(REPOSITORY / "model/configs/flight.toml", whole)
    elif path.parent == Path("model/sensors"):
        assert load_sensor(whole).name == path.stem
    else:
        assert path.parent == Path("model/configs")
        assert load_training_config(whole).name == path.stem


def test_there_are_files_and_blocks() -> None:
    assert {path.parts[0] for path in FILES} == {"hil_tests", "model", "quantize"}
    assert {name for name, _ in BLOCKS} >= {"energy.md", "simulation.md"}


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[f"{name} {index}" for index, (name, _) in enumerate(BLOCKS)])
def test_every_block_of_a_document_is_of_a_board_file_or_a_sensor(name: str, block: str, tmp_path: Path) -> None:
    if name == "simulation.md":
        (tmp_path / "sensor.toml").write_text(block)
        assert load_sensor(tmp_path / "sensor.toml").n_bands > 0
        return
    if name in ("recorder.md", "integration.md"):
        (tmp_path / "recorder.toml").write_text(block)
        assert read_config(tmp_path / "recorder.toml").lines.bands > 0
        return
    path = tmp_path / "board.toml"
    path.write_text(f'name = "desk"\ntransport = "local"\n{block}')
    board = load_board(path)
    assert board.meters or board.energy or board.forms
    assert len(make_meters(board.meters, ThisMachine(tmp_path))) == len(board.meters)
    make_plan(board.energy)


WRONG = "colour = 1"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("hil run --board FILE", "board file FILE: key colour: not known, allowed name, "),
        ("train FILE", "training configuration FILE: key colour: not known, allowed name, "),
        ("pack-scenes FILE out", "training configuration FILE: key colour: not known, allowed name, "),
        ("train-flight FILE FILE -o out", "training configuration FILE: key colour: not known, allowed name, "),
        (
            "quantize none.ckpt --recipe FILE -o out",
            "quantization recipe FILE: key colour: not known, allowed weight_bits, ",
        ),
        ("quantize none.ckpt --epochs=-1 -o out", "linerwkv quantize: key epochs: found -1, allowed int at least 0"),
        ("finetune flight a.hdr --epochs 0 -o out", "linerwkv finetune: key epochs: found 0, allowed int at least 1"),
    ],
)
def test_a_command_ends_with_one_line_and_exit_code_2(
    arguments: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.toml").write_text(WRONG)
    monkeypatch.setattr(sys, "argv", ["linerwkv", *arguments.replace("FILE", "wrong.toml").split()])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == EXIT_BAD_INPUT
    said = capsys.readouterr()
    assert said.err.startswith(f"linerwkv: {line.replace('FILE', 'wrong.toml')}")
    assert said.err.count("\n") == 1 and said.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.toml"]
