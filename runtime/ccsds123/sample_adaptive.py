"""The sample-adaptive entropy coder for every input order (5.4.3.2), on top of runtime/ccsds123/golomb.py."""

from typing import Any

import numpy as np
from typing_extensions import override

from runtime.ccsds123.body import OK, RAN_OUT, BodyReader, BodyWriter, IndexDecoder, IndexEncoder, place_of
from runtime.ccsds123.coder_parameters import SampleAdaptive
from runtime.ccsds123.golomb import (
    GolombState,
    code_parameter,
    decode_rows,
    encode_rows,
    initial_accumulator,
    put_codeword,
    take_codeword,
    updated,
    worst_bytes,
)
from runtime.ccsds123.image import Image
from runtime.ccsds123.order import Piece, Uint32Array, from_sequence, to_sequence
from runtime.kernels.bits import overrun, put_bits, refill, take_bits
from runtime.kernels.kernel_cache import njit
from runtime.kernels.marks import kernel_marks


def initial_state(coder: SampleAdaptive, image: Image) -> GolombState:
    """Statistics before the first sample of each band (equations 57..59)."""
    constants = coder.accumulator_table or (coder.accumulator_constant or 0,) * image.n_bands
    starts = {k: initial_accumulator(k, image.depth, coder.initial_count_exponent) for k in set(constants)}
    return GolombState(np.array([starts[k] for k in constants], np.int64), np.zeros(image.n_bands, np.int64))


class SampleAdaptiveEncoder(IndexEncoder):
    """Appends pieces of indices to a body."""

    def __init__(self, coder: SampleAdaptive, image: Image) -> None:
        self.parameters = coder.golomb(image.depth)
        self.state = initial_state(coder, image)
        self.writer = BodyWriter()

    @override
    def put(self, block: Uint32Array, piece: Piece) -> None:
        writer, numbers, state = self.writer, self.parameters.numbers, self.state.of(piece.bands)
        writer.make_room(worst_bytes(self.parameters, block.size))
        if piece.depth == 1:
            encode_rows(numbers, block, kernel_marks(None, len(block)), state, writer.buffer, writer.bits)
        else:
            sequence = to_sequence(block, piece.depth)
            encode_interleaved(numbers, sequence, piece.depth, state, writer.buffer, writer.bits)


class SampleAdaptiveDecoder(IndexDecoder):
    """Takes pieces of indices from a body."""

    def __init__(self, coder: SampleAdaptive, image: Image, body: memoryview) -> None:
        self.parameters = coder.golomb(image.depth)
        self.state = initial_state(coder, image)
        self.reader = BodyReader(body)

    @override
    def take_limits(self, n_values: int, n_bits: int) -> list[int]:
        return self.reader.take_all(n_values, n_bits)

    @override
    def take(self, piece: Piece) -> Uint32Array:
        reader, numbers, state = self.reader, self.parameters.numbers, self.state.of(piece.bands)
        if piece.depth == 1:
            block = np.empty(piece.shape, np.uint32)
            is_whole = decode_rows(numbers, reader.data, reader.bits, kernel_marks(None, len(block)), state, block)
        else:
            sequence = np.empty(piece.shape[0] * piece.shape[1], np.uint32)
            is_whole = decode_interleaved(numbers, reader.data, reader.bits, piece.depth, state, sequence)
            block = from_sequence(sequence, piece.shape, piece.depth)
        reader.check(OK if is_whole else RAN_OUT, place_of(piece))
        return block

    @override
    def finish(self) -> int:
        """Body bytes consumed; nothing follows the last piece."""
        return self.reader.n_bytes


@njit(cache=True)
def encode_interleaved(
    numbers: Any, sequence: Any, interleaving_depth: Any, state: Any, buffer: Any, bits: Any
) -> None:
    """Append a line in which groups of M bands alternate; arguments as in runtime.ccsds123.golomb.encode_rows.

    sequence: uint32, the indices in stream order.
    """
    depth, unary_limit, rescaling_exponent, initial_count_exponent = numbers
    accumulators, counters = state
    writer = bits[0], bits[1], bits[2]
    n_bands = accumulators.size
    n_columns = sequence.size // n_bands
    k = np.int64(0)
    i = 0
    for first in range(0, n_bands, interleaving_depth):
        last = min(first + interleaving_depth, n_bands)
        for _ in range(n_columns):
            for z in range(first, last):
                delta = np.int64(sequence[i])
                i += 1
                if counters[z] == 0:
                    writer = put_bits(buffer, writer, delta, depth)
                    counters[z] = np.int64(1) << initial_count_exponent
                    continue
                k = code_parameter(accumulators[z], counters[z], depth, k)
                writer = put_codeword(buffer, writer, delta, k, unary_limit, depth)
                accumulators[z], counters[z] = updated(accumulators[z], counters[z], delta, rescaling_exponent)
    bits[0], bits[1], bits[2] = writer


@njit(cache=True)
def decode_interleaved(
    numbers: Any, data: Any, bits: Any, interleaving_depth: Any, state: Any, out_sequence: Any
) -> bool:
    """Fill `out_sequence` (uint32) with what `encode_interleaved` took; False where the data ran out."""
    depth, unary_limit, rescaling_exponent, initial_count_exponent = numbers
    accumulators, counters = state
    reader = bits[0], bits[1], bits[2]
    n_bands = accumulators.size
    n_columns = out_sequence.size // n_bands
    k = np.int64(0)
    i = 0
    for first in range(0, n_bands, interleaving_depth):
        last = min(first + interleaving_depth, n_bands)
        for _ in range(n_columns):
            for z in range(first, last):
                reader = refill(data, reader)
                if counters[z] == 0:
                    delta, reader = take_bits(reader, depth)
                    counters[z] = np.int64(1) << initial_count_exponent
                else:
                    k = code_parameter(accumulators[z], counters[z], depth, k)
                    delta, reader = take_codeword(data, reader, k, unary_limit, depth)
                    accumulators[z], counters[z] = updated(accumulators[z], counters[z], delta, rescaling_exponent)
                out_sequence[i] = delta
                i += 1
    bits[0], bits[1], bits[2] = reader
    return not overrun(data.size, reader)
