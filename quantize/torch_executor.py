"""PyTorch as an executor, rebuilt from the integers of a package: `pytorch`, `pytorch-compiled` and `cuda`."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from quantize.torch_cell import TorchCell
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.flight_package import NEXT, open_integer_package
from runtime.cell.integer_cell import IntegerCell
from runtime.errors import BadArgument, ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor, Arrays

PRECISION = "highest"
"""Of float32 products: neither TF32 nor bfloat16. It is a setting of the whole process, so it is asked, not set."""
LONGEST_ERROR = 300


class TorchExecutor(ArrayExecutor):
    """An `ArrayExecutor` of the line part of a cell on one device of PyTorch; keeps nothing between calls."""

    def __init__(self, cell: IntegerCell, sha256: str, device: str = "cpu", *, is_compiled: bool = False) -> None:
        """sha256: of the package. device: `cpu` or `cuda`. is_compiled: by torch.compile, at the first step.

        Raises BadArgument.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise BadArgument(f"PyTorch {torch.__version__} finds no CUDA device here")
        self.device = torch.device(device)
        self.sha256 = sha256
        name = torch.cuda.get_device_name() if device == "cuda" else device
        self.provider = f"PyTorch {torch.__version__} {name}{' compiled' if is_compiled else ''}"
        group, states = cell.shape.group, cell.shape.states()
        self.sizes = {"line_features": group * LINE_FEATURES, "levels": group * LEVELS} | {
            state.name: state.features for state in states
        }
        """Depth of each input; all have the groups and columns of line_features, but levels, which have one column."""
        self.dtypes = {name: np.dtype(np.int8) for name in self.sizes} | {
            state.name: np.dtype(state.dtype) for state in states
        }
        torch_cell = TorchCell(cell).to(self.device).eval()
        self.cell: Any = torch.compile(torch_cell, fullgraph=True, dynamic=True) if is_compiled else torch_cell

    @override
    def run(self, inputs: Arrays) -> Arrays:
        """Raises BadArgument where the inputs do not fit, ExecutorFailed where torch fails."""
        self.check(inputs)
        precision = torch.get_float32_matmul_precision()
        if precision != PRECISION:
            raise BadArgument(f"PyTorch's float32 products are set to {precision!r}, allowed {PRECISION!r}")
        try:
            with torch.no_grad():
                feed = {name: torch.from_numpy(values).to(self.device).float() for name, values in inputs.items()}
                found = {name: values.cpu().numpy() for name, values in self.cell(feed).items()}
        except Exception as error:  # torch.compile raises types of many modules; RuntimeError is not the base of all
            raise ExecutorFailed(f"{self.provider}: {' '.join(str(error).split())[:LONGEST_ERROR]}") from error
        dtypes = {"contexts": np.dtype(np.int8)} | {name + NEXT: dtype for name, dtype in self.dtypes.items()}
        return {name: values.astype(dtypes[name]) for name, values in found.items()}

    def check(self, inputs: Arrays) -> None:
        """Raise BadArgument where names, types or shapes are not those of the cell."""
        if set(inputs) != set(self.sizes):
            raise BadArgument(f"inputs {sorted(inputs)}, the cell has {sorted(self.sizes)}")
        n_groups, n_columns = inputs["line_features"].shape[:2]
        for name, depth in self.sizes.items():
            expected = (n_groups, 1 if name == "levels" else n_columns, depth)
            values = inputs[name]
            if values.shape != expected or values.dtype != self.dtypes[name]:
                found = f"{values.dtype} of shape {values.shape}"
                raise BadArgument(f"input {name} is {found}, the cell has {self.dtypes[name]} of shape {expected}")


def executor_of(source: Path, device: str = "cpu", *, is_compiled: bool = False) -> TorchExecutor:
    """The executor of a package. Raises LineRwkvError."""
    package = open_integer_package(source)
    return TorchExecutor(package.cell, package.sha256.hex(), device, is_compiled=is_compiled)


def load_eager(source: Path) -> TorchExecutor:
    """Operation after operation on the CPU."""
    return executor_of(source)


def load_compiled(source: Path) -> TorchExecutor:
    """Compiled for the CPU by torch.compile."""
    return executor_of(source, is_compiled=True)


def load_cuda(source: Path) -> TorchExecutor:
    """On the first CUDA device. Raises BadArgument where there is none."""
    return executor_of(source, "cuda")
