"""The exact integer side of the flight cell: what it is fed, and what its filter taps weigh.

The cell sees differences scaled to 8 bits. Its output, the taps of a short linear filter, weighs exact differences
(docs/arithmetic.md, sections 2 and 4). Integers only; a column outside the line stands for its nearest neighbour, a
band before the first for no difference at all.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.cell.flight_statistics import (
    FIXED_FEATURES,
    GAIN_BITS,
    N_BEFORE,
    SLOW_BITS,
    BandConstants,
    add_errors,
    add_line,
    band_constants,
    clipped,
    first_sums,
)
from runtime.kernels.kernel_cache import njit

LINE_FEATURES = 6  # Of a sample
LEVELS = FIXED_FEATURES  # Of a band, equal for all its columns
BAND_FEATURES = 4
SLOW_SHIFTS = (2, 4)  # A slow mean moves by 1/4, or 1/16, of the way to each new line; faster in the first lines
N_SLOW_BEFORE = 4
TAPS = N_BEFORE + 15  # Regressors of one sample: see `fill_differences`
TAP_BITS = 10
LARGEST_TAP = (8 << TAP_BITS) - 1


class HostState(NamedTuple):
    """What the host side keeps of a segment between lines."""

    line_1: npt.NDArray[np.int32]  # (Z, X), the line before
    line_2: npt.NDArray[np.int32]  # (Z, X), the one before that
    slow: npt.NDArray[np.int32]  # (2, Z, X), slow means over lines in 1/16 sample
    sums: npt.NDArray[np.int64]  # (Z, N_SUMS), of runtime/cell/flight_statistics.py
    constants: BandConstants
    n_lines: int

    @property
    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """line_1, line_2, slow and the constants: a plain tuple, which a kernel takes as fast as arrays one by one."""
        return (self.line_1, self.line_2, self.slow, *self.constants)


def first_state(first_line: npt.NDArray[np.int32]) -> HostState:
    """The state after the first line (Z, X) of a segment."""
    sums = first_sums(first_line)
    slow = np.stack([first_line << SLOW_BITS] * len(SLOW_SHIFTS)).astype(np.int32)
    return HostState(first_line.copy(), first_line.copy(), slow, sums, band_constants(sums), 1)


def next_state(line: npt.NDArray[np.int32], state: HostState) -> HostState:
    """The state after one more line (Z, X); the large arrays of `state` are used again."""
    add_line(line, state.line_1, state.sums)
    add_errors(line, state.line_1, state.slow[1], state.constants.gains, state.sums)
    warm = np.int64(state.n_lines + 1).item().bit_length() - 1
    for i, shift in enumerate(SLOW_SHIFTS):
        move_slow(line, min(shift, warm), state.slow[i])
    state.line_2[...] = line
    constants = band_constants(state.sums)
    return HostState(state.line_2, state.line_1, state.slow, state.sums, constants, state.n_lines + 1)


@njit(cache=True)
def move_slow(line: Any, shift: Any, out_slow: Any) -> None:
    """Move a slow mean (Z, X) by 2**-shift of the way to `line`."""
    for z in range(line.shape[0]):
        for x in range(line.shape[1]):
            here = np.int64(out_slow[z, x])
            out_slow[z, x] = here + (((np.int64(line[z, x]) << SLOW_BITS) - here) >> shift)


@njit(cache=True, inline="always")
def feature(difference: Any, shift: Any) -> Any:
    """`difference` times 2**shift, rounded to nearest, in -127..127."""
    if shift >= 0:
        return clipped(difference << shift, 127)
    return clipped((difference + (1 << (-shift - 1))) >> -shift, 127)


@njit(cache=True, inline="always")
def explained(z: Any, x: Any, now: Any, before: Any, gains: Any) -> Any:
    """What the band before says of the change of band `z` from line `before` to line `now`."""
    if z == 0:
        return np.int64(0)
    return (gains[z, 0] * (np.int64(now[z - 1, x]) - np.int64(before[z - 1, x]))) >> GAIN_BITS


@njit(cache=True)
def fill_line_features(z: Any, host: Any, out: Any) -> None:
    """Fill what the cell sees of band `z` of the lines before: (X, LINE_FEATURES) int8. host: HostState.arrays."""
    line_1, line_2, slow, gains, shifts, _, _ = host
    n_columns = line_1.shape[1]
    shift, fine = shifts[z, 0], shifts[z, 1]
    total = np.int64(0)
    for x in range(n_columns):
        total += np.int64(line_1[z, x])
    mean = total // n_columns
    for x in range(n_columns):
        here = np.int64(line_1[z, x])
        change = here - np.int64(line_2[z, x])
        west = np.int64(line_1[z, max(x - 1, 0)])
        out[x, 0] = feature(change, shift)
        out[x, 1] = feature(here - (np.int64(slow[0, z, x]) >> SLOW_BITS), shift)
        out[x, 2] = feature(here - (np.int64(slow[1, z, x]) >> SLOW_BITS), shift)
        out[x, 3] = feature(change - explained(z, x, line_1, line_2, gains), fine)
        out[x, 4] = feature(here - west, shift)
        out[x, 5] = feature(here - mean, shift - 3)


@njit(cache=True)
def fill_groups(first: Any, host: Any, out_features: Any, out_levels: Any) -> None:
    """Fill what the cell sees of the groups of bands from group `first` on, zeros where there is no band.

    out_features: (N, X, G LINE_FEATURES) int8, the features of a group's bands side by side; out_levels: (N, 1,
    G LEVELS) int8.
    """
    n_bands, fixed = host[0].shape[0], host[6]
    group = out_levels.shape[2] // LEVELS
    for n in range(out_features.shape[0]):
        for b in range(group):
            z = (first + n) * group + b
            own = out_features[n, :, b * LINE_FEATURES : (b + 1) * LINE_FEATURES]
            levels = out_levels[n, 0, b * LEVELS : (b + 1) * LEVELS]
            if z < n_bands:
                fill_line_features(z, host, own)
                for i in range(LEVELS):
                    levels[i] = fixed[z, i]
            else:
                own[:] = 0
                levels[:] = 0


@njit(cache=True)
def fill_band_features(z: Any, line: Any, host: Any, out: Any) -> None:
    """Fill what the cell sees of band `z - 1` of this line when it predicts band `z`: (X, BAND_FEATURES) int8."""
    line_1, _, slow, gains, shifts, _, _ = host
    n_columns = line_1.shape[1]
    if z == 0:
        out[:] = 0
        return
    b = z - 1
    shift, fine = shifts[b, 0], shifts[b, 1]
    for x in range(n_columns):
        here = np.int64(line[b, x])
        change = here - np.int64(line_1[b, x])
        west = np.int64(line[b, max(x - 1, 0)])
        out[x, 0] = feature(change, shift)
        out[x, 1] = feature(here - (np.int64(slow[1, b, x]) >> SLOW_BITS), shift)
        out[x, 2] = feature(change - explained(b, x, line, line_1, gains), fine)
        out[x, 3] = feature(here - west, shift)


@njit(cache=True, inline="always")
def scaled(gain: Any, difference: Any) -> Any:
    """`difference` of a band before in units of this band, rounded to nearest."""
    return (gain * difference + (1 << (GAIN_BITS - 1))) >> GAIN_BITS


@njit(cache=True)
def fill_differences(z: Any, line: Any, host: Any, out: Any) -> None:
    """Fill the regressors (TAPS, X) int32 of band `z`: exact differences in units of its samples.

    In order: line differences of the bands 1..6 before; those of the band before, west and east; west and east
    neighbour in the line before; west and east neighbour in the band before; the last line difference here and in the
    band before; the slower and the faster slow mean; slow mean differences of the bands 1..4 before, in this line; the
    unit of the band, whose tap is a correction.
    """
    line_1, line_2, slow, gains, _, units, _ = host
    n_columns = line_1.shape[1]
    last = n_columns - 1
    here = line_1[z]
    for i in range(1, N_BEFORE + 1):
        if z < i:
            out[i - 1, :] = 0
            continue
        gain, now, before = gains[z, i - 1], line[z - i], line_1[z - i]
        for x in range(n_columns):
            out[i - 1, x] = scaled(gain, np.int64(now[x]) - np.int64(before[x]))
    for i in range(1, N_SLOW_BEFORE + 1):
        if z < i:
            out[N_BEFORE + 9 + i, :] = 0
            continue
        gain, now, mean = gains[z, i - 1], line[z - i], slow[1, z - i]
        for x in range(n_columns):
            out[N_BEFORE + 9 + i, x] = scaled(gain, np.int64(now[x]) - (np.int64(mean[x]) >> SLOW_BITS))
    fill_neighbours(here, last, out[N_BEFORE + 2], out[N_BEFORE + 3])
    for x in range(n_columns):
        out[N_BEFORE + 6, x] = here[x] - line_2[z, x]
        out[N_BEFORE + 8, x] = (slow[1, z, x] >> SLOW_BITS) - here[x]
        out[N_BEFORE + 9, x] = (slow[0, z, x] >> SLOW_BITS) - here[x]
    out[N_BEFORE + 14, :] = units[z]
    if z == 0:
        for k in (N_BEFORE, N_BEFORE + 1, N_BEFORE + 4, N_BEFORE + 5, N_BEFORE + 7):
            out[k, :] = 0
        return
    gain, now, before, second = gains[z, 0], line[z - 1], line_1[z - 1], line_2[z - 1]
    fill_neighbours(now, last, out[N_BEFORE + 4], out[N_BEFORE + 5])
    for x in range(n_columns):
        change = np.int64(now[x]) - np.int64(before[x])
        if x < last:
            out[N_BEFORE, x + 1] = scaled(gain, change)
        if x > 0:
            out[N_BEFORE + 1, x - 1] = scaled(gain, change)
        out[N_BEFORE + 7, x] = scaled(gain, np.int64(before[x]) - np.int64(second[x]))
        out[N_BEFORE + 4, x] = scaled(gain, np.int64(out[N_BEFORE + 4, x]))
        out[N_BEFORE + 5, x] = scaled(gain, np.int64(out[N_BEFORE + 5, x]))
    out[N_BEFORE, 0] = scaled(gain, np.int64(now[0]) - np.int64(before[0]))
    out[N_BEFORE + 1, last] = scaled(gain, np.int64(now[last]) - np.int64(before[last]))


@njit(cache=True)
def fill_neighbours(row: Any, last: Any, out_west: Any, out_east: Any) -> None:
    """Fill what the sample west, and the one east, has more than each sample of a row (X,); `last` is X - 1."""
    out_west[0], out_east[last] = 0, 0
    for x in range(last):
        step = row[x + 1] - row[x]
        out_east[x] = step
        out_west[x + 1] = -step


@njit(cache=True)
def filtered(taps: Any, differences: Any, base: Any, smallest: Any, largest: Any, out_doubled: Any) -> None:
    """Fill s-tilde (X,), the prediction with double resolution (clause 4.7 of CCSDS 123.0-B-2).

    taps: (TAPS, X) integers of any type in 1/1024. differences: (TAPS, X). base: (X,), the line before. The prediction
    is base plus the weighted differences; s-tilde is floor(2 prediction) + 1, clipped to 2*smallest .. 2*largest + 1.
    """
    totals = np.zeros(base.shape[0], np.int64)
    for k in range(TAPS):
        for x in range(base.shape[0]):
            totals[x] += np.int64(np.int32(taps[k, x])) * np.int64(differences[k, x])
    for x in range(base.shape[0]):
        doubled = 2 * np.int64(base[x]) + (totals[x] >> (TAP_BITS - 1)) + 1
        out_doubled[x] = min(max(doubled, 2 * smallest), 2 * largest + 1)
