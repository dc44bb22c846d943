"""Operators of TOSA 1.0 one by one, after the pseudocode of its specification, in integers of 64 bits."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from export.tosa_graph import TosaOperator, TosaPlan

Integers = npt.NDArray[np.int64]


def evaluate_plan(plan: TosaPlan, inputs: dict[str, npt.NDArray[np.int8]]) -> dict[str, npt.NDArray[np.int8]]:
    """Outputs by their names, (1, N, X, C) int8; inputs by theirs."""
    values = {name: array.astype(np.int64) for name, array in {**plan.constants, **inputs}.items()}
    for operator in plan.operators:
        found = EVALUATED[operator.kind](operator, *(values[name] for name in operator.inputs))
        assert found.shape == operator.shape, operator
        bounds = np.iinfo(operator.dtype)
        assert bounds.min <= found.min() and found.max() <= bounds.max, operator
        values[operator.output] = found
    return {plan.renamed[name]: values[name].astype(np.int8) for name in plan.outputs}


def conv2d(operator: TosaOperator, values: Integers, weight: Integers, bias: Integers) -> Integers:
    """Values (1, H, W, C), weight (O, rows, columns, C); pad: top, bottom, left, right."""
    top, bottom, left, right = operator.numbers["pad"]
    padded = np.pad(values[0], ((top, bottom), (left, right), (0, 0)))
    n_out, n_rows, n_columns, _ = weight.shape
    height, width = padded.shape[0] - n_rows + 1, padded.shape[1] - n_columns + 1
    sums = np.broadcast_to(bias, (height, width, n_out)).copy()
    for y in range(n_rows):
        for x in range(n_columns):
            sums += padded[y : y + height, x : x + width] @ weight[:, y, x].T
    return sums[None]


def rescale(_: TosaOperator, values: Integers, multiplier: Integers, shift: Integers) -> Integers:
    """apply_scale_32 with SINGLE_ROUND for each channel, what it requires included; saturated to int8."""
    assert (multiplier >= 0).all() and (shift >= 2).all() and (shift <= 62).all()
    bound = np.int64(1) << (shift - 1)
    assert (values >= -bound).all() and (values < bound).all()
    result: Integers = np.clip((values * multiplier + bound) >> shift, -128, 127)
    return result


def clamp(operator: TosaOperator, values: Integers) -> Integers:
    """Bounds included."""
    return np.clip(values, operator.numbers["low"], operator.numbers["high"])


EVALUATED: dict[str, Callable[..., Integers]] = {
    "CONV2D": conv2d,
    "RESCALE": rescale,
    "CLAMP": clamp,
}
