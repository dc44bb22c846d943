"""The hybrid entropy coder run backwards, as its output words are suffix-free (5.4.3.3.1).

The last bits hold the state that the encoder ended in; each step back undoes one sample, until the state is the
one that the encoder began with. A step reads, in reverse, the codeword, the escape's residual and the rescaling bit.
"""

from typing import Any

import numpy as np
from typing_extensions import override

from runtime.ccsds123.body import IMPOSSIBLE, OK, RAN_OUT, IndexDecoder, place_of, raise_status, untrusted
from runtime.ccsds123.coder_parameters import Hybrid
from runtime.ccsds123.hybrid import (
    HybridState,
    high_entropy_parameter,
    hybrid_numbers,
    is_high_entropy,
    low_entropy_index,
)
from runtime.ccsds123.low_entropy import N_CODES, low_entropy_tables
from runtime.ccsds123.order import Piece, Uint32Array, from_sequence, pieces
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.errors import Corrupt, Truncated
from runtime.kernels.bits import Uint8Array
from runtime.kernels.kernel_cache import njit


class HybridDecoder(IndexDecoder):
    """Gives pieces of indices in stream order, all decoded at the start."""

    def __init__(self, coder: Hybrid, parameters: Ccsds123Parameters, body: memoryview) -> None:
        self.image, self.quantization = parameters.image, parameters.quantization
        self.numbers = hybrid_numbers(coder, self.image)
        self.tables = low_entropy_tables()
        self.data = untrusted(body)
        self.end = np.array([end_of_body(self.data)], np.int64)
        self.state = self._take_tail()
        image = self.image
        self.indices = np.empty((image.n_bands, image.n_lines * image.n_columns), f"u{image.dtype.itemsize}")
        self.limits: list[list[int]] = []
        for piece in pieces(image, -1):
            self._step_back(piece)
            self._take_limits_back(piece)
        if self.end[0] != 0:
            raise Corrupt(f"body: {self.end[0]} bits lie before the first sample's, must be none")

    @override
    def take_limits(self, n_values: int, n_bits: int) -> list[int]:
        return self.limits.pop()

    @override
    def take(self, piece: Piece) -> Uint32Array:
        """The indices of a piece, (bands, samples) uint32."""
        return self.indices[piece.bands, piece.times].astype(np.uint32)

    @override
    def finish(self) -> int:
        """The whole body: its end was found from its last bit."""
        return len(np.trim_zeros(self.data, "b"))

    def _take_tail(self) -> HybridState:
        accumulators = np.empty(self.image.n_bands, np.int64)
        prefixes = np.empty(N_CODES, np.int64)
        status = take_tail(self.data, self.end, self.numbers, self.tables, accumulators, prefixes)
        raise_status(status, "the compressed image tail", len(self.data))
        n_times = self.image.n_lines * self.image.n_columns
        counter = counter_at(n_times - 1, self.numbers.initial_count_exponent, self.numbers.rescaling_exponent)
        return HybridState(accumulators, np.full(self.image.n_bands, counter, np.int64), prefixes)

    def _step_back(self, piece: Piece) -> None:
        sequence = np.empty(piece.shape[0] * piece.shape[1], np.uint32)
        status = decode_backwards(
            self.data, self.end, piece.depth, piece.times.start, self.numbers, self.tables,
            self.state.of(piece.bands), sequence,
        )  # fmt: skip
        raise_status(status, place_of(piece), len(self.data))
        self.indices[piece.bands, piece.times] = from_sequence(sequence, piece.shape, piece.depth)

    def _take_limits_back(self, piece: Piece) -> None:
        y = piece.times.start // self.image.n_columns
        if not self.quantization.starts_period(y):
            return
        for limit in reversed(self.quantization.limits):
            values = np.empty(limit.n_values(self.image), np.int64)
            take_values_back(self.data, self.end, limit.n_bits, values)
            raise_status(RAN_OUT if self.end[0] < 0 else OK, "error limits", len(self.data))
            self.limits.append(values.tolist())


def end_of_body(data: Uint8Array) -> int:
    """Bits before the final 1, which the fill bits follow (5.4.3.3.5.4.4)."""
    occupied = np.flatnonzero(data[-8:])
    if occupied.size == 0:
        raise Truncated("body: its last 8 bytes are zero, the final 1 bit is missing")
    last = len(data) - len(data[-8:]) + int(occupied[-1])
    byte = int(data[last])
    return last * 8 + 7 - ((byte & -byte).bit_length() - 1)


def counter_at(t: int, initial_count_exponent: int, rescaling_exponent: int) -> int:
    """Gamma(t) (equations 63 and 65)."""
    n_rising = (1 << rescaling_exponent) - 1 - (1 << initial_count_exponent)
    if t <= n_rising:
        return (1 << initial_count_exponent) + t
    half = 1 << (rescaling_exponent - 1)
    return half + (t - n_rising - 1) % half


@njit(cache=True, inline="always")
def take_back(data: Any, end: Any, n_bits: Any) -> Any:
    """The `n_bits` <= 32 before bit `end`; bits before the first one are zeros."""
    last = (end - 1) >> 3
    window = np.int64(0)
    for i in range(last - 4, last + 1):
        window = (window << 8) | (np.int64(data[i]) if i >= 0 else np.int64(0))
    return (window >> (-end & 7)) & ((np.int64(1) << n_bits) - 1)


