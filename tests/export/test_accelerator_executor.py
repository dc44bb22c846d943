"""The accelerator layout behind the self-test: trusted where it gives the package's bits, refused where it does not."""

from pathlib import Path

import pytest

from export.accelerator_executor import accelerator_executor
from export.integer_package import integer_package_parts
from export.package_files import write_package
from runtime.cell.flight_package import SHIPPED_FLOAT, IntegerPackage, open_package
from runtime.cell.integer_cell import CellShape
from runtime.errors import BadArgument, Corrupt
from runtime.executors.executors import make_executor
from runtime.executors.self_test import check_executor
from tests.reference.random_cell import random_cell

SHAPE = CellShape(4, 24, 2, 1, 8, 1)


def packaged(folder: Path, largest_weight: int) -> IntegerPackage:
    cell = random_cell(SHAPE, 1, largest_weight)
    write_package(integer_package_parts(cell, "form", {}, {}), folder)
    package = open_package(folder)
    assert isinstance(package, IntegerPackage)
    return package


@pytest.mark.parametrize("load", ["load_uint8", "load_int8"])
def test_a_cell_of_six_bits_passes_the_self_test(load: str, tmp_path: Path) -> None:
    package = packaged(tmp_path / "package", 31)
    executor = make_executor(package, f"export.accelerator_executor:{load}")
    assert executor.sha256 == package.sha256.hex()


def test_a_cell_that_cannot_be_freed_of_ties_is_refused(tmp_path: Path) -> None:
    package = packaged(tmp_path / "package", 127)
    with pytest.raises(BadArgument, match="may lie halfway between two integers"):
        make_executor(package, "export.accelerator_executor:load_uint8")
    unchecked = accelerator_executor(tmp_path / "package", "uint8")
    with pytest.raises(Corrupt, match="failed the self-test"):  # it differs indeed
        check_executor(package, unchecked)


def test_a_cell_of_seven_bits_serves_int8_activations_only(tmp_path: Path) -> None:
    package = packaged(tmp_path / "package", 63)
    make_executor(package, "export.accelerator_executor:load_int8")
    with pytest.raises(BadArgument, match="allowed up to 63 on x86 without VNNI"):
        make_executor(package, "export.accelerator_executor:load_uint8")


def test_a_float_package_has_no_such_form() -> None:
    from export.accelerator_executor import load_uint8

    with pytest.raises(BadArgument, match="of arithmetic float32, allowed int8-v2"):
        load_uint8(SHIPPED_FLOAT)
