"""Counts of symbols in each context, and the shares that they are coded with.

Shares are computed from the counts at intervals, shorter ones in a context that is rare; so coding a symbol is a
look-up. A context begins with the counts of a geometric distribution of its own mean.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.coders.range_coder import SHARE_BITS
from runtime.coders.residual_contexts import N_CONTEXTS
from runtime.kernels.kernel_cache import njit

N_SYMBOLS = 40  # The last one is the escape
ESCAPE_CONTEXT = N_CONTEXTS
INCREMENT = 32
FIRST_TOTAL = 32 * INCREMENT
LARGEST_TOTAL = 1 << 18
FIRST_INTERVAL, LONGEST_INTERVAL = 8, 256
FINEST = 52
"""Up to this context, an expectation of 5.7, symbols are residuals; beyond it they leave out a bit an octave."""


class Counts(NamedTuple):
    """Arrays that are changed in place; C contexts and one for the sizes of escaped residuals."""

    counts: npt.NDArray[np.int64]  # (C + 1, N_SYMBOLS)
    totals: npt.NDArray[np.int64]  # (C + 1,)
    firsts: npt.NDArray[np.int64]  # (C + 1, N_SYMBOLS + 1), where the share of each symbol begins in 0..2**SHARE_BITS
    waiting: npt.NDArray[np.int64]
    """(C + 1, 2): symbols until shares are computed again, and how many it was before that one."""


@njit(cache=True, inline="always")
def shift_of(context: Any) -> Any:
    """Low bits of a residual that are coded as they are."""
    return max(np.int64(0), (context - FINEST) >> 3)


@njit(cache=True)
def make_shares(context: Any, counts: Any, totals: Any, out_firsts: Any) -> None:
    """Fill where the shares of a context begin; each symbol has one part at least."""
    total, before = totals[context], np.int64(0)
    room = (1 << SHARE_BITS) - N_SYMBOLS
    for symbol in range(N_SYMBOLS):
        out_firsts[context, symbol] = before * room // total + symbol
        before += counts[context, symbol]
    out_firsts[context, N_SYMBOLS] = 1 << SHARE_BITS


@njit(cache=True)
def fill_first_counts(out_counts: Any, out_totals: Any, out_firsts: Any, out_waiting: Any) -> None:
    """Fill everything for the first line of a segment."""
    for context in range(N_CONTEXTS + 1):
        exponent = context >> 3
        mean = ((8 + (context & 7)) << exponent) >> 3  # of residuals, in 1/16
        mean >>= shift_of(context)
        if context == ESCAPE_CONTEXT:
            mean = 32
        left = np.int64(1) << 20
        total = np.int64(0)
        for symbol in range(N_SYMBOLS):
            rest = left * mean // (mean + 16)
            here = left if symbol == N_SYMBOLS - 1 else left - rest
            out_counts[context, symbol] = (here * FIRST_TOTAL >> 20) + 1
            total += out_counts[context, symbol]
            left = rest
        out_totals[context] = total
        make_shares(context, out_counts, out_totals, out_firsts)
        out_waiting[context, :] = FIRST_INTERVAL


def initial_counts() -> Counts:
    """Before the first line of a segment."""
    n = N_CONTEXTS + 1
    state = Counts(*(np.zeros(shape, np.int64) for shape in ((n, N_SYMBOLS), n, (n, N_SYMBOLS + 1), (n, 2))))
    fill_first_counts(*state)
    return state


@njit(cache=True)
def count(context: Any, symbol: Any, state: Any) -> None:
    """Count a symbol; compute the shares again where it is time."""
    counts, totals, firsts, waiting = state.counts, state.totals, state.firsts, state.waiting
    counts[context, symbol] += INCREMENT
    totals[context] += INCREMENT
    waiting[context, 0] -= 1
    if waiting[context, 0] > 0:
        return
    if totals[context] > LARGEST_TOTAL:
        total = np.int64(0)
        for i in range(N_SYMBOLS):
            counts[context, i] = (counts[context, i] + 1) >> 1
            total += counts[context, i]
        totals[context] = total
    make_shares(context, counts, totals, firsts)
    interval = min(2 * waiting[context, 1], LONGEST_INTERVAL)
    waiting[context, :] = interval
