"""The flight predictor with the reference itself as executor: the codec's laws hold for any integer cell."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.batches.flight_batches import segment_inputs
from runtime.cell.conformance import Conformance
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES
from runtime.cell.flight_package import NEXT, IntegerPackage
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.errors import Corrupt
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.self_test import check_executor, first_difference
from runtime.prediction.flight_predictor import TILE_COLUMNS, FlightPredictor, FlightState
from runtime.stream.kinds import AdaptiveStage
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell
from tests.runtime.cell.test_flight_inputs import KINDS, cube

SHAPE = CellShape(group=3, features=6, line_convolutions=2, line_blocks=1, spectral_features=5, band_convolutions=1)


class ReferenceExecutor:
    """The int64 reference as an executor."""

    provider = "reference"
    sha256 = "00" * 32

    def __init__(self, cell: IntegerCell) -> None:
        self.cell = cell
        self.tiles: list[int] = []

    def run(self, inputs: Arrays) -> Arrays:
        """As in `ArrayExecutor`."""
        self.tiles.append(len(inputs["line_features"]))
        state = {spec.name: inputs[spec.name].astype(np.int64) for spec in self.cell.shape.states()}
        contexts, after = int8_cell.line_part(self.cell, inputs["line_features"], inputs["levels"], state)
        out: Arrays = {"contexts": contexts.astype(np.int8)}
        for spec in self.cell.shape.states():
            narrowed = after[spec.name].astype(spec.dtype)
            np.testing.assert_array_equal(narrowed, after[spec.name])  # what rests in 8 or 16 bits fits there
            out[spec.name + NEXT] = narrowed
        return out


def conformance(cell: IntegerCell, n_lines: int = 3, n_bands: int = 5, n_columns: int = 4) -> Conformance:
    """Lines of random features and what the reference makes of them."""
    generator, group = np.random.default_rng(1), cell.shape.group
    n_groups = cell.shape.groups(n_bands)

    def features(*shape: int) -> npt.NDArray[np.int8]:
        return generator.integers(-127, 128, (n_lines, *shape)).astype(np.int8)

    lines = features(n_groups, n_columns, group * LINE_FEATURES)
    levels, bands = features(n_groups, 1, group * LEVELS), features(n_bands, n_columns, BAND_FEATURES)
    state = int8_cell.initial_state(cell, n_bands, n_columns)
    contexts, taps = [], []
    for line, level, band in zip(lines, levels, bands, strict=True):
        now, state = int8_cell.line_part(cell, line, level, state)
        contexts.append(now)
        taps.append(int8_cell.spectral_part(cell, now, band))
    dtypes = {spec.name: spec.dtype for spec in cell.shape.states()}
    states = {name: values.astype(dtypes[name]) for name, values in state.items()}
    return Conformance(
        line_features=lines, levels=levels, contexts=np.array(contexts, np.int8), band_features=bands,
        taps=np.array(taps, np.int16), states=states,
    )  # fmt: skip


def integer_package(seed: int = 0) -> IntegerPackage:
    """A package in memory with a random cell."""
    cell = random_cell(SHAPE, seed)
    return IntegerPackage(Path("random"), bytes(32), {}, {}, cell, conformance(cell))


def encoded(predictor: FlightPredictor, samples: npt.NDArray[np.int32]) -> list[tuple[npt.NDArray[np.int32], Arrays]]:
    """Mapped residuals and a copy of the state after each line."""
    state: FlightState | None = None
    lines = []
    for line in samples:
        mapped = np.empty_like(line)
        state = predictor.encode_line(line, state, mapped)
        lines.append((mapped, {name: values.copy() for name, values in state.memory.items()}))
    return lines


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 6)),
    tile=st.sampled_from([1, 6, 1000]),
    stage=st.sampled_from(list(AdaptiveStage)),
    max_error=st.sampled_from([0, 0, 1, 30, 32767]),
    seed=st.integers(0, 50),
)
def test_decoded_line_by_line_with_equal_states(
    kind: str, shape: tuple[int, int, int], tile: int, stage: AdaptiveStage, max_error: int, seed: int
) -> None:
    samples = cube(kind, shape, seed)
    package = integer_package(seed)
    limits = (-32768, 32767) if samples.min() < 0 else (0, 65535)
    encoder, decoder = (
        FlightPredictor(
            package, ReferenceExecutor(package.cell), *limits, stage=stage, max_error=max_error, tile_columns=columns
        )
        for columns in (tile, TILE_COLUMNS)
    )
    state: FlightState | None = None
    lines = samples.copy()  # with an error they become what is restored
    for line, (mapped, memory) in zip(samples, encoded(encoder, lines), strict=True):
        found = np.full_like(line, -1)
        state = decoder.decode_line(mapped, state, found)
        assert np.abs(found - line).max() <= max_error
        for name, values in memory.items():
            np.testing.assert_array_equal(state.memory[name], values, name)


def network_error(package: IntegerPackage, samples: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Samples less the reference's predictions, (Y - 1, Z, X): taps of whole lines by the exact differences."""
    cell, (_, n_bands, n_columns) = package.cell, samples.shape
    inputs = segment_inputs(samples)
    state = int8_cell.initial_state(cell, n_bands, n_columns)
    errors = []
    for y, line in enumerate(samples[1:]):
        taps, state = int8_cell.step(cell, inputs.line_features[y], inputs.band_features[y], state)
        total = (taps * inputs.differences[y].astype(np.int64)).sum(-1)
        doubled = np.clip(2 * samples[y].astype(np.int64) + (total >> 9) + 1, 0, 2 * 65535 + 1)
        errors.append(line - (doubled >> 1))
    return np.array(errors)


