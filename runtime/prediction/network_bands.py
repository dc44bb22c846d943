"""Bands of a line from the network's contexts to mapped residuals, or back, in one compiled call.

Features, spectral part, filter, adaptive stage and mapping of as many bands as there are contexts for: what a call
costs does not bound narrow images.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.adaptive.band import Band, code_band
from runtime.cell.flight_inputs import BAND_FEATURES, TAPS, fill_band_features, fill_differences, filtered
from runtime.cell.spectral_part import SpectralField, SpectralPart, spectral_taps
from runtime.kernels.kernel_cache import njit
from runtime.kernels.mapping import map_samples, unmap_samples

ALL_INSIDE = -1


class LineCoding(NamedTuple):
    """What is coded of a line, and within what; all arrays (Z, X)."""

    samples: npt.NDArray[np.int32]  # With a maximum error they become what a decoder restores
    mapped: npt.NDArray[np.int32]
    known: npt.NDArray[np.int32]  # What predictions learn from: the samples, where there is no error
    marks: npt.NDArray[np.uint8]  # Not 0: samples that both sides know, whose mapped residuals are 0; or (Z, 0)
    max_error: int
    smallest: int
    largest: int
    is_decoder: bool


class NetworkLine(NamedTuple):
    """What the network makes of some groups of bands, and what it needs to go on."""

    first_group: int
    contexts: npt.NDArray[np.int8]  # (N, X, G S)
    part: SpectralPart
    field: SpectralField
    host: tuple[npt.NDArray[Any], ...]  # HostState.arrays


class BandWork(NamedTuple):
    """Work space of a band."""

    features: npt.NDArray[np.int8]  # (X, BAND_FEATURES)
    differences: npt.NDArray[np.int32]  # (TAPS, X)
    doubled: npt.NDArray[np.int32]  # (X,)


@njit(cache=True)
def band_work(n_columns: Any) -> Any:
    """Work space for so many columns."""
    return BandWork(
        np.empty((n_columns, BAND_FEATURES), np.int8), np.empty((TAPS, n_columns), np.int32),
        np.empty(n_columns, np.int32),
    )  # fmt: skip


@njit(cache=True)
def predict_band(z: Any, known: Any, network: Any, smallest: Any, largest: Any, work: Any) -> None:
    """Fill work.doubled with s-tilde of band `z`, from the bands before it in `known`."""
    n, host = network.field.n_features, network.host
    group = network.contexts.shape[2] // n
    place = z % group * n
    contexts = network.contexts[z // group - network.first_group, :, place : place + n]
    fill_band_features(z, known, host, work.features)
    taps = spectral_taps(z, work.features, contexts, network.part, network.field)
    fill_differences(z, known, host, work.differences)
    filtered(taps, work.differences, host[0][z], smallest, largest, work.doubled)


@njit(cache=True)
def code_plain_band(z: Any, doubled: Any, coding: Any) -> bool:
    """Code band `z` from its predictions alone; False where a mapped residual leads outside the sample range."""
    samples, mapped, marks = coding.samples[z], coding.mapped[z], coding.marks[z]
    error, smallest, largest = coding.max_error, coding.smallest, coding.largest
    is_inside = True
    if not coding.is_decoder:
        map_samples(samples, doubled, error, smallest, largest, mapped)
        for x in range(marks.size):
            mapped[x] = 0 if marks[x] else mapped[x]
    if coding.is_decoder or error > 0:
        before = samples.copy()
        is_inside = unmap_samples(mapped, doubled, error, smallest, largest, samples)
        for x in range(marks.size):
            samples[x] = before[x] if marks[x] else samples[x]
    if error > 0:
        for x in range(samples.size):
            coding.known[z, x] = samples[x]
    return is_inside


@njit(cache=True)
def code_plain(start: Any, stop: Any, network: Any, coding: Any) -> Any:
    """Code the bands start..stop - 1; the first that leads outside the sample range, or ALL_INSIDE."""
    work = band_work(coding.samples.shape[1])
    for z in range(start, stop):
        predict_band(z, coding.known, network, coding.smallest, coding.largest, work)
        if not code_plain_band(z, work.doubled, coding):
            return np.int64(z)
    return np.int64(ALL_INSIDE)


@njit(cache=True)
def code_staged(
    start: Any, stop: Any, network: Any, coding: Any, parameters: Any, lanes: Any, mixed: Any, state: Any
) -> Any:
    """Code the bands start..stop - 1 through the adaptive stage, as `code_plain`."""
    work = band_work(coding.samples.shape[1])
    values, out_values = coding.samples, coding.mapped
    if coding.is_decoder:
        values, out_values = out_values, values
    limits = coding.max_error, coding.smallest, coding.largest, coding.is_decoder
    for z in range(start, stop):
        predict_band(z, coding.known, network, coding.smallest, coding.largest, work)
        band = Band(z, work.doubled, *limits, values[z], out_values[z], coding.marks[z])
        if not code_band(parameters, lanes, mixed, state, band):
            return np.int64(z)
        if coding.max_error > 0:
            for x in range(work.doubled.size):
                coding.known[z, x] = state.line[z, x]
    return np.int64(ALL_INSIDE)
