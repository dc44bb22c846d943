"""One band of one line through the adaptive stage: solve, predict, code, learn, block after block.

A block's predictions are prepared from everything but its own samples; the samples west come in one by one. So encoder
and decoder run the same statements, and all but a few of them over whole rows.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.adaptive.column_correction import (
    NETWORK,
    WEST,
    WEST_ERROR,
    begin_band,
    correction,
    next_scale,
    normalised,
    update_column_moments,
)
from runtime.adaptive.mixed_prediction import bounded, mix, predict_rows, solve
from runtime.adaptive.products import BATCH, ProductWork, add_products, fade_and_add
from runtime.adaptive.regressors import fill_regressors
from runtime.adaptive.slow_means import UNITS
from runtime.adaptive.state import ERROR_FLOOR, N_LINES
from runtime.kernels.in_loop import quantizer_index, representative, restored, steps_within
from runtime.kernels.kernel_cache import njit
from runtime.kernels.lanes import LANES
from runtime.kernels.mapping import map_index, unmap_index
from runtime.kernels.no_refcount import no_refcount

ERROR_FADING = 0.75
SIZE_FLOOR = 8.0
SIZE_FLOOR_OF_ERROR = 4.0  # times the maximum error: what quantisation hides of a residual
PRIOR_SAMPLES = 50.0  # what the bands before know counts as so many samples of the band itself
EARLY_SAMPLES = 1024  # of a band, during which weights are solved for before every block


class Band(NamedTuple):
    """A band to code, and where the result goes."""

    z: int
    network: npt.NDArray[np.int32]  # (X,), s-tilde of a network; ignored where there is none
    error: int  # The maximum error m of a sample; 0 is lossless
    smallest: int  # The smallest sample that is allowed
    largest: int  # The largest one
    is_decoder: bool
    values: npt.NDArray[np.int32]  # (X,), samples; for a decoder their mapped residuals
    out_values: npt.NDArray[np.int32]  # (X,), the other ones of the two; a decoder has marked samples there already
    marks: npt.NDArray[np.uint8]  # (X,), not 0 where both sides know the sample, and learn nothing; or (0,)


class BlockWork(NamedTuple):
    """What the blocks of a band hand to each other, and work space; S is X or more."""

    partial: npt.NDArray[np.float32]  # (K, S), the part in each prediction of all regressors but the sequential ones
    recent: npt.NDArray[np.float64]  # (K,), fading squared errors of the samples west
    changes: npt.NDArray[np.float64]  # (K,), work space
    sizes: npt.NDArray[np.int32]  # (X,), of the residuals west and north


@no_refcount
def code_block(parameters: Any, mixed: Any, state: Any, band: Any, start: Any, stop: Any, work: Any) -> bool:
    """Code the columns start..stop - 1 of a Band, with the sequential regressors: rows 0..2 of state.rows.

    mixed: a tuple of length K. work: BlockWork, `partial` filled. False where a mapped residual leads outside the
    sample range.
    """
    z, network, error, smallest, largest, is_decoder, values, out_values, marks = band
    partial, recent, changes, out_sizes = work
    out_rows, out_targets = state.rows, state.rows[state.weights.shape[2]]
    n_mixed = len(mixed)
    is_first = state.place[N_LINES] == 0
    line, north, below = state.line[z], state.line_before[z], state.line[max(z - 1, 0)]
    means, sizes, weights, errors = state.means_now[z], state.sizes[z], state.weights[z], state.errors[z]
    last_size = np.int64(0)
    is_inside = True
    has_correction, has_network = parameters.has_correction == 1, parameters.has_network == 1
    is_corrected = has_correction and not is_first
    around, own_errors = state.around, state.column_errors[0, z]
    scale = state.scales[z]
    inverse = 1.0 / scale if scale > 0.0 else 0.0
    for x in range(start, stop):
        base = np.int64(north[x])
        west = np.int64(line[x - 1]) if x > 0 else base
        step = west - base
        if is_first:
            if x == 0:
                west = np.int64(below[0]) if z > 0 else (smallest + largest + 1) >> 1
            base = west
            step = np.int64(below[x]) - west if z > 0 else np.int64(0)
        out_rows[0, x] = np.float32(step)
        out_rows[1, x] = np.float32(np.int64(line[x - 2]) - west) if x > 1 else np.float32(0)
        out_rows[2, x] = np.float32(0)
        if x > 0 and not is_first:
            out_rows[2, x] = np.float32(np.float64(means[x - 1]) * (1.0 / UNITS) - np.float64(west))
        row_0, row_1, row_2 = np.float64(out_rows[0, x]), np.float64(out_rows[1, x]), np.float64(out_rows[2, x])
        for k in range(n_mixed):
            own = weights[k]
            changes[k] = bounded(np.float64(partial[k, x]) + ((own[0] * row_0 + own[1] * row_1) + own[2] * row_2))
        mixed_change = mix(changes, errors, recent, x) if n_mixed == 3 else changes[0]
        change = mixed_change
        if is_corrected:
            around[WEST_ERROR, x] = own_errors[x - 1] if x > 0 else np.float32(0)
            around[WEST, x] = normalised(np.float64(step) - mixed_change, inverse)
            if has_network:
                distance = (0.5 * np.float64(network[x]) - np.float64(base)) - mixed_change
                around[NETWORK, x] = normalised(distance, inverse)
            change = bounded(mixed_change + scale * correction(x, state.known_part, state.column_weights, around))
        doubled = np.int64(np.floor(2.0 * change)) + 2 * base + 1
        doubled = min(max(doubled, 2 * smallest), 2 * largest + 1)
        predicted = doubled >> 1
        low, high = steps_within(predicted - smallest, error), steps_within(largest - predicted, error)
        is_marked = marks.size > 0 and marks[x] != 0
        if is_marked:
            sample = np.int64(out_values[x]) if is_decoder else np.int64(values[x])
            index = np.int64(0)
            if not is_decoder:
                out_values[x] = 0
        elif is_decoder:
            index = unmap_index(np.int64(values[x]), doubled, low, high)
            if index < -low or index > high:
                is_inside = False
                index = np.int64(0)
            sample = restored(predicted, index, error, smallest, largest)
            out_values[x] = sample
        else:
            sample = np.int64(values[x])
            index = quantizer_index(sample - predicted, error)
            if error > 0:  # else the sample is known without its prediction, and the processor looks ahead
                sample = restored(predicted, index, error, smallest, largest)
                values[x] = sample
            out_values[x] = map_index(index, doubled, low, high)
        known = representative(sample, index, error)
        line[x] = known
        target = np.float64(known - base)
        out_targets[x] = np.float32(target)
        out_sizes[x] = last_size + np.int64(sizes[x])
        if is_marked:
            if has_correction:
                own_errors[x] = np.float32(0)
                around[:, x] = np.float32(0)
            continue
        if has_correction:
            state.error_total[0] += abs(target - mixed_change)
            own_errors[x] = normalised(target - mixed_change, inverse)
        if n_mixed == 3:
            for k in range(3):
                squared = (target - changes[k]) * (target - changes[k]) + ERROR_FLOOR
                recent[k] = ERROR_FADING * recent[k] + squared
                errors[k, x] = ERROR_FADING * errors[k, x] + squared
        last_size = abs(known - predicted)
        sizes[x] = (np.int64(sizes[x]) >> 1) + last_size
    return is_inside


@no_refcount
def fill_shares(
    sizes: Any, sizes_below: Any, marks: Any, start: Any, stop: Any, error: Any, step: Any, out_shares: Any
) -> None:
    """Fill the weight of every `step`-th of columns start..stop - 1 in the sums, and BATCH zeros after them.

    sizes: (X,), and sizes_below: (X,), of residuals around, also of the band before: a sample counts less where
    residuals are large, and not at all where it is marked.
    """
    floor = SIZE_FLOOR + SIZE_FLOOR_OF_ERROR * np.float64(error)
    n_chosen = (stop - start + step - 1) // step
    for i in range(n_chosen):
        x = start + i * step
        out_shares[i] = np.float32(1.0 / (np.float64(sizes[x]) + np.float64(sizes_below[x]) + floor))
        if marks.size > 0 and marks[x]:
            out_shares[i] = np.float32(0)
    out_shares[n_chosen : n_chosen + BATCH] = np.float32(0)


@njit(cache=True)
def code_band(parameters: Any, lanes: Any, mixed: Any, state: Any, band: Any) -> bool:
    """Fill the mapped residuals or the samples of a Band.

    With a maximum error the samples that are coded become what a decoder restores, and state.line gets their
    representatives, from which both sides learn. False where a mapped residual leads outside the sample range; the
    state is of no use then.
    """
    z, network = band.z, band.network
    width, n_columns, n_before = len(lanes), network.size, state.place[N_LINES]
    n_mixed, n_memories = len(mixed), state.moments.shape[1]
    moments = state.moments[z]
    n_regressors = state.weights.shape[2]
    n_blocks = max(1, n_columns // parameters.block)
    rows, singles = state.rows, np.empty(n_regressors, np.float32)
    sizes_below = state.sizes[z - 1] if z > 0 else np.zeros(n_columns, np.int32)
    work = BlockWork(
        np.empty((n_mixed, rows.shape[1]), np.float32), np.full(n_mixed, ERROR_FLOOR), np.empty(n_mixed, np.float64),
        np.empty(n_columns, np.int32),
    )  # fmt: skip
    sums = ProductWork(
        np.empty(n_columns + BATCH, np.float32), np.empty(LANES * width, np.float32),
        np.empty(BATCH * width, np.float32), np.empty(moments.shape[1], np.float32),
    )  # fmt: skip
    fill_regressors(parameters, state, z, network, rows)
    if n_before == 1:
        moments[:] = 0.0  # the regressors of a first line mean something else
    n_known = max(n_before - 1, np.int64(0)) * n_columns
    is_inside = True
    if parameters.has_correction:
        begin_band(z, state.column_moments, state.column_errors, state.trend, state.around, state.column_weights,
                   state.known_part)  # fmt: skip
        state.error_total[0] = 0.0
    for block in range(n_blocks):
        start, stop = block * n_columns // n_blocks, (block + 1) * n_columns // n_blocks
        n_samples = stop - start
        if n_known + start < EARLY_SAMPLES or state.unsolved[z] >= parameters.interval:
            share = PRIOR_SAMPLES / (PRIOR_SAMPLES + np.float64(n_known + start))
            solve(parameters, lanes, moments, state.prior, share, state.weights[z])
            state.unsolved[z] = 0
        state.unsolved[z] += n_samples
        predict_rows(rows, state.weights[z], start, stop, singles, work.partial)
        is_inside &= code_block(parameters, mixed, state, band, start, stop, work)
        fill_shares(work.sizes, sizes_below, band.marks, start, stop, band.error, parameters.step, sums.shares)
        add_products(rows, start, stop, parameters.step, n_regressors, lanes, sums)
        for memory in range(n_memories):
            length = parameters.long_memory if memory == n_memories - 1 else parameters.short_memory
            fade_and_add(sums.products, 1.0 - min(np.float64(n_samples) / np.float64(length), 0.5), moments[memory])
    share = PRIOR_SAMPLES / (PRIOR_SAMPLES + np.float64(n_known + n_columns))
    for memory in range(n_memories):
        fade_and_add(moments[memory], share, state.prior[memory])
    if parameters.has_correction:
        if n_before > 0:
            update_column_moments(state.around, state.column_errors[0, z], state.column_moments)
        n_learned = n_columns - np.count_nonzero(band.marks)
        if n_learned > 0:
            state.scales[z] = next_scale(state.scales[z], state.error_total[0], n_learned, n_before)
    if parameters.has_network:
        for x in range(n_columns):
            state.network_error[x] = np.int64(state.line[z, x]) - (np.int64(network[x]) >> 1)
            if band.marks.size > 0 and band.marks[x]:
                state.network_error[x] = 0
    return is_inside
