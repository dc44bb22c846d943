"""The predictor: one line of all bands at a time, the same loop for encoder and decoder (section 4).

Encoding turns samples into mapped quantizer indices, decoding the other way round; both leave the same state,
because they share every statement but one: where the quantizer index comes from.
"""

from typing import Any

import numpy as np

from runtime.ccsds123.prediction import clip, high_resolution, local_sum, scaling_exponent, updated_weight
from runtime.ccsds123.quantizer import maximum_error, representative
from runtime.kernels.in_loop import quantizer_index, steps_within
from runtime.kernels.kernel_cache import njit
from runtime.kernels.mapping import map_index, unmap_index


@njit(cache=True, error_model="numpy")
def code_line(constants: Any, state: Any, limits: Any, y: Any, is_decoding: Any, samples: Any, mapped: Any) -> bool:
    """Code line `y` of every band; False where a mapped index to decode leads outside the sample range.

    samples: (Z, X) int32 relative to s_mid, read when encoding, filled with s' when decoding.
    mapped: (Z, X) uint32, delta, filled when encoding, read when decoding.
    The arrays of `state` become those of the next line.
    """
    n_bands, n_columns = samples.shape
    depth, resolution = constants.depth, constants.resolution
    n_previous, theta = constants.n_previous_bands, constants.theta
    half = np.int64(1) << (depth - 1)
    n_rows = state.differences.shape[0] - 1
    rows = np.empty(max(n_previous, 3), np.int64)
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
        own = state.differences[z % n_rows]
        for i in range(rows.size):
            rows[i] = (z - 1 - i) % n_rows if i < n_used else n_rows
        d1_row, d2_row, d3_row = state.differences[rows[0]], state.differences[rows[1]], state.differences[rows[2]]
        w_n, w_w, w_nw = np.int64(weights[0]), np.int64(weights[1]), np.int64(weights[2])
        w1, w2, w3 = np.int64(weights[3]), np.int64(weights[4]), np.int64(weights[5])
        o_direction = np.int64(offsets[0])
        o1, o2, o3 = np.int64(offsets[3]), np.int64(offsets[4]), np.int64(offsets[5])
        west = north_west = np.int64(0)
        for x in range(n_columns):
            north = np.int64(row[x])
            t = y * n_columns + x
            total = d_n = d_w = d_nw = fine = np.int64(0)
            d1, d2, d3 = d1_row[x], d2_row[x], d3_row[x]
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
                    predicted_difference += weights[3 + i] * state.differences[rows[i], x]
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
                rho = scaling_exponent(t, n_columns, constants)
                w_n = updated_weight(w_n, d_n, is_negative, rho + o_direction, resolution)
                w_w = updated_weight(w_w, d_w, is_negative, rho + o_direction, resolution)
                w_nw = updated_weight(w_nw, d_nw, is_negative, rho + o_direction, resolution)
                w1 = updated_weight(w1, d1, is_negative, rho + o1, resolution)
                w2 = updated_weight(w2, d2, is_negative, rho + o2, resolution)
                w3 = updated_weight(w3, d3, is_negative, rho + o3, resolution)
                for i in range(3, n_used):
                    difference = state.differences[rows[i], x]
                    weights[3 + i] = updated_weight(
                        np.int64(weights[3 + i]), difference, is_negative, rho + offsets[3 + i], resolution
                    )
                own[x] = 4 * sample - total  # equation 24
            row[x] = sample
            north_west = north
            west = sample
        weights[0], weights[1], weights[2] = w_n, w_w, w_nw
        weights[3], weights[4], weights[5] = w1, w2, w3
    return is_inside
