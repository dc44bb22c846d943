"""Every TOML file of the repository and every TOML block of its documents reads."""

import re
import subprocess
from pathlib import Path

import pytest

from hil_tests.board.board import load_board
from hil_tests.energy.energy_run import make_plan
from hil_tests.meters.making import make_meters
from hil_tests.meters.this_machine import ThisMachine
from hil_tests.places.place import REPOSITORY
from model.training.training_config import load_training_config, load_twins
from quantize.recipe import recipe_values

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
    elif path.parent == Path("quantize/configs"):
        assert recipe_values(whole)
    elif path.parent == Path("model/configs/twins"):
        assert load_twins(REPOSITORY / "model/configs/flight.toml", whole)
    else:
        assert path.parent == Path("model/configs")
        assert load_training_config(whole).name == path.stem


def test_there_are_files_and_blocks() -> None:
    assert {path.parts[0] for path in FILES} == {"hil_tests", "model", "quantize"}
    assert {name for name, _ in BLOCKS} >= {"energy.md"}


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[f"{name} {index}" for index, (name, _) in enumerate(BLOCKS)])
def test_every_block_of_a_document_is_of_a_board_file(name: str, block: str, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(f'name = "desk"\ntransport = "local"\n{block}')
    board = load_board(path)
    assert board.meters or board.energy
    assert len(make_meters(board.meters, ThisMachine(tmp_path))) == len(board.meters)
    make_plan(board.energy)
