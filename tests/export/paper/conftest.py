"""A folder of HySpecNet's structure, and the codings of its test patch."""

from pathlib import Path

import pytest

from export.paper.coded_split import Part, code_patches, read_results, results_folder
from export.paper.coding import Coding
from export.paper.methods import Method, all_methods
from model.scenes.data_config import DataConfig
from model.scenes.scene import Scene
from model.scenes.scene_list import load_scenes
from runtime.cell.flight_package import SHIPPED_FLOAT
from tests.model.scenes.test_hyspecnet import write_set

MAX_ERRORS = (0, 2)
PLACE = "a processor, commit of the test"


@pytest.fixture(scope="session")
def hyspecnet_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hyspecnet")
    write_set(root, side=8)
    return root


@pytest.fixture(scope="session")
def patches(hyspecnet_root: Path) -> list[Scene]:
    return load_scenes(DataConfig(str(hyspecnet_root), cache=str(hyspecnet_root / "cache")), "test")


@pytest.fixture(scope="session")
def methods() -> list[Method]:
    """The shipped float network stands for the paper's."""
    return all_methods(SHIPPED_FLOAT)


@pytest.fixture(scope="session")
def results(hyspecnet_root: Path, methods: list[Method], patches: list[Scene]) -> Path:
    folder = results_folder(hyspecnet_root / "out", methods, MAX_ERRORS)
    code_patches(methods, patches, MAX_ERRORS, folder, Part(1, 1), PLACE)
    return folder


@pytest.fixture
def codings(results: Path, patches: list[Scene]) -> list[Coding]:
    return [coding for result in read_results(results, patches) for coding in result.codings]