@njit(cache=True, inline="always")
def take_reversed(data: Any, end: Any, k: Any, unary_limit: Any, depth: Any) -> Any:
    """The number whose reversed codeword (5.4.3.3.3.2.1) ends before bit `end`, and where it begins."""
    window = take_back(data, end, np.int64(32))
    quotient = np.int64(0)
    while quotient < unary_limit and (window >> quotient) & 1 == 0:
        quotient += 1
    if quotient == unary_limit:
        end -= unary_limit
        return take_back(data, end, depth), end - depth
    end -= quotient + 1
    return (quotient << k) | take_back(data, end, k), end - k


@njit(cache=True, inline="always")
def take_word(data: Any, end: Any, suffix_child: Any, root: Any) -> Any:
    """The number of the suffix-free word that ends before bit `end`, and where it begins."""
    window = take_back(data, end, np.int64(32))  # words have at most 21 bits
    at = np.int64(root)
    n_bits = np.int64(0)
    while True:
        at = np.int64(suffix_child[at, (window >> n_bits) & 1])
        n_bits += 1
        if at < 0:
            return -1 - at, end - n_bits


@njit(cache=True)
def take_values_back(data: Any, end_bit: Any, n_bits: Any, out_values: Any) -> None:
    """Fill `out_values`, from the last, with numbers of `n_bits` <= 32 that end before bit `end_bit[0]`."""
    end = end_bit[0]
    for i in range(out_values.size - 1, -1, -1):
        out_values[i] = take_back(data, end, n_bits)
        end -= n_bits
    end_bit[0] = end


@njit(cache=True)
def take_tail(data: Any, end_bit: Any, numbers: Any, tables: Any, out_accumulators: Any, out_prefixes: Any) -> Any:
    """Fill the final accumulators and active prefixes from the tail; returns a status."""
    end = end_bit[0]
    n_high = 2 + numbers.depth + numbers.rescaling_exponent - 8  # 8..37: two reads
    for z in range(out_accumulators.size - 1, -1, -1):
        low = take_back(data, end, np.int64(8))
        middle = take_back(data, end - 8, min(n_high, 32))
        high = take_back(data, end - 40, max(n_high - 32, 0))
        out_accumulators[z] = (high << 40) | (middle << 8) | low
        end -= 8 + n_high
        if end < 0:
            return RAN_OUT
    for i in range(N_CODES - 1, -1, -1):
        out_prefixes[i], end = take_word(data, end, tables.suffix_child, tables.flush_suffix[i])
    end_bit[0] = end
    return RAN_OUT if end < 0 else OK


@njit(cache=True)
def decode_backwards(
    data: Any,
    end_bit: Any,
    interleaving_depth: Any,
    first_time: Any,
    numbers: Any,
    tables: Any,
    state: Any,
    out_sequence: Any,
) -> Any:
    """Fill `out_sequence` (uint32, stream order) from its end, undoing runtime.ccsds123.hybrid.encode_pieces.

    end_bit: int64[1]. first_time: t of the piece's first sample. state: HybridState of its bands, which goes back in
    place. Returns a status.
    """
    accumulators, counters, prefixes = state
    end = end_bit[0]
    depth, unary_limit = numbers.depth, numbers.unary_limit
    initial_counter = np.int64(1) << numbers.initial_count_exponent
    fullest = (np.int64(1) << numbers.rescaling_exponent) - 1
    n_rising = fullest - initial_counter
    largest = np.int64(1) << (2 + depth + numbers.rescaling_exponent)
    n_bands = accumulators.size
    n_times = out_sequence.size // n_bands
    k = np.int64(2)
    at = out_sequence.size
    for group in range((n_bands - 1) // interleaving_depth, -1, -1):
        first = group * interleaving_depth
        for i_time in range(n_times - 1, -1, -1):
            t = first_time + i_time
            for z in range(min(first + interleaving_depth, n_bands) - 1, first - 1, -1):
                at -= 1
                accumulator, counter = accumulators[z], counters[z]
                if t == 0:
                    if accumulator >= initial_counter << depth:
                        return IMPOSSIBLE  # Sigma_z(0) >= 2**(D + gamma0)
                    out_sequence[at] = take_back(data, end, depth)
                    end -= depth
                    if end < 0:
                        return RAN_OUT
                    continue
                if is_high_entropy(accumulator, counter, tables):
                    k = high_entropy_parameter(accumulator, counter, depth, k)
                    delta, end = take_reversed(data, end, k, unary_limit, depth)
                else:
                    i = low_entropy_index(accumulator, counter, tables)
                    node = prefixes[i]
                    if node == tables.root[i]:
                        word, end = take_word(data, end, tables.suffix_child, tables.word_suffix[i])
                        delta = np.int64(tables.word_symbol[word])
                        prefixes[i] = tables.word_parent[word]
                    else:
                        delta = np.int64(tables.node_symbol[node])
                        prefixes[i] = tables.node_parent[node]
                    if delta > tables.limit[i]:
                        residual, end = take_reversed(data, end, np.int64(0), unary_limit, depth)
                        delta += residual
                if t > n_rising and (t - n_rising - 1) % ((fullest + 1) >> 1) == 0:  # equation 64 rescaled here
                    accumulator = 2 * accumulator - 4 * delta - take_back(data, end, np.int64(1))
                    end -= 1
                    counter = fullest
                else:
                    accumulator -= 4 * delta
                    counter -= 1
                if end < 0:
                    return RAN_OUT
                if accumulator < 0 or accumulator >= largest or delta >> depth != 0:
                    return IMPOSSIBLE
                accumulators[z], counters[z] = accumulator, counter
                out_sequence[at] = delta
    end_bit[0] = end
    return OK
