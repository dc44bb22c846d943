"""The flight predictor with the reference itself as executor: the codec's laws hold for any integer cell."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.cell.conformance import Conformance
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES
from runtime.cell.flight_package import NEXT, IntegerPackage
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.errors import Corrupt
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.self_test import check_executor, first_difference
from runtime.prediction.flight_predictor import FlightPredictor, FlightState
from runtime.stream.kinds import AdaptiveStage
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell
from tests.runtime.cell.test_flight_inputs import KINDS, cube

SHAPE = CellShape(features=6, line_convolutions=2, line_blocks=1, band_convolutions=2)


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
        taps, after = int8_cell.tile_step(self.cell, inputs["line_features"], inputs["band_features"], state)
        out: Arrays = {"taps": taps.astype(np.int16)}
        for spec in self.cell.shape.states():
            narrowed = after[spec.name].astype(spec.dtype)
            np.testing.assert_array_equal(narrowed, after[spec.name])  # what rests in 8 or 16 bits fits there
            out[spec.name + NEXT] = narrowed
        return out


def conformance(cell: IntegerCell, n_lines: int = 3, n_bands: int = 5, n_columns: int = 4) -> Conformance:
    """Lines of random features and what the reference makes of them."""
    generator = np.random.default_rng(1)
    size = (n_lines, n_bands, n_columns)
    lines = generator.integers(-127, 128, (*size, LINE_FEATURES)).astype(np.int8)
    bands = generator.integers(-127, 128, (*size, BAND_FEATURES)).astype(np.int8)
    state = int8_cell.initial_state(cell, n_bands, n_columns)
    taps = []
    for line, band in zip(lines, bands, strict=True):
        now, state = int8_cell.step(cell, line, band, state)
        taps.append(now)
    dtypes = {spec.name: spec.dtype for spec in cell.shape.states()}
    states = {name: values.astype(dtypes[name]) for name, values in state.items()}
    return Conformance(lines, bands, np.array(taps, np.int16), states)


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
    tile=st.integers(1, 8),
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
    encoder = FlightPredictor(
        package, ReferenceExecutor(package.cell), *limits, stage=stage, max_error=max_error, tile=tile
    )
    decoder = FlightPredictor(package, ReferenceExecutor(package.cell), *limits, stage=stage, max_error=max_error)
    state: FlightState | None = None
    for line, (mapped, memory) in zip(samples, encoded(encoder, samples), strict=True):
        found = np.full_like(line, -1)
        state = decoder.decode_line(mapped, state, found)
        assert np.abs(found - line).max() <= max_error
        for name, values in memory.items():
            np.testing.assert_array_equal(state.memory[name], values, name)


def test_the_encoder_takes_tiles_and_the_decoder_bands() -> None:
    samples = cube("walk", (2, 7, 3), 0)
    package = integer_package()
    executor = ReferenceExecutor(package.cell)
    mapped = encoded(FlightPredictor(package, executor, 0, 65535, tile=4), samples)
    assert executor.tiles == [4, 3]
    executor.tiles.clear()
    decoder = FlightPredictor(package, executor, 0, 65535)
    state = None
    for line, _ in mapped:
        state = decoder.decode_line(line, state, np.empty_like(line))
    assert executor.tiles == [1] * 7


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
            outputs[self.tensor][1, 2, 3] += 1
        return outputs


@pytest.mark.parametrize(
    ("tensor", "place"),
    [
        ("taps", "taps at line 1, band 1, column 2"),
        ("numerator_0_next", "numerator_0|taps at line 2, band 1, column 2"),
    ],
)
def test_an_executor_that_errs_is_refused_with_the_place(tensor: str, place: str) -> None:
    package = integer_package()
    with pytest.raises(Corrupt, match=f"wrong failed the self-test .*{place}"):
        check_executor(package, Wrong(ReferenceExecutor(package.cell), tensor))


def test_an_executor_that_errs_in_band_steps_only_is_refused() -> None:
    package = integer_package()

    class BandStepWrong(ReferenceExecutor):
        def run(self, inputs: Arrays) -> Arrays:
            outputs = super().run(inputs)
            if len(inputs["line_features"]) == 1:
                outputs["taps"][0, 0, 0] += 1
            return outputs

    with pytest.raises(Corrupt, match=r"band step.*taps at line 0, band 0, column 0"):
        check_executor(package, BandStepWrong(package.cell))
