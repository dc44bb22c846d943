"""PyTorch as an executor, rebuilt from the integers of a package: `pytorch`, `pytorch-compiled` and `cuda`."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from quantize.torch_cell import TorchCell
from runtime.cell.flight_inputs import BAND_FEATURES, LINE_FEATURES
from runtime.cell.flight_package import NEXT, IntegerPackage, open_integer_package
from runtime.errors import BadArgument, ExecutorFailed
from runtime.executors.array_executor import ArrayExecutor, Arrays

PRECISION = "highest"
"""Of float32 products: neither TF32 nor bfloat16. It is a setting of the whole process, so it is asked, not set."""
LONGEST_ERROR = 300


class TorchExecutor(ArrayExecutor):
    """An `ArrayExecutor` of the cell of a package on one device of PyTorch; keeps nothing between calls."""

    def __init__(self, package: IntegerPackage, device: str = "cpu", *, is_compiled: bool = False) -> None:
        """device: `cpu` or `cuda`. is_compiled: by torch.compile, at the first step. Raises BadArgument."""
        if device == "cuda" and not torch.cuda.is_available():
            raise BadArgument(f"PyTorch {torch.__version__} finds no CUDA device here")
        self.device = torch.device(device)
        self.sha256 = package.sha256.hex()
        name = torch.cuda.get_device_name() if device == "cuda" else device
        self.provider = f"PyTorch {torch.__version__} {name}{' compiled' if is_compiled else ''}"
        shape = package.cell.shape
        sizes: dict[str, tuple[int | None, int]] = {state.name: (None, shape.features) for state in shape.states()}
        sizes |= {state.name: (2, shape.features) for state in shape.states() if not state.is_per_band}
        self.sizes = {"line_features": (None, LINE_FEATURES), "band_features": (None, BAND_FEATURES), **sizes}
        """Bands (None: of the tile) and depth of each input."""
        self.dtypes = {name: np.dtype(np.int8) for name in self.sizes} | {
            state.name: np.dtype(state.dtype) for state in shape.states()
        }
        cell = TorchCell(package.cell).to(self.device).eval()
        self.cell: Any = torch.compile(cell, fullgraph=True, dynamic=True) if is_compiled else cell

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
        dtypes = {"taps": np.dtype(np.int16)} | {name + NEXT: dtype for name, dtype in self.dtypes.items()}
        return {name: values.astype(dtypes[name]) for name, values in found.items()}

    def check(self, inputs: Arrays) -> None:
        """Raise BadArgument where names, types or shapes are not those of the cell."""
        if set(inputs) != set(self.sizes):
            raise BadArgument(f"inputs {sorted(inputs)}, the cell has {sorted(self.sizes)}")
        n_bands, n_columns = inputs["line_features"].shape[:2]
        for name, (bands, depth) in self.sizes.items():
            expected = (n_bands if bands is None else bands, n_columns, depth)
            values = inputs[name]
            if values.shape != expected or values.dtype != self.dtypes[name]:
                found = f"{values.dtype} of shape {values.shape}"
                raise BadArgument(f"input {name} is {found}, the cell has {self.dtypes[name]} of shape {expected}")


def load_eager(source: Path) -> TorchExecutor:
    """Operation after operation on the CPU."""
    return TorchExecutor(open_integer_package(source))


def load_compiled(source: Path) -> TorchExecutor:
    """Compiled for the CPU by torch.compile."""
    return TorchExecutor(open_integer_package(source), is_compiled=True)


def load_cuda(source: Path) -> TorchExecutor:
    """On the first CUDA device. Raises BadArgument where there is none."""
    return TorchExecutor(open_integer_package(source), "cuda")
