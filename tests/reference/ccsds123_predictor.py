"""CCSDS 123.0-B-2, sections 4.4 to 4.11, sample by sample in plain Python integers, written for reading.

Samples keep their own values here (the kernels work relative to s_mid), and nothing is shared with the kernels.
"""

from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.ccsds123.choices import LocalSum, Mode
from runtime.ccsds123.parameters import Ccsds123Parameters

IntArray = npt.NDArray[np.integer[Any]]


class Prediction(NamedTuple):
    """What the predictor makes of an image, each (Z, Y, X) int64."""

    mapped: IntArray
    """delta."""
    reconstruction: IntArray
    """s', what a decoder must give."""
    maximum_error: IntArray
    """m."""


def clip(value: int, lowest: int, highest: int) -> int:
    return min(max(value, lowest), highest)


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


def predict(samples: IntArray, parameters: Ccsds123Parameters) -> Prediction:
    """Code `samples` (Z, Y, X); band after band, which gives the same as any other order."""
    image = parameters.image
    shape = (image.n_bands, image.n_lines, image.n_columns)
    result = Prediction(*(np.zeros(shape, np.int64) for _ in range(3)))
    representatives = np.zeros(shape, object)
    central = np.zeros(shape, object)
    for z in range(image.n_bands):
        predict_band(z, samples, parameters, representatives, central, result)
    return result


