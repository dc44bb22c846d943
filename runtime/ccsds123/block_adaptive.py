"""The block-adaptive entropy coder (5.4.3.4): the adaptive coder of CCSDS 121.0-B-2 without its preprocessor.

Blocks of J indices are coded with the cheapest of a few options; runs of all-zero blocks are counted within
segments of 64 blocks, which begin anew at each reference interval of r blocks.
"""

from typing import Any, NamedTuple

import numpy as np
from typing_extensions import override

from runtime.ccsds123.body import BodyWriter, IndexEncoder
from runtime.ccsds123.coder_parameters import BlockAdaptive
from runtime.ccsds123.image import Image
from runtime.ccsds123.order import Piece, Uint32Array, to_sequence
from runtime.kernels.bits import put_bits
from runtime.kernels.kernel_cache import njit

SEGMENT_BLOCKS = 64
REST_OF_SEGMENT = 4  # Run code; shorter runs are coded as their length less 1, longer ones as their length
SECOND_EXTENSION = -1  # Option: pairs of samples; options from 0 are the split parameter k
NO_COMPRESSION = 64  # Option: samples in D bits
PAIR_LIMIT = 1 << 16  # A pair with a larger sum costs more than 2**31 bits, so its square is never formed


class BlockNumbers(NamedTuple):
    """Parameters in the form that kernels take."""

    block_size: int  # J
    reference_interval: int  # r, in blocks
    depth: int  # D, the resolution n of CCSDS 121.0-B-2
    id_bits: int  # Bits of an option identifier
    largest_split: int  # The largest k with an identifier, -1 where there is none


class BlockState(NamedTuple):
    """What the coder remembers between blocks."""

    block: int  # Blocks since the reference interval began, 0..r - 1
    zero_blocks: int  # Zero blocks that are counted and not coded yet (encoder)


def block_numbers(coder: BlockAdaptive, image: Image) -> BlockNumbers:
    """The kernel's form of the parameters (CCSDS 121.0-B-2, 5.1.2)."""
    if coder.is_restricted:
        id_bits = 1 if image.depth <= 2 else 2
    else:
        id_bits = 3 if image.depth <= 8 else 4 if image.depth <= 16 else 5
    largest_split = (1 << id_bits) - 3  # identifiers 0 and all ones are taken
    return BlockNumbers(coder.block_size, coder.reference_interval, image.depth, id_bits, largest_split)


