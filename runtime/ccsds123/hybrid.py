"""The hybrid entropy coder (5.4.3.3), encoding; runtime/ccsds123/hybrid_decoder.py runs the same backwards."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from runtime.ccsds123.body import BodyWriter, IndexEncoder
from runtime.ccsds123.coder_parameters import Hybrid
from runtime.ccsds123.golomb import CoderNumbers, code_parameter
from runtime.ccsds123.image import Image
from runtime.ccsds123.low_entropy import N_CODES, low_entropy_tables
from runtime.ccsds123.order import Piece, Uint32Array, to_sequence
from runtime.kernels.bits import put_bits
from runtime.kernels.kernel_cache import njit

Int64Array = npt.NDArray[np.int64]

THRESHOLD_BITS = 14


class HybridState(NamedTuple):
    """Statistics and active prefixes, shared by encoder and decoder; kernels update the arrays in place."""

    accumulator: Int64Array  # High-resolution Sigma of each band, (Z,), 0 <= Sigma < 2**(2 + D + gamma*)
    counter: Int64Array  # Gamma of each band, (Z,); 0 before the band's first sample
    prefix: Int64Array  # Node of the active prefix of each low-entropy code, (16,)

    def of(self, bands: slice) -> "HybridState":
        """The same arrays, seen from some of the bands."""
        return HybridState(self.accumulator[bands], self.counter[bands], self.prefix)


def hybrid_numbers(coder: Hybrid, image: Image) -> CoderNumbers:
    """The kernel's form of the parameters."""
    return CoderNumbers(image.depth, coder.unary_limit, coder.rescaling_exponent, coder.initial_count_exponent)


class HybridEncoder(IndexEncoder):
    """Appends pieces of indices to a body."""

    def __init__(self, coder: Hybrid, image: Image) -> None:
        self.numbers = hybrid_numbers(coder, image)
        self.tables = low_entropy_tables()
        starts = np.array(coder.accumulators(image), np.int64)
        self.state = HybridState(starts, np.zeros(image.n_bands, np.int64), self.tables.root.astype(np.int64))
        self.writer = BodyWriter()

    @override
    def put(self, block: Uint32Array, piece: Piece) -> None:
        n = self.numbers
        # at most a rescaling bit, an escaped residual and a low-entropy word of 21 bits for each sample
        self.writer.make_room(block.size * (n.unary_limit + n.depth + 22) // 8)
        encode_pieces(
            to_sequence(block, piece.depth), piece.depth, n, self.tables,
            self.state.of(piece.bands), self.writer.buffer, self.writer.bits,
        )  # fmt: skip

    @override
    def finish(self) -> None:
        """Append the compressed image tail (5.4.3.3.5.4), fill bits apart."""
        for i in range(N_CODES):
            node = self.state.prefix[i]
            self.writer.put_all([int(self.tables.flush_value[node])], int(self.tables.flush_bits[node]))
        self.writer.put_all(self.state.accumulator.tolist(), 2 + self.numbers.depth + self.numbers.rescaling_exponent)
        self.writer.put_all([1], 1)


@njit(cache=True, inline="always")
def is_high_entropy(accumulator: Any, counter: Any, tables: Any) -> Any:
    """Whether a sample is coded by itself (5.4.3.3.5.1.4)."""
    return (accumulator << THRESHOLD_BITS) >= tables.threshold[0] * counter


@njit(cache=True, inline="always")
def high_entropy_parameter(accumulator: Any, counter: Any, depth: Any, start: Any) -> Any:
    """The largest k <= max(D - 2, 2) that equation 66 allows: it is equation 62 with 4 Gamma for Gamma."""
    return code_parameter(accumulator, 4 * counter, max(depth, np.int64(4)), start)


@njit(cache=True, inline="always")
def low_entropy_index(accumulator: Any, counter: Any, tables: Any) -> Any:
    """The largest code index i with Sigma * 2**14 < Gamma * T_i (5.4.3.3.5.3.1)."""
    i = 0
    while i + 1 < N_CODES and (accumulator << THRESHOLD_BITS) < counter * tables.threshold[i + 1]:
        i += 1
    return i


@njit(cache=True, inline="always")
def put_reversed(buffer: Any, writer: Any, value: Any, k: Any, unary_limit: Any, depth: Any) -> Any:
    """Append the reversed length-limited codeword of `value` (5.4.3.3.3.2.1); returns the new writer state."""
    quotient = value >> k
    if quotient < unary_limit:
        low = value & ((np.int64(1) << k) - 1)
        writer = put_bits(buffer, writer, (low << 1) | 1, k + 1)
        return put_bits(buffer, writer, 0, quotient)
    writer = put_bits(buffer, writer, value, depth)
    return put_bits(buffer, writer, 0, unary_limit)


@njit(cache=True)
def encode_pieces(
    sequence: Any, interleaving_depth: Any, numbers: Any, tables: Any, state: Any, buffer: Any, bits: Any
) -> None:
    """Append the indices of a piece in which groups of M bands alternate.

    sequence: uint32, in stream order. state: HybridState of the piece's bands, updated in place.
    """
    accumulators, counters, prefixes = state
    writer = bits[0], bits[1], bits[2]
    depth, unary_limit = numbers.depth, numbers.unary_limit
    fullest = (np.int64(1) << numbers.rescaling_exponent) - 1
    n_bands = accumulators.size
    n_times = sequence.size // n_bands
    k = np.int64(2)
    at = 0
    for first in range(0, n_bands, interleaving_depth):
        last = min(first + interleaving_depth, n_bands)
        for _ in range(n_times):
            for z in range(first, last):
                delta = np.int64(sequence[at])
                at += 1
                if counters[z] == 0:
                    writer = put_bits(buffer, writer, delta, depth)
                    counters[z] = np.int64(1) << numbers.initial_count_exponent
                    continue
                accumulator, counter = accumulators[z], counters[z]
                if counter == fullest:  # equations 64 and 65
                    writer = put_bits(buffer, writer, accumulator & 1, 1)
                    accumulator = (accumulator + 4 * delta + 1) >> 1
                    counter = (counter + 1) >> 1
                else:
                    accumulator += 4 * delta
                    counter += 1
                accumulators[z], counters[z] = accumulator, counter
                if is_high_entropy(accumulator, counter, tables):
                    k = high_entropy_parameter(accumulator, counter, depth, k)
                    writer = put_reversed(buffer, writer, delta, k, unary_limit, depth)
                    continue
                i = low_entropy_index(accumulator, counter, tables)
                escape = np.int64(tables.limit[i]) + 1
                symbol = min(delta, escape)  # equation 67
                if symbol == escape:
                    writer = put_reversed(buffer, writer, delta - escape, np.int64(0), unary_limit, depth)
                node = tables.child[prefixes[i], symbol]
                if node < 0:
                    word = -1 - node
                    writer = put_bits(
                        buffer, writer, np.int64(tables.word_value[word]),
                        np.int64(tables.word_bits[word]),
                    )  # fmt: skip
                    node = tables.root[i]
                prefixes[i] = node
    bits[0], bits[1], bits[2] = writer
