"""`pytest hil_tests --board FILE`: the steps of a run on a target as tests, instead of the tests of the harness."""

from pathlib import Path

import pytest

BOARD_RUN = "test_board_run.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """As of `linerwkv hil run`."""
    group = parser.getgroup("hardware in the loop")
    group.addoption("--board", type=Path, help="board file: run its acceptance, and nothing else of hil_tests")
    group.addoption("--short", action="store_true", help="few lines, no soak, no energy")
    group.addoption("--scene", type=Path, help="scene instead of the board file's")
    group.addoption("--output", type=Path, help="folder of the run")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With a board its run alone, without one everything but that."""
    if collection_path.parent != Path(__file__).parent or not collection_path.name.startswith("test_"):
        return None
    is_board_run = collection_path.name == BOARD_RUN
    return None if is_board_run == (config.getoption("--board") is not None) else True