class BlockAdaptiveEncoder(IndexEncoder):
    """Appends pieces of indices to a body; up to J - 1 of them wait for their block to fill."""

    def __init__(self, coder: BlockAdaptive, image: Image) -> None:
        self.numbers = block_numbers(coder, image)
        self.state = BlockState(0, 0)
        self.waiting = np.empty(0, np.uint32)
        self.writer = BodyWriter()

    @override
    def put_limits(self, values: list[int], n_bits: int) -> None:
        """Append error limits as members of the sequence (5.4.2.2.2)."""
        self._put(np.array(values, np.uint32))

    @override
    def put(self, block: Uint32Array, piece: Piece) -> None:
        self._put(to_sequence(block, piece.depth))

    @override
    def finish(self) -> None:
        """Fill the last block with zeros and code it; a zero run at the end goes to the end of its segment."""
        self._put(np.zeros(-len(self.waiting) % self.numbers.block_size, np.uint32), is_last=True)

    def _put(self, sequence: Uint32Array, is_last: bool = False) -> None:
        size = self.numbers.block_size
        sequence = np.concatenate([self.waiting, sequence])
        n_coded = len(sequence) // size * size
        self.waiting = sequence[n_coded:]
        # no block is longer than uncompressed, and a run of zero blocks waits for at most 68 bits
        self.writer.make_room((n_coded * self.numbers.depth + n_coded // size * self.numbers.id_bits) // 8 + 16)
        self.state = encode_blocks(
            sequence[:n_coded], self.numbers, self.state, is_last, self.writer.buffer, self.writer.bits
        )


@njit(cache=True, inline="always")
def put_unary(buffer: Any, writer: Any, value: Any) -> Any:
    """Append `value` zeros and a one: a fundamental sequence codeword; returns the new writer state."""
    while value >= 32:
        writer = put_bits(buffer, writer, 0, 32)
        value -= 32
    return put_bits(buffer, writer, 1, value + 1)


@njit(cache=True, inline="always")
def put_zero_run(buffer: Any, writer: Any, n_blocks: Any, is_rest: Any, id_bits: Any) -> Any:
    """Append a run of zero blocks (CCSDS 121.0-B-2, zero-block option); returns the new writer state."""
    writer = put_bits(buffer, writer, 0, id_bits + 1)
    run = n_blocks - 1 if n_blocks <= REST_OF_SEGMENT else REST_OF_SEGMENT if is_rest else n_blocks
    return put_unary(buffer, writer, run)


@njit(cache=True)
def best_option(values: Any, start: Any, numbers: Any) -> Any:
    """The cheapest option of the block at `start`: the first of no compression, second extension, k = 0, 1, ..."""
    stop = start + numbers.block_size
    option = NO_COMPRESSION
    fewest = numbers.block_size * numbers.depth
    n_bits = np.int64(1) + numbers.block_size // 2
    for i in range(start, stop, 2):
        total = np.int64(values[i]) + np.int64(values[i + 1])
        if total >= PAIR_LIMIT:
            n_bits = np.int64(1) << 40
            break
        n_bits += total * (total + 1) // 2 + np.int64(values[i + 1])
    if n_bits < fewest:
        option, fewest = SECOND_EXTENSION, n_bits
    # the length is convex in k, so the first k that is longer than the one before ends the search
    previous = np.int64(1) << 60
    for k in range(numbers.largest_split + 1):
        n_bits = np.int64(numbers.block_size) * (k + 1)
        for i in range(start, stop):
            n_bits += np.int64(values[i]) >> k
        if n_bits < fewest:
            option, fewest = k, n_bits
        if n_bits > previous:
            break
        previous = n_bits
    return option


@njit(cache=True, error_model="numpy")
def encode_blocks(values: Any, numbers: Any, state: Any, is_last: Any, buffer: Any, bits: Any) -> Any:
    """Append whole blocks; returns the new state, in which zero blocks may wait unless `is_last`.

    values: uint32, a multiple of J.
    """
    writer = bits[0], bits[1], bits[2]
    size, depth, id_bits = numbers.block_size, numbers.depth, numbers.id_bits
    block, zero_blocks = state.block, state.zero_blocks
    for start in range(0, values.size, size):
        stop = start + size
        is_zero = True
        for i in range(start, stop):
            if values[i] != 0:
                is_zero = False
                break
        if is_zero:
            zero_blocks += 1
        else:
            if zero_blocks > 0:
                writer = put_zero_run(buffer, writer, zero_blocks, False, id_bits)
                zero_blocks = 0
            option = best_option(values, start, numbers)
            if option == NO_COMPRESSION:
                writer = put_bits(buffer, writer, (np.int64(1) << id_bits) - 1, id_bits)
                for i in range(start, stop):
                    writer = put_bits(buffer, writer, np.int64(values[i]), depth)
            elif option == SECOND_EXTENSION:
                writer = put_bits(buffer, writer, 1, id_bits + 1)
                for i in range(start, stop, 2):
                    total = np.int64(values[i]) + np.int64(values[i + 1])
                    pair = total * (total + 1) // 2 + np.int64(values[i + 1])
                    writer = put_unary(buffer, writer, pair)
            else:
                writer = put_bits(buffer, writer, option + 1, id_bits)
                for i in range(start, stop):
                    writer = put_unary(buffer, writer, np.int64(values[i]) >> option)
                mask = (np.int64(1) << option) - 1
                for i in range(start, stop):
                    writer = put_bits(buffer, writer, np.int64(values[i]) & mask, option)
        block += 1
        is_segment_end = block % SEGMENT_BLOCKS == 0 or block == numbers.reference_interval
        if zero_blocks > 0 and is_segment_end:
            writer = put_zero_run(buffer, writer, zero_blocks, True, id_bits)
            zero_blocks = 0
        if block == numbers.reference_interval:
            block = 0
    if is_last and zero_blocks > 0:
        writer = put_zero_run(buffer, writer, zero_blocks, True, id_bits)
        zero_blocks = 0
    bits[0], bits[1], bits[2] = writer
    return BlockState(block, zero_blocks)
