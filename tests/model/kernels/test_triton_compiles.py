"""Triton's compiler takes the kernels, for a GPU that need not be there: its interpreter accepts more than it does."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("triton", reason="triton is not installed")

SCRIPT = """
import sys, importlib, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
name, kind, *kernels = sys.argv[1:]
for kernel in (getattr(importlib.import_module(name), kernel) for kernel in kernels):
    is_wide = ("rate_pointer", "denominator_pointer", "grad_rate_pointer")
    pointers = {a: "*fp32" if a in is_wide else "*" + kind for a in kernel.arg_names if a.endswith("_pointer")}
    types = {a: pointers.get(a, "i32") for a in kernel.arg_names}
    source = ASTSource(fn=kernel, signature={**types, "block": "constexpr"}, constexprs={"block": 128})
    assert "ptx" in triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm
"""


@pytest.mark.parametrize(
    ("module", "kind", "kernels"),
    [
        ("model.kernels.wkv_triton", "fp32", ["forward_kernel", "sums_kernel", "backward_kernel"]),
        ("model.kernels.flight_wkv_triton", "fp32", ["forward_kernel", "backward_kernel"]),
        ("model.kernels.flight_wkv_triton", "bf16", ["forward_kernel", "backward_kernel"]),
    ],
)
def test_kernels_compile_for_cuda(module: str, kind: str, kernels: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, module, kind, *kernels], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
