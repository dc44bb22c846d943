"""What the predictor knows of an image and remembers between its lines, in the form that its kernel takes."""

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.ccsds123.choices import Fidelity, Mode
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.ccsds123.prediction_parameters import N_DIRECTIONAL
from runtime.ccsds123.quantizer import NO_LIMIT

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

N_IN_REGISTERS = 3  # Previous bands whose weights the kernel keeps in registers


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
    exponent_offsets: Int32Array  # varsigma of each weight, shaped as the weights
    damping: Int32Array  # phi_z, (Z,)
    offset: Int32Array  # psi_z, (Z,)


class PredictorState(NamedTuple):
    """What the predictor remembers between lines; `code_line` updates the arrays in place."""

    representatives: Int32Array  # s'' of the line before, relative to s_mid, (Z, X)
    weights: Int32Array  # omega of N, W, NW and the previous bands, (Z, 6 or more), 0 where a band has no such weight
    differences: Int64Array  # (n + 1, X), central local differences: band z in row z mod n; the last row is zero


class ErrorLimits(NamedTuple):
    """Error limits in force."""

    absolute: Int64Array  # a_z, (Z,): 0 where lossless, NO_LIMIT where only relative limits are used
    relative: Int64Array  # r_z, (Z,)


def predictor_constants(parameters: Ccsds123Parameters) -> PredictorConstants:
    """The kernel's form of `parameters`, whose tables must be complete."""
    image, prediction, sample = parameters.image, parameters.prediction, parameters.representative
    n_bands = image.n_bands
    offsets = np.zeros(weights_shape(parameters), np.int32)
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
    n_remembered = prediction.n_previous(image.n_bands - 1) + 1
    return PredictorState(
        np.zeros((image.n_bands, image.n_columns), np.int32),
        initial_weights(parameters),
        np.zeros((n_remembered + 1, image.n_columns), np.int64),
    )


def weights_shape(parameters: Ccsds123Parameters) -> tuple[int, int]:
    """(Z, weights): as many as the last band uses, and at least the six that the kernel keeps in registers."""
    n_bands = parameters.image.n_bands
    return n_bands, N_DIRECTIONAL + max(N_IN_REGISTERS, parameters.prediction.n_previous(n_bands - 1))


def initial_weights(parameters: Ccsds123Parameters) -> Int32Array:
    """W(1) of every band, 0 where a band has no such weight (4.6.3)."""
    prediction = parameters.prediction
    resolution = prediction.weight_resolution
    weights = np.zeros(weights_shape(parameters), np.int32)
    if prediction.initial_weights is None:
        weight = (7 << resolution) >> 3  # equation 33
        for i in range(prediction.n_previous(parameters.image.n_bands - 1)):
            weights[i + 1 :, N_DIRECTIONAL + i] = weight
            weight >>= 3
        return weights
    shift = resolution + 3 - prediction.initial_weight_bits
    ones = (1 << (shift - 1)) - 1 if shift else 0
    skipped = 0 if prediction.mode is Mode.FULL else N_DIRECTIONAL
    for z, row in enumerate(prediction.initial_weights):
        weights[z, skipped : skipped + len(row)] = [(value << shift) + ones for value in row]  # equation 35
    return weights


def error_limits(parameters: Ccsds123Parameters, values: Sequence[Sequence[int]]) -> ErrorLimits:
    """Limits as arrays. values: of each limit in use, absolute before relative: one for all bands, or one per band."""
    quantization, n_bands = parameters.quantization, parameters.image.n_bands
    unused = NO_LIMIT if quantization.fidelity is Fidelity.RELATIVE else 0
    found = ErrorLimits(np.full(n_bands, unused, np.int64), np.zeros(n_bands, np.int64))
    in_use = quantization.absolute is not None, quantization.relative is not None
    for array, own in zip(compress(found, in_use), values, strict=True):
        array[:] = own
    return found
