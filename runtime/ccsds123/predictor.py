"""The predictor: one line of all bands at a time, the same loop for encoder and decoder (section 4).

Encoding turns samples into mapped quantizer indices, decoding the other way round; both leave the same state,
because they share every statement but one: where the quantizer index comes from.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from runtime.ccsds123.choices import Fidelity, Mode
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.ccsds123.prediction import clip, high_resolution, local_sum, scaling_exponent, updated_weight
from runtime.ccsds123.quantizer import NO_LIMIT, maximum_error, quantizer_index, representative, steps_within
from runtime.mapping import map_index, unmap_index

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Uint32Array = npt.NDArray[np.uint32]

N_DIRECTIONAL = 3


class PredictorConstants(NamedTuple):
    """Parameters that do not change within an image, in the form that the kernel takes."""

    n_previous_bands: int
    is_full: int
    local_sum: int
    register_bits: int
    resolution: int
    interval_exponent: int
    first_exponent: int
    last_exponent: int
    theta: int
    depth: int
    middle: int
    has_relative: int
    exponent_offsets: Int32Array
    """sigma of each weight, (Z, 3 + P)."""
    damping: Int32Array
    """phi_z, (Z,)."""
    offset: Int32Array
    """psi_z, (Z,)."""


class PredictorState(NamedTuple):
    """What the predictor remembers between lines; `code_line` updates the arrays in place."""

    representatives: Int32Array
    """s'' of the line before, relative to s_mid, (Z, X)."""
    weights: Int32Array
    """omega of N, W, NW and P previous bands, (Z, 3 + P); those that a band does not use stay as they are."""
    differences: Int64Array
    """Central local differences of the last P + 1 bands, row z mod (P + 1), and a last row of zeros: (P + 2, X)."""


class ErrorLimits(NamedTuple):
    """Error limits in force."""

    absolute: Int64Array
    """a_z, (Z,): 0 where lossless, NO_LIMIT where only relative limits are used."""
    relative: Int64Array
    """r_z, (Z,)."""


def predictor_constants(parameters: Ccsds123Parameters) -> PredictorConstants:
    """The kernel's form of `parameters`, whose tables must be complete."""
    image, prediction, sample = parameters.image, parameters.prediction, parameters.representative
    n_bands = image.n_bands
    offsets = np.zeros((n_bands, N_DIRECTIONAL + prediction.n_previous_bands), np.int32)
    is_full = prediction.mode is Mode.FULL
    for z, row in enumerate(prediction.exponent_offsets or ()):
        if is_full:
            offsets[z, :N_DIRECTIONAL] = row[0]
        offsets[z, N_DIRECTIONAL : N_DIRECTIONAL + prediction.n_previous(z)] = row[is_full:]
    return PredictorConstants(
        prediction.n_previous_bands, int(is_full), prediction.local_sum.code, prediction.register_bits,
        prediction.weight_resolution, prediction.interval_exponent, prediction.first_exponent,
        prediction.last_exponent, sample.resolution, image.depth, image.middle,
        int(parameters.quantization.relative is not None), offsets,
        np.array(sample.damping.per_band(n_bands), np.int32), np.array(sample.offset.per_band(n_bands), np.int32),
    )  # fmt: skip


def initial_state(parameters: Ccsds123Parameters) -> PredictorState:
    """The state before the first line."""
    image, prediction = parameters.image, parameters.prediction
    n_previous = prediction.n_previous_bands
    return PredictorState(
        np.zeros((image.n_bands, image.n_columns), np.int32),
        initial_weights(parameters),
        np.zeros((n_previous + 2, image.n_columns), np.int64),
    )


def initial_weights(parameters: Ccsds123Parameters) -> Int32Array:
    """W(1) of every band, (Z, 3 + P), 0 where a band has no such weight (4.6.3)."""
    prediction = parameters.prediction
    resolution, n_previous = prediction.weight_resolution, prediction.n_previous_bands
    weights = np.zeros((parameters.image.n_bands, N_DIRECTIONAL + n_previous), np.int32)
    if prediction.initial_weights is None:
        weight = (7 << resolution) >> 3  # equation 33
        for i in range(n_previous):
            weights[i + 1 :, N_DIRECTIONAL + i] = weight
            weight >>= 3
        return weights
    shift = resolution + 3 - prediction.initial_weight_bits
    ones = (1 << (shift - 1)) - 1 if shift else 0
    skipped = 0 if prediction.mode is Mode.FULL else N_DIRECTIONAL
    for z, row in enumerate(prediction.initial_weights):
        weights[z, skipped : skipped + len(row)] = [(value << shift) + ones for value in row]  # equation 35
    return weights


def header_limits(parameters: Ccsds123Parameters) -> ErrorLimits:
    """The limits before the first line: those of the header, or zeros where the body brings them."""
    quantization, n_bands = parameters.quantization, parameters.image.n_bands
    absolute = np.zeros(n_bands, np.int64)
    relative = np.zeros(n_bands, np.int64)
    if quantization.absolute is not None and quantization.absolute.values:
        absolute[:] = quantization.absolute.values
    if quantization.relative is not None and quantization.relative.values:
        relative[:] = quantization.relative.values
    if quantization.fidelity is Fidelity.RELATIVE:
        absolute[:] = NO_LIMIT
    return ErrorLimits(absolute, relative)


