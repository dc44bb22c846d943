"""The block-adaptive entropy coder, decoding (5.4.3.4, CCSDS 121.0-B-2)."""

from typing import Any, NamedTuple

import numpy as np
from typing_extensions import override

from runtime.ccsds123.block_adaptive import REST_OF_SEGMENT, SEGMENT_BLOCKS, block_numbers
from runtime.ccsds123.body import IMPOSSIBLE, OK, RAN_OUT, BodyReader, IndexDecoder, place_of
from runtime.ccsds123.coder_parameters import BlockAdaptive
from runtime.ccsds123.image import Image
from runtime.ccsds123.order import Piece, Uint32Array, from_sequence
from runtime.kernels.bits import overrun, refill, take_bits
from runtime.kernels.kernel_cache import njit


class BlockDecoderState(NamedTuple):
    """What the decoder remembers between calls, beside the values of the block that it is in."""

    block: int  # Blocks decoded since the reference interval began, 0..r - 1
    zeros_left: int  # Values of a zero run not given out yet
    values_left: int  # Values of the current block not given out yet: its last ones


class BlockAdaptiveDecoder(IndexDecoder):
    """Takes pieces of indices from a body."""

    def __init__(self, coder: BlockAdaptive, image: Image, body: memoryview) -> None:
        self.numbers = block_numbers(coder, image)
        self.state = BlockDecoderState(0, 0, 0)
        self.current = np.zeros(coder.block_size, np.uint32)
        self.reader = BodyReader(body)

    @override
    def take_limits(self, n_values: int, n_bits: int) -> list[int]:
        """The next error limits, each held to its bits."""
        limits: list[int] = self._take(n_values, "error limits").tolist()
        self.reader.check(IMPOSSIBLE if any(limit >> n_bits for limit in limits) else OK, "error limits")
        return limits

    @override
    def take(self, piece: Piece) -> Uint32Array:
        sequence = self._take(piece.shape[0] * piece.shape[1], place_of(piece))
        return from_sequence(sequence, piece.shape, piece.depth)

    @override
    def finish(self) -> int:
        """Body bytes consumed; zeros that fill the last block are not looked at."""
        return self.reader.n_bytes

    def _take(self, n_values: int, place: str) -> Uint32Array:
        values = np.empty(n_values, np.uint32)
        status, self.state = decode_values(
            self.reader.data, self.reader.bits, self.numbers, self.state, self.current, values
        )
        self.reader.check(status, place)
        return values


@njit(cache=True)
def take_unary(data: Any, reader: Any) -> Any:
    """The zeros before the next one, and the new reader state; ends at the end of `data` where no one comes."""
    value = np.int64(0)
    while True:
        position, pending, n_pending = refill(data, reader)
        if pending != 0:
            while (pending >> (n_pending - 1)) == 0:
                n_pending -= 1
                value += 1
            n_pending -= 1
            return value, (position, pending & ((np.int64(1) << n_pending) - 1), n_pending)
        value += n_pending
        reader = position, np.int64(0), np.int64(0)
        if overrun(data.size, reader):
            return value, reader


@njit(cache=True)
def decode_pairs(data: Any, reader: Any, out_current: Any) -> Any:
    """Fill a block coded with the second extension; returns the largest value and the new reader state."""
    largest = np.int64(0)
    for i in range(0, out_current.size, 2):
        pair, reader = take_unary(data, reader)
        total = np.int64(0)
        while (total + 1) * (total + 2) // 2 <= pair:
            total += 1
        second = pair - total * (total + 1) // 2
        out_current[i], out_current[i + 1] = total - second, second
        largest = max(largest, total - second, second)
    return largest, reader


@njit(cache=True)
def decode_split(data: Any, reader: Any, k: Any, depth: Any, out_current: Any) -> Any:
    """Fill a block coded with k split bits; returns the largest value and the new reader state."""
    largest = np.int64(0)
    for i in range(out_current.size):
        high, reader = take_unary(data, reader)
        largest = max(largest, min(high, np.int64(1) << depth) << k)  # held so that the shift cannot overflow
        out_current[i] = high << k
    for i in range(out_current.size):
        reader = refill(data, reader)
        low, reader = take_bits(reader, k)
        out_current[i] |= np.uint32(low)
    return largest, reader


@njit(cache=True, error_model="numpy")
def decode_values(data: Any, bits: Any, numbers: Any, state: Any, current: Any, out_values: Any) -> Any:
    """Fill `out_values` (uint32) with the next values of the sequence; returns a status and the new state.

    current: uint32[J], the block being given out, updated in place.
    """
    reader = bits[0], bits[1], bits[2]
    size, depth, id_bits = numbers.block_size, numbers.depth, numbers.id_bits
    no_compression = (np.int64(1) << id_bits) - 1
    block, zeros_left, values_left = state.block, state.zeros_left, state.values_left
    status = OK
    filled = 0
    while filled < out_values.size:
        n_taken = min(max(zeros_left, values_left), out_values.size - filled)
        if zeros_left > 0:
            out_values[filled : filled + n_taken] = 0
            zeros_left -= n_taken
        else:
            out_values[filled : filled + n_taken] = current[size - values_left : size - values_left + n_taken]
            values_left -= n_taken
        filled += n_taken
        if filled == out_values.size:
            break
        reader = refill(data, reader)
        option, reader = take_bits(reader, id_bits)
        n_blocks = np.int64(1)
        largest = np.int64(0)
        if option == no_compression:
            for i in range(size):
                reader = refill(data, reader)
                current[i], reader = take_bits(reader, depth)
            values_left = size
        elif option > 0:
            largest, reader = decode_split(data, reader, option - 1, depth, current)
            values_left = size
        else:
            is_extension, reader = take_bits(reader, np.int64(1))
            if is_extension:
                largest, reader = decode_pairs(data, reader, current)
                values_left = size
            else:
                run, reader = take_unary(data, reader)
                n_blocks = run + 1 if run < REST_OF_SEGMENT else run
                rest = min(SEGMENT_BLOCKS - block % SEGMENT_BLOCKS, numbers.reference_interval - block)
                if run == REST_OF_SEGMENT:
                    n_blocks = rest
                elif n_blocks > rest:
                    status = IMPOSSIBLE
                zeros_left = n_blocks * size
        if overrun(data.size, reader):
            status = RAN_OUT
        elif largest >> depth != 0:
            status = IMPOSSIBLE
        if status != OK:
            break
        block += n_blocks
        if block >= numbers.reference_interval:
            block = 0
    bits[0], bits[1], bits[2] = reader
    return status, BlockDecoderState(block, zeros_left, values_left)
