"""The self-test: what reproduces the recorded lines passes, and one number that differs is named by its place."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from export.integer_package import integer_package_parts
from runtime.cell.flight_package import IntegerPackage, package_of_parts
from runtime.cell.integer_cell import CellShape
from runtime.errors import Corrupt, ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.executors.self_test import EQUAL, check_executor, recorded_findings, spectral_difference
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell

SHAPES = [
    CellShape(1, 4, 1, 1, 4, 0),
    CellShape(3, 8, 2, 2, 5, 2),
    CellShape(16, 5, 1, 1, 7, 1),
    CellShape(8, 32, 2, 1, 12, 3),
]


def package_of(shape: CellShape, seed: int = 1) -> IntegerPackage:
    package = package_of_parts(Path("package"), integer_package_parts(random_cell(shape, seed), "test", {}, {}))
    assert isinstance(package, IntegerPackage)
    return package


class Reference(ArrayExecutor):
    """The int64 reference; adds `wrong` to one number of an output from step `first` on, in steps of so many groups."""

    provider = "reference"

    def __init__(self, package: IntegerPackage, name: str = "", first: int = 0, n_groups: int | None = None) -> None:
        self.cell, self.sha256 = package.cell, package.sha256.hex()
        self.name, self.first, self.n_groups = name, first, n_groups
        self.n_steps = 0

    @override
    def run(self, inputs: Arrays) -> Arrays:
        states = {spec.name: inputs[spec.name].astype(np.int64) for spec in self.cell.shape.states()}
        contexts, after = int8_cell.line_part(self.cell, inputs["line_features"], inputs["levels"], states)
        outputs = {"contexts": contexts.astype(np.int8)}
        outputs |= {f"{name}_next": values.astype(inputs[name].dtype) for name, values in after.items()}
        is_due = self.n_steps >= self.first and self.n_groups in (None, len(contexts))
        self.n_steps += 1
        if self.name and is_due:
            outputs[self.name][-1, 5, 1] ^= 1
        return outputs


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_computes_the_arithmetic_passes(shape: CellShape) -> None:
    package = package_of(shape)
    for executor in (OnnxRuntimeCell(package), Reference(package)):
        check_executor(package, executor)
        assert {finding for _, finding in recorded_findings(package, executor)} == {EQUAL}


def test_tilings_are_named_by_their_groups() -> None:
    tiles = {shape.group: [tile for tile, _ in recorded_findings(p, Reference(p))] for shape in SHAPES
             for p in [package_of(shape)]}  # fmt: skip
    assert tiles == {1: ["1", "8", "all"], 3: ["1", "all"], 16: ["1", "all"], 8: ["1", "all"]}


def test_one_wrong_context_is_named_by_its_place() -> None:
    package = package_of(SHAPES[1])
    n_groups = package.conformance.contexts.shape[1]
    right = int(package.conformance.contexts[2, -1, 5, 1])
    text = f"contexts at line 2, group {n_groups - 1}, column 5: {right ^ 1}, expected {right}"
    with pytest.raises(Corrupt, match=f"reference failed the self-test .package package, whole lines.: {text}"):
        check_executor(package, Reference(package, "contexts", first=2))


def test_an_executor_that_errs_in_steps_of_one_group_only_is_refused() -> None:
    package = package_of(SHAPES[1])
    with pytest.raises(Corrupt, match=r"one group a step\): contexts at line 0, group 0, column 5"):
        check_executor(package, Reference(package, "contexts", n_groups=1))


def test_a_memory_that_is_wrong_after_the_last_line_is_found() -> None:
    package = package_of(SHAPES[1])
    n_lines = len(package.conformance.contexts)
    with pytest.raises(Corrupt, match=f"numerator_1 at line {n_lines - 1}, group 2, column 5"):
        check_executor(package, Reference(package, "numerator_1_next", first=n_lines - 1))


def test_an_answer_of_another_shape_is_no_answer() -> None:
    package = package_of(SHAPES[1])

    class Narrow(Reference):
        @override
        def run(self, inputs: Arrays) -> Arrays:
            return {name: values[:, 1:] for name, values in super().run(inputs).items()}

    with pytest.raises(ExecutorFailed, match="output before_0_next is int8 of shape"):
        check_executor(package, Narrow(package))
    assert all("of shape" in finding for _, finding in recorded_findings(package, Narrow(package)))


@pytest.mark.parametrize("name", ["band_columns", "band_convolutions.1", "decoder", "taps"])
def test_a_spectral_part_that_differs_is_named_by_its_place(name: str) -> None:
    """A layer that is another after the lines were recorded: what a machine that errs looks like."""
    package = package_of(SHAPES[1])
    layer = package.cell.layers[name]
    changed = replace(layer, shift=layer.shift + np.int8(1))
    other = replace(package, cell=replace(package.cell, layers={**package.cell.layers, name: changed}))
    recorded = package.conformance
    taps = np.stack([
        int8_cell.spectral_part(other.cell, contexts.astype(np.int64), features)
        for contexts, features in zip(recorded.contexts, recorded.band_features, strict=True)
    ])  # fmt: skip
    y, z, x, k = np.argwhere(taps != recorded.taps)[0]
    text = f"taps at line {y}, band {z}, column {x}: {taps[y, z, x, k]}, expected {recorded.taps[y, z, x, k]}"
    assert spectral_difference(other) == text
    with pytest.raises(Corrupt, match=r"this machine failed the self-test \(package package, spectral part\): taps"):
        check_executor(other, Reference(package))
