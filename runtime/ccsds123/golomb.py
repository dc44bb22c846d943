"""The sample-adaptive entropy coder of CCSDS 123.0-B-2, section 5.4.3.2, a line of bands at a time.

Each band keeps an accumulator (Sigma) and a counter (Gamma); their ratio is the mean mapped residual and
gives the parameter k of the length-limited Golomb power-of-two code of the next sample.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.ccsds123.ranges import check
from runtime.errors import Truncated
from runtime.kernels.bits import BitState, Uint8Array, overrun, put_bits, refill, take_bits
from runtime.kernels.kernel_cache import njit
from runtime.kernels.marks import Marks, kernel_marks

Mapped = npt.NDArray[np.integer[Any]]

LEADING_ZEROS = np.array([8 - byte.bit_length() for byte in range(256)], np.uint8)


@dataclass(frozen=True)
class GolombParameters:
    """What the header of CCSDS 123.0-B-2 says of this coder (table 5-4); ranges are checked."""

    depth: int  # D, bits of a mapped residual, 2..32
    unary_limit: int = 18  # U_max, 8..32
    rescaling_exponent: int = 6  # gamma*, max(4, gamma0 + 1)..11
    initial_count_exponent: int = 1  # gamma0, 1..8
    accumulator_constant: int = 3  # K, 0..min(D - 2, 14): sets the first mean

    def __post_init__(self) -> None:
        check("depth", self.depth, 2, 32)
        check("unary_limit", self.unary_limit, 8, 32)
        check("initial_count_exponent", self.initial_count_exponent, 1, 8)
        check("rescaling_exponent", self.rescaling_exponent, max(4, self.initial_count_exponent + 1), 11)
        check("accumulator_constant", self.accumulator_constant, 0, min(self.depth - 2, 14))

    @property
    def numbers(self) -> "CoderNumbers":
        """What kernels know of them."""
        return CoderNumbers(self.depth, self.unary_limit, self.rescaling_exponent, self.initial_count_exponent)


class CoderNumbers(NamedTuple):
    """What the kernels of this coder and of the hybrid one know of their parameters; fields as above."""

    depth: int
    unary_limit: int
    rescaling_exponent: int
    initial_count_exponent: int


class GolombState(NamedTuple):
    """Statistics of each band, shared by encoder and decoder; kernels update the arrays in place."""

    accumulator: npt.NDArray[np.int64]  # Sigma, (Z,)
    counter: npt.NDArray[np.int64]  # Gamma, (Z,); 0 until the band's first sample, which is sent plainly in D bits

    def of(self, bands: slice) -> "GolombState":
        """The same arrays, seen from some of the bands."""
        return GolombState(self.accumulator[bands], self.counter[bands])


def initial_accumulator(constant: int, depth: int, initial_count_exponent: int) -> int:
    """Sigma(1) from K, D and gamma0: equations 58 and 59."""
    exponent = constant if constant <= 30 - depth else 2 * constant + depth - 30
    return int(((3 << (exponent + 6)) - 49) * (1 << initial_count_exponent) >> 7)


def initial_state(parameters: GolombParameters, n_bands: int) -> GolombState:
    """The state before the first sample of a segment or image."""
    start = initial_accumulator(parameters.accumulator_constant, parameters.depth, parameters.initial_count_exponent)
    return GolombState(np.full(n_bands, start, np.int64), np.zeros(n_bands, np.int64))


def worst_bytes(parameters: GolombParameters, n_samples: int) -> int:
    """Bytes that `n_samples` cannot exceed, with the writer's slack."""
    return n_samples * (parameters.unary_limit + parameters.depth) // 8 + 16


@njit(cache=True, inline="always")
def code_parameter(accumulator: Any, counter: Any, depth: Any, start: Any) -> Any:
    """The largest k <= D - 2 with Gamma * 2**k <= Sigma + floor(49 * Gamma / 2**7), at least 0 (equation 62).

    `start` is any k in range, best the one of the sample before: it only shortens the search.
    """
    total = accumulator + ((49 * counter) >> 7)
    k = start
    while k > 0 and (counter << k) > total:
        k -= 1
    while k < depth - 2 and (counter << (k + 1)) <= total:
        k += 1
    return k


@njit(cache=True, inline="always")
def updated(accumulator: Any, counter: Any, mapped: Any, rescaling_exponent: Any) -> Any:
    """Sigma and Gamma after a sample: equations 60 and 61."""
    if counter < (np.int64(1) << rescaling_exponent) - 1:
        return accumulator + mapped, counter + 1
    return (accumulator + mapped + 1) >> 1, (counter + 1) >> 1


@njit(cache=True, inline="always")
def put_codeword(buffer: Any, writer: Any, delta: Any, k: Any, unary_limit: Any, depth: Any) -> Any:
    """Append the length-limited codeword of `delta` (5.4.3.2.2.1); returns the new writer state."""
    quotient = delta >> k
    if quotient < unary_limit:
        tail = (np.int64(1) << k) | (delta & ((np.int64(1) << k) - 1))
        if quotient + k < 32:
            return put_bits(buffer, writer, tail, quotient + 1 + k)
        writer = put_bits(buffer, writer, 0, quotient)
        return put_bits(buffer, writer, tail, k + 1)
    writer = put_bits(buffer, writer, 0, unary_limit)
    return put_bits(buffer, writer, delta, depth)


