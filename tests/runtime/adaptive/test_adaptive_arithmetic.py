"""The machine code of the adaptive stage rounds every operation: nothing is fused, on x86-64 and on aarch64."""

import re
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest
from numba import njit

from runtime.adaptive import band as adaptive_band
from runtime.adaptive import column_correction, least_squares, mixed_prediction, products, slow_means
from runtime.adaptive.parameters import stage_parameters
from runtime.adaptive.state import initial_state
from runtime.stream.kinds import AdaptiveStage

FUSED = re.compile(r"\b(vfn?m(add|sub)\w*|fn?m(add|sub)|fml[as])\b")
COUNTING = re.compile(r"(tail )?call i8 @llvm\.x86\.atomic\.sub\.cc.*")
RELAXED = re.compile(r"\bf(add|sub|mul|div) (fast|reassoc|contract|afn|arcp|nnan|ninf|nsz)\b|llvm\.fma|llvm\.fmuladd")

BEST = stage_parameters(AdaptiveStage.BEST, has_network=False)
N, WIDTH = BEST.n_regressors, len(BEST.lanes)


def arguments() -> dict[Any, tuple[Any, ...]]:
    """Kernels that compute with floats, and what they are called with."""
    state = initial_state(BEST, 3, 9)
    moments, prior, rows = state.moments[0, 0], state.prior[0], state.rows
    system, inverse, right = np.zeros_like(moments), np.zeros(N), np.zeros(N)
    partial, singles = np.zeros((3, rows.shape[1]), np.float32), np.zeros(N, np.float32)
    sizes, values, out = np.zeros(9, np.int32), np.zeros(9, np.int32), np.zeros(9, np.int32)
    tile, weighted = np.zeros(8 * WIDTH, np.float32), np.zeros(4 * WIDTH, np.float32)
    shares, added = np.zeros(13, np.float32), np.zeros(moments.size, np.float32)
    band = adaptive_band.Band(0, values, 2, 0, 255, True, values, out, np.zeros(9, np.uint8))
    work = adaptive_band.BlockWork(partial, np.ones(3), np.zeros(3), sizes)
    return {
        products.add_products: (
            rows, 0, 9, 1, N, BEST.lanes, products.ProductWork(shares, tile, weighted, added),
        ),
        products.fade_and_add: (added, 0.5, system),
        least_squares.eliminate: (moments, prior, 0.5, N, BEST.lanes, system, inverse),
        least_squares.back_substitute: (system, inverse, N, N, BEST.lanes, right, state.weights[0, 0]),
        mixed_prediction.predict_rows: (rows, state.weights[0], 0, 9, singles, partial),
        adaptive_band.fill_shares: (sizes, sizes, np.zeros(9, np.uint8), 0, 9, 2, 1, shares),
        adaptive_band.code_block: (BEST, BEST.mixed, state, band, 0, 9, work),
        column_correction.fill_column_weights: (9, state.column_moments, state.column_weights),
        column_correction.update_column_moments: (state.around, state.column_errors[0, 0], state.column_moments),
        column_correction.begin_band: (
            1, state.column_moments, state.column_errors, state.trend, state.around, state.column_weights,
            state.known_part,
        ),
        slow_means.add_line: (state.line, 3, 2, state.means),
    }  # fmt: skip


@pytest.fixture(scope="module")
def machine() -> Any:
    """LLVM for a 64-bit ARM; None where this build has it not."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple("aarch64-unknown-linux-gnu")
    except RuntimeError:
        return None
    return target.create_target_machine(cpu="cortex-a72", opt=3)


@pytest.mark.parametrize("kernel", list(arguments()), ids=lambda kernel: str(kernel.__name__))
def test_no_operation_is_fused_or_relaxed(kernel: Any, machine: Any) -> None:
    if not hasattr(kernel, "py_func"):
        pytest.skip("kernels run without JIT")
    fresh = njit(kernel.py_func)  # numba shows no code of a kernel that it took from its cache
    fresh(*arguments()[kernel])
    (text,), (assembly,) = fresh.inspect_llvm().values(), fresh.inspect_asm().values()
    assert re.search(r"= f(mul|div) (<|float|double)", text) and not RELAXED.search(text)
    assert not FUSED.search(assembly)
    if machine is not None:
        lines = [line for line in text.splitlines() if not line.startswith(("target triple", "target datalayout"))]
        other = re.sub(r'"target-(cpu|features)"="[^"]*"', "", "\n".join(lines))
        module = llvm.parse_assembly(COUNTING.sub("add i8 0, 1", other))  # reference counts, in x86 instructions
        module.triple = "aarch64-unknown-linux-gnu"
        code = machine.emit_assembly(module)
        assert re.search(r"\bf(mul|div)\b", code) and not FUSED.search(code)
