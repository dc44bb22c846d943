"""The host side of int8-v2 (docs/arithmetic.md, sections 2 and 4) in whole-array NumPy, written to be read."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def log2(values: Integers) -> Integers:
    """floor(log2 v), v >= 1."""
    return np.array([int(v).bit_length() - 1 for v in values.ravel()], np.int64).reshape(values.shape)


def eighths(values: Integers) -> Integers:
    """8 log2 v, linear between powers of two."""
    power = log2(values)
    return 8 * power + (((values << 3) >> power) & 7)


def rounded(values: Integers, shift: int) -> Integers:
    """Values 2**shift, rounded, in -127..127."""
    shifted = values << shift if shift >= 0 else (values + (1 << (-shift - 1))) >> -shift
    result: Integers = np.clip(shifted, -127, 127)
    return result


def moved(rows: Integers, step: int) -> Integers:
    """The neighbour `step` columns away; the nearest column where there is none."""
    return rows[..., np.clip(np.arange(rows.shape[-1]) + step, 0, rows.shape[-1] - 1)]


def band_below(rows: Integers, i: int) -> Integers:
    """Row z holds row z - i; zeros where there is none."""
    return np.concatenate([np.zeros_like(rows[:i]), rows[: max(0, len(rows) - i)]])[: len(rows)]


def gained(gain: Integers, rows: Integers) -> Integers:
    """Rounded products with gains (Z,) in 1/256."""
    return (gain[:, None] * rows + 128) >> 8


class Host(NamedTuple):
    """Everything between two lines."""

    line_1: Integers
    line_2: Integers
    slow: tuple[Integers, Integers]
    products: Integers
    errors: Integers
    n_counted: int
    n_lines: int
    gains: Integers
    shifts: Integers
    units: Integers
    fixed: Integers


def products(now: Integers, before: Integers) -> Integers:
    """(Z, 7): sums of d(z) d(z - i)."""
    change = now - before
    return np.stack([(change * band_below(change, i)).sum(1) for i in range(7)], 1)


def gains_of(sums: Integers) -> Integers:
    """(Z, 6)."""
    gains = np.zeros((len(sums), 6), np.int64)
    for z in range(len(sums)):
        for i in range(1, min(z, 6) + 1):
            energy, product = int(sums[z - i, 0]), int(sums[z, i])
            excess = max(0, max(energy, 1).bit_length() - 1 - 39)
            below = (energy >> excess) + 1
            gains[z, i - 1] = min(max((512 * (product >> excess) + below) // (2 * below), -1024), 1024)
    return gains


def candidates(now: Integers, before: Integers, slow: Integers, gains: Integers) -> Integers:
    """(Z, 7): summed error magnitudes of the fixed predictions."""
    mean, change = slow >> 4, now - before
    first, second = gains[:, :1], gains[:, 1:2]
    near = (first * band_below(change, 1)) >> 8
    far = (second * band_below(change, 2)) >> 8
    smooth = (first * band_below(2 * change + moved(change, -1) + moved(change, 1), 1)) >> 10
    distance = (first * band_below(now - mean, 1)) >> 8
    errors = [
        change,
        change - near,
        now - mean,
        now - mean - distance,
        change - ((near + far) >> 1),
        now - ((before + near + mean + distance) >> 1),
        change - smooth,
    ]
    return np.stack([np.abs(error).sum(1) for error in errors], 1)


def constants(sums: Integers, errors: Integers, count: int) -> tuple[Integers, Integers, Integers, Integers]:
    """Gains (Z, 6), shifts (Z, 2), units (Z,), fixed features (Z, 8)."""
    gains = gains_of(sums)
    levels = (errors << 4) // max(count, 1) + 1
    shifts = np.clip(8 - log2(levels[:, :2]), -11, 5)
    logs = eighths(levels)
    others = [np.clip(4 * (logs[:, i] - logs[:, 1]), -127, 127) for i in (0, 2, 3, 4, 5, 6)]
    first = np.clip((gains[:, 0] - 256) >> 2, -127, 127)
    units = np.maximum(levels[:, 1] >> 2, 1)
    return gains, shifts, units, np.stack([first, *others, np.clip(logs[:, 0] - 64, -127, 127)], 1)


def first_host(line: Integers) -> Host:
    """After the first line of a segment."""
    east, west = line[:, 1:], line[:, :-1]
    sums = products(east, west)
    errors = np.zeros((len(line), 7), np.int64)
    if east.shape[1]:
        errors = candidates(east, west, 16 * west, gains_of(sums))
    count = east.shape[1]
    return Host(line, line, (16 * line, 16 * line), sums, errors, count, 1, *constants(sums, errors, count))


def next_host(line: Integers, host: Host) -> Host:
    """After one more line."""
    sums = host.products - (host.products >> 5) + products(line, host.line_1)
    errors = host.errors - (host.errors >> 5) + candidates(line, host.line_1, host.slow[1], host.gains)
    count = host.n_counted - (host.n_counted >> 5) + line.shape[1]
    warm = (host.n_lines + 1).bit_length() - 1
    slow = tuple(m + ((16 * line - m) >> min(k, warm)) for m, k in zip(host.slow, (2, 4), strict=True))
    return Host(
        line, host.line_1, (slow[0], slow[1]), sums, errors, count, host.n_lines + 1, *constants(sums, errors, count)
    )


def line_features(host: Host) -> Integers:
    """(Z, X, 14)."""
    change = host.line_1 - host.line_2
    innovation = change - ((host.gains[:, :1] * band_below(change, 1)) >> 8)
    mean = host.line_1.sum(1, keepdims=True) // host.line_1.shape[1]
    shown = [
        (change, 0, 0),
        (host.line_1 - (host.slow[0] >> 4), 0, 0),
        (host.line_1 - (host.slow[1] >> 4), 0, 0),
        (innovation, 1, 0),
        (host.line_1 - moved(host.line_1, -1), 0, 0),
        (host.line_1 - mean, 0, -3),
    ]
    features = [scaled_rows(rows, host.shifts[:, which] + more) for rows, which, more in shown]
    fixed = np.broadcast_to(host.fixed[:, None], (*host.line_1.shape, host.fixed.shape[1]))
    return np.concatenate([np.stack(features, -1), fixed], -1)


def scaled_rows(rows: Integers, shifts: Integers) -> Integers:
    """Each row by its own shift."""
    return np.stack([rounded(row, int(shift)) for row, shift in zip(rows, shifts, strict=True)])


def band_features(line: Integers, host: Host) -> Integers:
    """(Z, X, 4), of the band before."""
    change = line - host.line_1
    innovation = change - ((host.gains[:, :1] * band_below(change, 1)) >> 8)
    shown = [(change, 0), (line - (host.slow[1] >> 4), 0), (innovation, 1), (line - moved(line, -1), 0)]
    own = np.stack([scaled_rows(rows, host.shifts[:, which]) for rows, which in shown], -1)
    return band_below(own, 1)


def differences(line: Integers, host: Host) -> Integers:
    """(Z, X, 21)."""
    change, before, gains = line - host.line_1, host.line_1, host.gains
    slow_1, slow_2 = host.slow[0] >> 4, host.slow[1] >> 4
    rows = [gained(gains[:, i - 1], band_below(change, i)) for i in range(1, 7)]
    rows += [gained(gains[:, 0], band_below(moved(change, step), 1)) for step in (-1, 1)]
    rows += [moved(before, step) - before for step in (-1, 1)]
    rows += [gained(gains[:, 0], band_below(moved(line, step) - line, 1)) for step in (-1, 1)]
    rows += [before - host.line_2, gained(gains[:, 0], band_below(before - host.line_2, 1))]
    rows += [slow_2 - before, slow_1 - before]
    rows += [gained(gains[:, i - 1], band_below(line - slow_2, i)) for i in range(1, 5)]
    rows.append(np.broadcast_to(host.units[:, None], line.shape))
    return np.stack(rows, -1)


def doubled(taps: npt.NDArray[Any], line: Integers, host: Host, smallest: int, largest: int) -> Integers:
    """s-tilde (Z, X); taps: (Z, X, 21)."""
    total = (taps.astype(np.int64) * differences(line, host)).sum(-1)
    result: Integers = np.clip(2 * host.line_1 + (total >> 9) + 1, 2 * smallest, 2 * largest + 1)
    return result