@njit(cache=True, inline="always")
def take_codeword(data: Any, reader: Any, k: Any, unary_limit: Any, depth: Any) -> Any:
    """The number whose codeword comes next, at least 32 bits being pending, and the new reader state."""
    position, pending, n_pending = reader
    quotient = np.int64(LEADING_ZEROS[(pending >> (n_pending - 8)) & 255])
    if quotient == 8:
        while quotient < unary_limit and (pending >> (n_pending - 1 - quotient)) & 1 == 0:
            quotient += 1
    if quotient < unary_limit:
        n_pending -= quotient + 1
        pending &= (np.int64(1) << n_pending) - 1
        reader = position, pending, n_pending
        if n_pending < k:  # rare; a refill at every sample would cost a branch that cannot be predicted
            reader = refill(data, reader)
        low, reader = take_bits(reader, k)
        return (quotient << k) | low, reader
    reader = refill(data, (position, pending, n_pending - unary_limit))
    delta, reader = take_bits(reader, depth)
    return delta, reader


@njit(cache=True)
def encode_rows(numbers: Any, mapped: Any, marks: Any, state: Any, buffer: Any, bits: Any) -> None:
    """Append a line to `buffer`, band after band, column after column; the state is updated in place.

    numbers: CoderNumbers. mapped: (Z, X), 0 <= delta < 2**depth. marks: (Z, X), what is not 0 is left out; or (Z, 0).
    state: GolombState. buffer: uint8 with room for
    `worst_bytes`. bits: int64[3], the writer of runtime/kernels/bits.py.
    """
    depth, unary_limit, rescaling_exponent, initial_count_exponent = numbers
    accumulators, counters = state
    writer = bits[0], bits[1], bits[2]
    k = np.int64(0)
    for z in range(mapped.shape[0]):
        accumulator, counter = accumulators[z], counters[z]
        for x in range(mapped.shape[1]):
            if marks.size > 0 and marks[z, x]:
                continue
            delta = np.int64(mapped[z, x])
            if counter == 0:
                writer = put_bits(buffer, writer, delta, depth)
                counter = np.int64(1) << initial_count_exponent
                continue
            k = code_parameter(accumulator, counter, depth, k)
            writer = put_codeword(buffer, writer, delta, k, unary_limit, depth)
            accumulator, counter = updated(accumulator, counter, delta, rescaling_exponent)
        accumulators[z], counters[z] = accumulator, counter
    bits[0], bits[1], bits[2] = writer


@njit(cache=True)
def decode_rows(numbers: Any, data: Any, bits: Any, marks: Any, state: Any, out_mapped: Any) -> bool:
    """Fill `out_mapped` (Z, X) from `data` (uint8); False where the data ran out.

    The other arguments are as in `encode_rows`; the state is updated in place, as the encoder's was.
    """
    depth, unary_limit, rescaling_exponent, initial_count_exponent = numbers
    accumulators, counters = state
    reader = bits[0], bits[1], bits[2]
    k = np.int64(0)
    for z in range(out_mapped.shape[0]):
        accumulator, counter = accumulators[z], counters[z]
        for x in range(out_mapped.shape[1]):
            if marks.size > 0 and marks[z, x]:
                continue
            reader = refill(data, reader)
            if counter == 0:
                delta, reader = take_bits(reader, depth)
                counter = np.int64(1) << initial_count_exponent
                out_mapped[z, x] = delta
                continue
            k = code_parameter(accumulator, counter, depth, k)
            delta, reader = take_codeword(data, reader, k, unary_limit, depth)
            out_mapped[z, x] = delta
            accumulator, counter = updated(accumulator, counter, delta, rescaling_exponent)
        accumulators[z], counters[z] = accumulator, counter
    bits[0], bits[1], bits[2] = reader
    return not overrun(data.size, reader)


def encode_line(
    parameters: GolombParameters, mapped: Mapped, state: GolombState, buffer: Uint8Array, bits: BitState,
    marks: Marks | None = None,
) -> None:  # fmt: skip
    """Append a line (Z, X) of mapped residuals to `buffer`; `state` and `bits` advance in place.

    marks: (Z, X), residuals that are left out.
    """
    encode_rows(parameters.numbers, mapped, kernel_marks(marks, len(mapped)), state, buffer, bits)


def decode_line(
    parameters: GolombParameters, data: Uint8Array, bits: BitState, state: GolombState, out_mapped: Mapped,
    marks: Marks | None = None,
) -> None:  # fmt: skip
    """Fill the mapped residuals (Z, X) of the next line of `data`, marks as in `encode_line`.

    `state` and `bits` advance in place.
    Raises Truncated where the data ends before the line does.
    """
    marked = kernel_marks(marks, len(out_mapped))
    if not decode_rows(parameters.numbers, data, bits, marked, state, out_mapped):
        raise Truncated(f"coded samples end after {data.size} bytes, in the middle of a line")