def limits_of(parameters: Ccsds123Parameters, z: int, y: int) -> tuple[int | None, int | None]:
    """a_z and r_z in force in line y."""
    quantization = parameters.quantization
    values: list[int | None] = []
    for limit in (quantization.absolute, quantization.relative):
        if limit is None:
            values.append(None)
            continue
        u = quantization.period_exponent
        row = limit.values if u is None else limit.periods[y // 2**u]
        values.append(row[z] if limit.is_band_dependent else row[0])
    return values[0], values[1]


def local_sum(kind: LocalSum, s: Any, z: int, y: int, x: int, n_columns: int, middle: int) -> int:
    """Equations 20 to 23."""
    is_wide = kind in (LocalSum.WIDE_NEIGHBOR, LocalSum.WIDE_COLUMN)
    if y == 0:
        if is_wide:
            return int(4 * s[z, y, x - 1])
        return int(4 * s[z - 1, y, x - 1]) if z > 0 else 4 * middle
    if kind in (LocalSum.WIDE_COLUMN, LocalSum.NARROW_COLUMN):
        return int(4 * s[z, y - 1, x])
    if x == 0:
        return int(2 * (s[z, y - 1, x] + s[z, y - 1, x + 1]))
    if is_wide:
        if x == n_columns - 1:
            return int(s[z, y, x - 1] + s[z, y - 1, x - 1] + 2 * s[z, y - 1, x])
        return int(s[z, y, x - 1] + s[z, y - 1, x - 1] + s[z, y - 1, x] + s[z, y - 1, x + 1])
    if x == n_columns - 1:
        return int(2 * (s[z, y - 1, x - 1] + s[z, y - 1, x]))
    return int(s[z, y - 1, x - 1] + 2 * s[z, y - 1, x] + s[z, y - 1, x + 1])


def directional(s: Any, z: int, y: int, x: int, total: int) -> list[int]:
    """Equations 25 to 27."""
    if y == 0:
        return [0, 0, 0]
    north = int(4 * s[z, y - 1, x]) - total
    if x == 0:
        return [north, north, north]
    return [north, int(4 * s[z, y, x - 1]) - total, int(4 * s[z, y - 1, x - 1]) - total]


def first_weights(parameters: Ccsds123Parameters, z: int) -> list[int]:
    """Equations 33 to 35."""
    prediction = parameters.prediction
    omega = prediction.weight_resolution
    if prediction.initial_weights is not None:
        q = prediction.initial_weight_bits
        rest = -floor(-(Fraction(2) ** (omega + 2 - q) - 1))
        return [2 ** (omega + 3 - q) * value + rest for value in prediction.initial_weights[z]]
    weights = [0, 0, 0] if prediction.mode is Mode.FULL else []
    weight = 7 * 2**omega // 8
    for _ in range(min(z, prediction.n_previous_bands)):
        weights.append(weight)
        weight //= 8
    return weights


def exponent_offsets(parameters: Ccsds123Parameters, z: int) -> list[int]:
    """The offset of each weight of band z."""
    prediction = parameters.prediction
    is_full = prediction.mode is Mode.FULL
    if prediction.exponent_offsets is None:
        return [0] * prediction.n_differences(z)
    row = list(prediction.exponent_offsets[z])
    return [row[0]] * 3 + row[1:] if is_full else row


def predict_band(
    z: int, samples: IntArray, parameters: Ccsds123Parameters, s: Any, central: Any, result: Prediction
) -> None:
    """Code band z; `s` holds the representatives and `central` the central differences of the bands before."""
    image, prediction, sample = parameters.image, parameters.prediction, parameters.representative
    smin, smax, smid, depth = image.smallest, image.largest, image.middle, image.depth
    omega, register, theta = prediction.weight_resolution, prediction.register_bits, sample.resolution
    damping, offset = sample.damping.per_band(image.n_bands), sample.offset.per_band(image.n_bands)
    assert damping is not None and offset is not None
    phi, psi = damping[z], offset[z]
    weights, offsets = first_weights(parameters, z), exponent_offsets(parameters, z)
    for y in range(image.n_lines):
        for x in range(image.n_columns):
            t = y * image.n_columns + x
            value = int(samples[z, y, x])
            if t == 0:
                has_band = prediction.n_previous_bands > 0 and z > 0
                doubled = 2 * int(samples[z - 1, 0, 0]) if has_band else 2 * smid
                m, fine, total = 0, 0, 0
                differences: list[int] = []
            else:
                total = local_sum(prediction.local_sum, s, z, y, x, image.n_columns, smid)
                differences = directional(s, z, y, x, total) if prediction.mode is Mode.FULL else []
                for i in range(1, min(z, prediction.n_previous_bands) + 1):
                    differences.append(int(central[z - i, y, x]))
                inner = sum(w * d for w, d in zip(weights, differences, strict=True)) + 2**omega * (total - 4 * smid)
                wrapped = (inner + 2 ** (register - 1)) % 2**register - 2 ** (register - 1)
                fine = clip(
                    wrapped + 2 ** (omega + 2) * smid + 2 ** (omega + 1),
                    2 ** (omega + 2) * smin,
                    2 ** (omega + 2) * smax + 2 ** (omega + 1),
                )
                doubled = fine // 2 ** (omega + 1)
                absolute, relative = limits_of(parameters, z, y)
                bounds = [] if absolute is None else [absolute]
                bounds += [] if relative is None else [relative * abs(doubled // 2) // 2**depth]
                m = min(bounds, default=0)
            predicted = doubled // 2
            residual = value - predicted
            index = sign(residual) * ((abs(residual) + m) // (2 * m + 1))
            scaled = min((predicted - smin + m) // (2 * m + 1), (smax - predicted + m) // (2 * m + 1))
            if abs(index) > scaled:
                mapped = abs(index) + scaled
            elif 0 <= (-1) ** (doubled % 2) * index <= scaled:
                mapped = 2 * abs(index)
            else:
                mapped = 2 * abs(index) - 1
            centre = clip(predicted + index * (2 * m + 1), smin, smax)
            result.mapped[z, y, x] = mapped
            result.reconstruction[z, y, x] = centre
            result.maximum_error[z, y, x] = m
            if t == 0:
                s[z, y, x] = value
                continue
            exact = 4 * (2**theta - phi) * (
                centre * Fraction(2) ** omega - sign(index) * m * psi * Fraction(2) ** (omega - theta)
            ) + phi * fine - phi * 2 ** (omega + 1)  # fmt: skip
            s[z, y, x] = (floor(exact / 2 ** (omega + theta + 1)) + 1) // 2
            central[z, y, x] = 4 * int(s[z, y, x]) - total
            direction = 1 if 2 * centre - doubled >= 0 else -1
            rho = clip(
                prediction.first_exponent + (t - image.n_columns) // 2**prediction.interval_exponent,
                prediction.first_exponent,
                prediction.last_exponent,
            ) + depth - omega  # fmt: skip
            for i, (difference, varsigma) in enumerate(zip(differences, offsets, strict=True)):
                step = floor((direction * Fraction(2) ** -(rho + varsigma) * difference + 1) / 2)
                weights[i] = clip(weights[i] + step, -(2 ** (omega + 2)), 2 ** (omega + 2) - 1)
