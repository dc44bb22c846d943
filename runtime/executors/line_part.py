"""The line part of a cell step by step: the state at rest, and one tile, whatever runs it.

What runs it is an `ArrayExecutor`. In, for N groups of G bands: line_features (N, X, G LINE_FEATURES), levels (N,
1, G LEVELS) int8, their memory of lines (N, X, F) int8 or int16. Out: contexts (N, X, G S) int8, and each state after
the line under its name with `_next`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_package import NEXT, IntegerPackage
from runtime.cell.integer_cell import CellShape
from runtime.errors import ExecutorFailed, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor, Arrays


def initial_memory(package: IntegerPackage, n_bands: int, n_columns: int) -> Arrays:
    """The memory of lines before the second line of a segment, each (N, X, F), at rest in 8 or 16 bits."""
    shape = package.cell.shape
    size = shape.groups(n_bands), n_columns, shape.features
    return {state.name: np.full(size, state.initial, state.dtype) for state in shape.states()}


def step_groups(
    shape: CellShape, executor: ArrayExecutor, groups: slice, features: npt.NDArray[np.int8],
    levels: npt.NDArray[np.int8], memory: Arrays,
) -> npt.NDArray[np.int8]:  # fmt: skip
    """Contexts (N, X, G S) of the groups of bands `groups`; `memory` is updated in place.

    features: (N, X, G LINE_FEATURES), levels: (N, 1, G LEVELS), of these groups alone. memory: of all groups, each (Z /
    G, X, F); `groups` is read here and nowhere later in a line, so writing in place keeps the large arrays single.
    Raises ExecutorFailed; `memory` is of no use then.
    """
    states = {name: values[groups] for name, values in memory.items()}
    try:
        outputs = executor.run({"line_features": features, "levels": levels, **states})
    except LineRwkvError as error:
        raise ExecutorFailed(str(error)) from error
    for name, before in states.items():
        check_answer(executor, outputs, name + NEXT, before.shape, before.dtype)
    contexts = (*features.shape[:2], shape.group * shape.spectral_features)
    check_answer(executor, outputs, "contexts", contexts, np.dtype(np.int8))
    for name, values in memory.items():
        values[groups] = outputs[name + NEXT]
    return outputs["contexts"]


def check_answer(
    executor: ArrayExecutor, outputs: Arrays, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> None:
    """Raise ExecutorFailed where an output is missing or of another shape or type, which NumPy would convert."""
    values = outputs.get(name)
    if values is None or values.shape != shape or values.dtype != dtype:
        found = "is missing" if values is None else f"is {values.dtype} of shape {values.shape}"
        raise ExecutorFailed(f"{executor.provider}: output {name} {found}, allowed {dtype} of shape {shape}")
