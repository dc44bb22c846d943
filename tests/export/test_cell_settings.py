"""What a machine may have set otherwise changes no integer: providers, subnormal numbers, graph optimisation."""

import subprocess
import sys
from typing import Any

import onnxruntime
import pytest

from export.integer_package import integer_package_parts
from export.package_files import write_package
from hil_tests.places.place import Here
from runtime.cell.flight_package import IntegerPackage, open_package
from runtime.cell.integer_cell import CellShape
from runtime.errors import BadArgument, Corrupt
from runtime.executors import cell_executor
from runtime.executors.cell_executor import OPTIMISATION, OnnxRuntimeCell
from runtime.executors.provider import ON_CPU, Provider
from runtime.executors.self_test import first_difference
from tests.reference.random_cell import random_cell

CUDA = "CUDAExecutionProvider"
FLUSHED = """
import sys
from pathlib import Path
import numpy as np
import onnxruntime
import torch
from quantize.torch_executor import load_eager
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.cell.flight_package import open_package
from runtime.executors.self_test import first_difference

assert torch.set_flush_denormal(True)
assert np.float32(1e-40) * np.ones(4, np.float32)[0] == 0, "subnormal numbers are not flushed"
package = open_package(Path(sys.argv[1]))
for executor in (OnnxRuntimeCell(package), OnnxRuntimeCell(package, 2), load_eager(package.source)):
    for tile in (1, 2, 3):
        print(first_difference(package, executor, tile))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> IntegerPackage:
    folder = tmp_path_factory.mktemp("packages") / "package"
    write_package(integer_package_parts(random_cell(CellShape(4, 8, 2, 1, 5, 2), 1), "test", {}, {}), folder)
    found = open_package(folder)
    assert isinstance(found, IntegerPackage)
    return found


def line_step(package: IntegerPackage, provider: Provider) -> Any:
    return cell_executor.session(package, package.graphs["line_step"], provider=provider)


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA")
@pytest.mark.filterwarnings("default:Specified provider")
def test_a_provider_that_is_announced_but_does_not_load_is_refused(
    package: IntegerPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, ON_CPU.name])
    with pytest.raises((BadArgument, Corrupt), match="CUDA"):
        line_step(package, Provider.parse("CUDA"))


def test_a_provider_that_steps_aside_silently_is_refused(
    package: IntegerPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime.InferenceSession, "get_providers", lambda session: ["OtherExecutionProvider"])
    with pytest.raises(BadArgument, match="was asked for CPUExecutionProvider and fell back to OtherExecutionProvider"):
        line_step(package, ON_CPU)


@pytest.mark.parametrize("level", list(OPTIMISATION.__members__))
@pytest.mark.parametrize("n_threads", [1, 2])
def test_every_optimisation_with_one_and_two_threads(level: str, n_threads: int, package: IntegerPackage) -> None:
    """`linerwkv verify` varies one of the two at a time; this is all of both, in all kinds of tiles."""
    executor = OnnxRuntimeCell(package, n_threads, OPTIMISATION.__members__[level])
    for tile in (1, 2, 3):
        assert first_difference(package, executor, tile) is None


class Flushing(onnxruntime.SessionOptions):  # type: ignore[misc]  # ONNX Runtime has no types
    """Options that flush subnormal numbers, whatever is asked."""

    def add_session_config_entry(self, key: str, value: str) -> None:
        super().add_session_config_entry(key, "1" if key == "session.set_denormal_as_zero" else value)


def run_there(code: str, package: IntegerPackage) -> list[str]:
    """The lines that a program prints in a process of its own: the processor's setting belongs to the thread."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(package.source)], env=Here().environment(), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_thread_that_flushes_subnormal_numbers_gives_the_same_integers(package: IntegerPackage) -> None:
    assert run_there(FLUSHED, package) == ["None"] * 9


def test_a_session_that_flushes_subnormal_numbers_gives_the_same_integers(package: IntegerPackage) -> None:
    code = (
        "import sys; from pathlib import Path; import onnxruntime\n"
        "from tests.export.test_cell_settings import Flushing\n"
        "from runtime.executors.cell_executor import OnnxRuntimeCell\n"
        "from runtime.cell.flight_package import open_package\n"
        "from runtime.executors.self_test import first_difference\n"
        "onnxruntime.SessionOptions = Flushing\n"
        "package = open_package(Path(sys.argv[1]))\n"
        "for n_threads in (1, 2):\n"
        "    for tile in (1, 2, 3):\n"
        "        print(first_difference(package, OnnxRuntimeCell(package, n_threads), tile))\n"
    )
    assert run_there(code, package) == ["None"] * 6