@njit(cache=True, error_model="numpy")
def code_line(
    constants: Any, state: Any, limits: Any, y: Any, is_decoding: Any, samples: Any, mapped: Any
) -> bool:
    """Code line `y` of every band; False where a mapped index to decode leads outside the sample range.

    samples: (Z, X) int32 relative to s_mid, read when encoding, filled with s' when decoding.
    mapped: (Z, X) uint32, delta, filled when encoding, read when decoding.
    The arrays of `state` become those of the next line.
    """
    n_bands, n_columns = samples.shape
    depth, resolution = constants.depth, constants.resolution
    n_previous, theta = constants.n_previous_bands, constants.theta
    half = np.int64(1) << (depth - 1)
    zeros = n_previous + 1
    is_inside = True
    for z in range(n_bands):
        row = state.representatives[z]
        below = state.representatives[max(z - 1, 0)]
        weights = state.weights[z]
        offsets = constants.exponent_offsets[z]
        damping, offset = np.int64(constants.damping[z]), np.int64(constants.offset[z])
        absolute, relative = limits.absolute[z], limits.relative[z]
        n_used = min(z, n_previous)
        # Three directional and three spectral weights live in registers, more bands in the arrays. Differences that
        # a band lacks are rows of zeros, which neither change the prediction nor the weight.
        own = state.differences[z % (n_previous + 1)]
        d1_row = state.differences[(z - 1) % (n_previous + 1) if n_used > 0 else zeros]
        d2_row = state.differences[(z - 2) % (n_previous + 1) if n_used > 1 else zeros]
        d3_row = state.differences[(z - 3) % (n_previous + 1) if n_used > 2 else zeros]
        w_n, w_w, w_nw = np.int64(weights[0]), np.int64(weights[1]), np.int64(weights[2])
        w1 = np.int64(weights[3]) if n_previous > 0 else np.int64(0)
        w2 = np.int64(weights[4]) if n_previous > 1 else np.int64(0)
        w3 = np.int64(weights[5]) if n_previous > 2 else np.int64(0)
        o_direction = np.int64(offsets[0])
        o1 = np.int64(offsets[3]) if n_previous > 0 else np.int64(0)
        o2 = np.int64(offsets[4]) if n_previous > 1 else np.int64(0)
        o3 = np.int64(offsets[5]) if n_previous > 2 else np.int64(0)
        west = np.int64(0)
        north_west = np.int64(0)
        for x in range(n_columns):
            north = np.int64(row[x])
            t = y * n_columns + x
            total = np.int64(0)
            d_n = np.int64(0)
            d_w = np.int64(0)
            d_nw = np.int64(0)
            d1, d2, d3 = d1_row[x], d2_row[x], d3_row[x]
            fine = np.int64(0)
            if t == 0:
                # equation 38; band z - 1 is coded, so its first sample stands in `below`
                doubled = 2 * np.int64(below[0]) if n_used > 0 else np.int64(0)
                error = np.int64(0)
            else:
                is_first, is_last = x == 0, x == n_columns - 1
                north_east = north if is_last else np.int64(row[x + 1])
                below_west = np.int64(below[x - 1]) if z > 0 and x > 0 else np.int64(0)
                total = local_sum(
                    constants.local_sum, y, is_first, is_last, west, north_west, north, north_east, below_west
                )
                if constants.is_full and y > 0:  # equations 25..27
                    d_n = 4 * north - total
                    d_w = d_n if is_first else 4 * west - total
                    d_nw = d_n if is_first else 4 * north_west - total
                predicted_difference = w_n * d_n + w_w * d_w + w_nw * d_nw + w1 * d1 + w2 * d2 + w3 * d3  # eq 36
                for i in range(3, n_used):
                    predicted_difference += weights[3 + i] * state.differences[(z - 1 - i) % (n_previous + 1), x]
                fine = high_resolution(predicted_difference, total, resolution, constants.register_bits, depth)
                doubled = fine >> (resolution + 1)  # equation 38
                error = maximum_error(absolute, relative, constants.has_relative, doubled >> 1, constants.middle, depth)
            predicted = doubled >> 1  # equation 39
            low = steps_within(predicted + half, error)
            high = steps_within(half - 1 - predicted, error)
            if is_decoding:
                index = unmap_index(np.int64(mapped[z, x]), doubled, low, high)
                if index < -low or index > high:
                    is_inside = False
            else:
                index = quantizer_index(np.int64(samples[z, x]) - predicted, error)  # equation 40
                mapped[z, x] = map_index(index, doubled, low, high)
            clipped = clip(predicted + index * (2 * error + 1), -half, half - 1)  # equation 48
            if is_decoding:
                samples[z, x] = clipped
            sample = clipped
            if t > 0:
                sample = representative(clipped, index, error, fine, damping, offset, theta, resolution)
                is_negative = 2 * clipped - doubled < 0  # equation 49
                rho = depth - resolution + scaling_exponent(
                    t, n_columns, constants.first_exponent, constants.last_exponent, constants.interval_exponent
                )
                w_n = updated_weight(w_n, d_n, is_negative, rho + o_direction, resolution)
                w_w = updated_weight(w_w, d_w, is_negative, rho + o_direction, resolution)
                w_nw = updated_weight(w_nw, d_nw, is_negative, rho + o_direction, resolution)
                w1 = updated_weight(w1, d1, is_negative, rho + o1, resolution)
                w2 = updated_weight(w2, d2, is_negative, rho + o2, resolution)
                w3 = updated_weight(w3, d3, is_negative, rho + o3, resolution)
                for i in range(3, n_used):
                    difference = state.differences[(z - 1 - i) % (n_previous + 1), x]
                    weights[3 + i] = updated_weight(
                        np.int64(weights[3 + i]), difference, is_negative, rho + offsets[3 + i], resolution
                    )
                own[x] = 4 * sample - total  # equation 24
            row[x] = sample
            north_west = north
            west = sample
        weights[0], weights[1], weights[2] = w_n, w_w, w_nw
        if n_previous > 0:
            weights[3] = w1
        if n_previous > 1:
            weights[4] = w2
        if n_previous > 2:
            weights[5] = w3
    return is_inside
