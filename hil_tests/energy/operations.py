"""Operations and bytes that a sample costs, and joules by published energies of operations: an estimate of a bound.

Energies are those of M. Horowitz, "Computing's energy problem", ISSCC 2014, figure 1.1.9: 45 nm, 0.9 V. They are of the
operation alone; fetching and decoding an instruction takes about 70 pJ there, so a processor takes far more.
"""

from typing import Any

import numpy as np

from runtime.adaptive.parameters import StageParameters, stage_parameters
from runtime.adaptive.state import initial_state
from runtime.cell.flight_inputs import LINE_FEATURES
from runtime.cell.integer_cell import CellShape
from runtime.stream.kinds import AdaptiveStage

PICOJOULES = {
    "int8 MAC": 0.2 + 0.1,  # a product of 8 bits, a sum of 32
    "float32 MAC": 3.7 + 0.9,
    "byte of DRAM": 1300 / 8,  # the lower end of 1.3 to 2.6 nJ for 64 bits
}
LABEL = "estimated by energies of operations in 45 nm"


def network_bytes(shape: CellShape) -> float:
    """A sample, to and from memory: the memory of lines once in and once out, features in, contexts in and out."""
    memory = sum(state.features * np.dtype(state.dtype).itemsize for state in shape.states())
    return 2 * memory / shape.group + LINE_FEATURES + 2 * shape.spectral_features


def stage_macs(parameters: StageParameters) -> float:
    """Float32 or float64, a sample: predictions, products of regressors, moments of a block, solutions."""
    n, k = parameters.n_regressors, parameters.n_mixed
    packed = n * (n + 1) // 2 + n  # the lower triangle, and the products with the target
    solution = n**3 / 6 + n**2  # elimination and two substitutions
    return (
        k * n + packed / parameters.step + parameters.n_memories * packed / parameters.block
        + parameters.n_memories * solution / parameters.interval
    )  # fmt: skip


def stage_bytes(parameters: StageParameters, n_bands: int, n_columns: int) -> float:
    """A sample: all that the stage remembers between lines, once in and once out."""
    return 2 * sum(array.nbytes for array in initial_state(parameters, n_bands, n_columns)) / (n_bands * n_columns)


def estimate(shape: CellShape | None, stage: AdaptiveStage, n_bands: int, n_columns: int) -> dict[str, Any]:
    """Of a form, a row of the report. shape: of its network, None where it has none."""
    parameters = None if stage is AdaptiveStage.NONE else stage_parameters(stage, has_network=shape is not None)
    int8 = 0.0 if shape is None else shape.macs
    floats = 0.0 if parameters is None else stage_macs(parameters)
    n_bytes = (0.0 if shape is None else network_bytes(shape)) + (
        0.0 if parameters is None else stage_bytes(parameters, n_bands, n_columns)
    )
    return {
        "int8 MAC/sample": int8,
        "float MAC/sample": floats,
        "bytes/sample": n_bytes,
        "network J/Msample, int8": joules(int8 * PICOJOULES["int8 MAC"]),
        "network J/Msample, float32": joules(int8 * PICOJOULES["float32 MAC"]),
        "stage J/Msample": joules(floats * PICOJOULES["float32 MAC"]),
        "DRAM J/Msample": joules(n_bytes * PICOJOULES["byte of DRAM"]),
    }


def joules(picojoules: float) -> float:
    """J/Msample of pJ/sample."""
    return picojoules * 1e6 / 1e12
