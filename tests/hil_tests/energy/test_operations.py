"""Operations of a sample are those that are counted by hand, and joules are their energies."""

import pytest

from hil_tests.energy.operations import estimate, network_bytes, stage_bytes, stage_macs
from runtime.adaptive.parameters import stage_parameters
from runtime.adaptive.state import initial_state
from runtime.cell.flight_inputs import LINE_FEATURES
from runtime.cell.integer_cell import CellShape
from runtime.stream.kinds import AdaptiveStage

SHAPE = CellShape(8, 64, 2, 1, 24, 1)
FAST = stage_parameters(AdaptiveStage.FAST, has_network=False)


def test_of_a_stage() -> None:
    n = 3 + 5 + 7 + 3 + 3  # west and west of it and slow mean; own; bands before, their means, their wests
    assert FAST.n_regressors == n
    packed = n * (n + 1) / 2 + n
    expected = n + packed / 2 + packed / 96 + (n**3 / 6 + n**2) / 512
    assert stage_macs(FAST) == pytest.approx(expected)
    state = initial_state(FAST, 4, 10)
    assert stage_bytes(FAST, 4, 10) == 2 * sum(one.nbytes for one in state) / 40
    best = stage_parameters(AdaptiveStage.BEST, has_network=True)
    assert stage_macs(best) > 4 * stage_macs(FAST)


def test_of_a_network() -> None:
    memory = 64 * (1 + 2 + 2 + 1)  # before, numerator, denominator, mix before
    assert network_bytes(SHAPE) == 2 * memory / 8 + LINE_FEATURES + 2 * 24


def test_joules_are_energies_times_operations() -> None:
    found = estimate(SHAPE, AdaptiveStage.NONE, 4, 10)
    assert found["network J/Msample, int8"] == pytest.approx(SHAPE.macs * 0.3e-6)
    assert found["network J/Msample, float32"] == pytest.approx(SHAPE.macs * 4.6e-6)
    assert found["DRAM J/Msample"] == pytest.approx(network_bytes(SHAPE) * 162.5e-6)
    assert (found["stage J/Msample"], found["float MAC/sample"]) == (0.0, 0.0)
    alone = estimate(None, AdaptiveStage.FAST, 4, 10)
    assert alone["int8 MAC/sample"] == 0
    assert alone["stage J/Msample"] == pytest.approx(stage_macs(FAST) * 4.6e-6)