@pytest.mark.parametrize("shape", [(4, 7, 5), (3, 1, 1), (2, 2, 18), (3, 3, 33)])
def test_the_prediction_is_that_of_the_reference(shape: tuple[int, int, int]) -> None:
    samples, package = cube("walk", shape, 3), integer_package()
    predictor = FlightPredictor(package, ReferenceExecutor(package.cell), 0, 65535)
    mapped = np.array([line for line, _ in encoded(predictor, samples)])[1:]
    error = network_error(package, samples)
    theta = np.minimum(samples[1:] - error, 65535 - samples[1:] + error)
    is_near = np.abs(error) <= theta
    np.testing.assert_array_equal(((mapped + 1) >> 1)[is_near], np.abs(error)[is_near])
    np.testing.assert_array_equal((mapped - theta)[~is_near], np.abs(error)[~is_near])


def test_both_sides_step_over_as_many_groups_as_fit_a_tile() -> None:
    samples, package = cube("walk", (2, 7, 3), 0), integer_package()
    executor = ReferenceExecutor(package.cell)
    predictor = FlightPredictor(package, executor, 0, 65535, tile_columns=7)
    mapped = encoded(predictor, samples)
    assert executor.tiles == [2, 1]
    executor.tiles.clear()
    state = None
    for line, _ in mapped:
        state = predictor.decode_line(line, state, np.empty_like(line))
    assert executor.tiles == [2, 1]


def test_a_sound_executor_passes_the_self_test() -> None:
    package = integer_package()
    executor = ReferenceExecutor(package.cell)
    for tile in (1, 2, 3, 5):
        assert first_difference(package, executor, tile) is None
    check_executor(package, executor)


class Wrong:
    """An executor that errs by one in one place."""

    provider = "wrong"
    sha256 = "00" * 32

    def __init__(self, inner: ArrayExecutor, tensor: str) -> None:
        self.inner = inner
        self.tensor = tensor
        self.calls = 0

    def run(self, inputs: Arrays) -> Arrays:
        """As in `ArrayExecutor`, but for one number of the second call."""
        outputs = self.inner.run(inputs)
        self.calls += 1
        if self.calls == 2:
            outputs[self.tensor][1, 2, 3] ^= 64
        return outputs


@pytest.mark.parametrize(
    ("tensor", "place"),
    [
        ("contexts", "contexts at line 1, group 1, column 2"),
        ("numerator_0_next", "numerator_0|contexts at line 2, group 1, column 2"),
    ],
)
def test_an_executor_that_errs_is_refused_with_the_place(tensor: str, place: str) -> None:
    package = integer_package()
    with pytest.raises(Corrupt, match=f"wrong failed the self-test .*{place}"):
        check_executor(package, Wrong(ReferenceExecutor(package.cell), tensor))
