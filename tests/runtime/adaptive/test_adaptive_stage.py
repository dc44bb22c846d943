"""Properties of the adaptive stage: encoder and decoder agree, kernels equal the reference, no number overflows."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.adaptive.band import Band, code_band
from runtime.adaptive.parameters import OPTIONS, StageParameters, stage_parameters
from runtime.adaptive.products import WIDEST
from runtime.adaptive.stage import begin_line, end_line
from runtime.adaptive.state import StageState, initial_state
from runtime.errors import BadArgument, Corrupt
from runtime.kernels.in_loop import index_depth
from runtime.prediction.adaptive_predictor import AdaptivePredictor
from runtime.stream.kinds import AdaptiveStage
from tests.reference import adaptive_stage as reference
from tests.reference.adaptive_stage import packed_places

Cube = npt.NDArray[np.int32]
STAGES = [AdaptiveStage.FAST, AdaptiveStage.BEST]


def check_round_trip(cube: Cube, stage: AdaptiveStage, limits: tuple[int, int], max_error: int) -> None:
    """|decode(encode(x)) - x| <= max_error, with equal states after each line."""
    predictor = AdaptivePredictor(stage, *limits, max_error)
    largest_index = (1 << index_depth(*limits, max_error)) - 1
    coded: StageState | None = None
    decoded: StageState | None = None
    mapped, restored = np.empty_like(cube[0]), np.empty_like(cube[0])
    for y, line in enumerate(cube):
        coded = predictor.encode_line(line, coded, mapped)
        assert mapped.min() >= 0 and mapped.max() <= largest_index
        decoded = predictor.decode_line(mapped, decoded, restored)
        assert np.abs(restored - line).max() <= max_error, f"line {y}"
        assert limits[0] <= restored.min() and restored.max() <= limits[1], f"line {y}"
        for name, ours, theirs in zip(StageState._fields, coded, decoded, strict=True):
            np.testing.assert_array_equal(ours, theirs, f"line {y}, {name}")
            assert np.isfinite(np.asarray(ours)).all(), f"line {y}, {name}"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_encoded_is_decoded(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 22), st.integers(1, 6), st.sampled_from([1, 2, 3, 7, 8, 100, 210])))
    limits = data.draw(st.sampled_from([(0, 255), (0, 65535), (-32768, 32767), (-100, 155)]))
    kinds = st.sampled_from(["noise", "smooth", "extremes", "constant"])
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    kind = data.draw(kinds)
    cube = generator.integers(limits[0], limits[1] + 1, shape)
    if kind == "smooth":
        cube = np.clip(sum(np.cumsum(generator.integers(-9, 10, shape), axis=i) for i in range(3)) + 90, *limits)
    elif kind == "extremes":
        cube = np.where(cube * 2 > limits[0] + limits[1], limits[1], limits[0])
    elif kind == "constant":
        cube = np.full(shape, cube.flat[0])
    largest_error = (limits[1] - limits[0]) // 2
    max_error = data.draw(st.sampled_from([0, 0, 1, 2, 10, 127, largest_error]))
    check_round_trip(cube.astype(np.int32), data.draw(st.sampled_from(STAGES)), limits, max_error)


def textured(n_lines: int, n_bands: int, n_columns: int, seed: int = 0) -> Cube:
    """A scene with spectra, a spatial texture, stripes that move, and noise."""
    generator = np.random.default_rng(seed)
    texture = np.cumsum(np.cumsum(generator.normal(0, 2, (n_lines, n_columns)), axis=0), axis=1)
    texture = 200 * np.tanh(texture / 100)
    spectrum = 1 + 0.5 * np.sin(np.arange(n_bands) / 3)
    stripes = generator.normal(0, 20, (n_bands, n_columns + n_lines))
    y, x = np.indices((n_lines, n_columns))
    askew = stripes[:, x + y // 4].transpose(1, 0, 2)
    noise = generator.normal(0, 3, (n_lines, n_bands, n_columns))
    cube: Cube = (2000 + texture[:, None] * spectrum[:, None] + askew + noise).astype(np.int32)
    return cube


@pytest.mark.parametrize(("max_error", "share"), [(0, 0.0), (7, 0.0), (0, 0.3), (7, 0.3)])
@pytest.mark.parametrize("has_network", [False, True])
@pytest.mark.parametrize("stage", STAGES)
def test_kernels_equal_the_reference_bit_for_bit(
    stage: AdaptiveStage, has_network: bool, max_error: int, share: float
) -> None:
    """share: of samples that both sides know already."""
    parameters = stage_parameters(stage, has_network=has_network)._replace(block=5, interval=12)
    cube, limits = textured(7, 4, 13), (0, 4095)
    cube[4, 2] = 0
    generator = np.random.default_rng(3)
    states = [initial_state(parameters, 4, 13) for _ in range(2)]
    outs = [np.empty(13, np.int32) for _ in range(2)]
    for y, line in enumerate(cube):
        for state in states:
            begin_line(state)
        for z, samples in enumerate(line):
            network = 2 * samples + 5 if has_network else None
            doubled = samples if network is None else network
            marks = np.array(generator.random(13) < share, np.uint8)
            run_band(parameters, states[0], Band(z, doubled, max_error, *limits, False, samples, outs[0], marks))
            reference.encode_band(parameters, states[1], samples, z, network, max_error, limits, outs[1], marks)
            np.testing.assert_array_equal(outs[0], outs[1], f"line {y}, band {z}")
        for state in states:
            end_line(state)
        for name, ours, theirs in zip(StageState._fields, *states, strict=True):
            ours, theirs = (meaning(parameters, name, values) for values in (ours, theirs))
            np.testing.assert_array_equal(ours, theirs, f"line {y}, {name}")


def run_band(parameters: StageParameters, state: StageState, band: Band) -> None:
    assert code_band(parameters, parameters.lanes, parameters.mixed, state, band)


def meaning(parameters: StageParameters, name: str, values: Any) -> Any:
    """What of an array of the state is read: neither work space, nor below the diagonal, nor beyond the last column."""
    if name in ("moments", "prior"):
        n = parameters.n_regressors
        places = packed_places(n, len(parameters.lanes))
        return values[..., [at for i in range(n) for at in places[i][i:]]]
    ends = {"rows": slice(0, 0), "column_moments": slice(1, 14), "column_weights": slice(0, 13)}
    return values[:, ends[name]] if name in ends else values


def mean_size(cube: Cube, stage: AdaptiveStage, network: Cube | None, limits: tuple[int, int] = (0, 4095)) -> float:
    """log2 of the mean mapped residual plus 1; with a network each band is decoded too."""
    parameters = stage_parameters(stage, has_network=network is not None)
    ours, theirs = (initial_state(parameters, *cube.shape[1:]) for _ in range(2))
    mapped, back = np.empty(cube.shape[2], np.int32), np.empty(cube.shape[2], np.int32)
    total = 0
    for y, line in enumerate(cube):
        begin_line(ours)
        begin_line(theirs)
        for z, samples in enumerate(line):
            doubled = samples if network is None else network[y, z]
            run_band(parameters, ours, Band(z, doubled, 0, *limits, False, samples, mapped, np.zeros(0, np.uint8)))
            run_band(parameters, theirs, Band(z, doubled, 0, *limits, True, mapped, back, np.zeros(0, np.uint8)))
            np.testing.assert_array_equal(back, samples)
            total += int(mapped.sum())
        end_line(ours)
        end_line(theirs)
    return float(np.log2(total / cube.size + 1))


@pytest.mark.parametrize("stage", STAGES)
def test_a_good_network_helps_and_a_bad_one_hardly_hurts(stage: AdaptiveStage) -> None:
    cube = textured(48, 6, 80)
    generator = np.random.default_rng(5)
    good = 2 * cube + generator.integers(-2, 3, cube.shape, np.int32)
    garbage = generator.integers(0, 8191, cube.shape, np.int32)
    alone = mean_size(cube, stage, None)
    assert mean_size(cube, stage, good) < alone - 0.5
    assert mean_size(cube, stage, garbage) < alone + 0.12


def test_stripes_that_move_are_followed() -> None:
    cube = textured(60, 12, 64)
    predictor, state, out = AdaptivePredictor(AdaptiveStage.FAST, 0, 4095), None, np.empty_like(cube[0])
    for line in cube:
        state = predictor.encode_line(line, state, out)
    assert state is not None
    assert abs(int(state.place[2]) - 64) <= 4, "a quarter of a column a line, in 1/256"


@pytest.mark.parametrize("stage", STAGES)
def test_millions_of_hard_samples_leave_everything_finite(stage: AdaptiveStage) -> None:
    generator = np.random.default_rng(9)
    shape, limits = (8, 400), (0, 65535)
    predictor, state, out = AdaptivePredictor(stage, *limits), None, np.empty(shape, np.int32)
    back, decoded = None, np.empty(shape, np.int32)
    noise = generator.integers(0, 65536, (16, *shape), np.int32)
    column = np.indices(shape)[1]
    lines = [
        *[np.full(shape, 777, np.int32)] * 300,
        *noise,
        *[np.full(shape, 65535, np.int32)] * 300,
        *[(column % 2 * 65535).astype(np.int32)] * 30,
        *[np.where(column < 200, 0, 65535).astype(np.int32), noise[0] & 3] * 20,
        *[np.zeros(shape, np.int32)] * 300,
    ]
    for line in lines:
        state = predictor.encode_line(line, state, out)
        back = predictor.decode_line(out, back, decoded)
        np.testing.assert_array_equal(decoded, line)
    assert state is not None
    for values in state:
        if values.dtype == np.float64:
            assert np.isfinite(values).all()
            small = np.abs(values[values != 0])
            assert small.size == 0 or small.min() > 1e-30, "no number fades towards the subnormal ones"
    assert out.mean() < 0.1, "zeros again: the stage is back to prediction without error"


@pytest.mark.parametrize("stage", STAGES)
def test_hostile_residuals_are_corrupt_and_never_a_crash(stage: AdaptiveStage) -> None:
    predictor, out = AdaptivePredictor(stage, 0, 1000), np.empty((3, 40), np.int32)
    generator = np.random.default_rng(2)
    n_corrupt = 0
    for _ in range(60):
        state = None
        try:
            for _ in range(5):
                state = predictor.decode_line(generator.integers(0, 1003, (3, 40), np.int32), state, out)
                assert out.min() >= 0 and out.max() <= 1000
        except Corrupt:
            n_corrupt += 1
    assert n_corrupt > 10
    for value in (-(2**31), 5000, 2**31 - 1):
        with pytest.raises(Corrupt, match="leads outside the sample range"):
            predictor.decode_line(np.full((3, 40), value, np.int32), None, out)


def test_options_have_rows_of_whole_vectors_with_and_without_a_network() -> None:
    for stage in OPTIONS:
        plain, both = (stage_parameters(stage, has_network=has) for has in (False, True))
        assert plain.lanes == both.lanes, "one compilation serves both"
        assert both.n_regressors < len(both.lanes) <= WIDEST
    with pytest.raises(BadArgument, match="allowed fast or best"):
        stage_parameters(AdaptiveStage.NONE, has_network=False)
