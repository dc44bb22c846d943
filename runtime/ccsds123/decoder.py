"""Decoding: a whole image at once, or line by line."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from runtime.ccsds123.announcement import DEFAULT_MAX_SAMPLES, check_announcement
from runtime.ccsds123.block_adaptive_decoder import BlockAdaptiveDecoder
from runtime.ccsds123.body import IndexDecoder
from runtime.ccsds123.coder_parameters import Hybrid, SampleAdaptive
from runtime.ccsds123.header import split_header
from runtime.ccsds123.hybrid_decoder import HybridDecoder
from runtime.ccsds123.line_predictor import IntArray, LinePredictor
from runtime.ccsds123.order import line_piece, pieces
from runtime.ccsds123.parameters import Ccsds123Parameters
from runtime.ccsds123.sample_adaptive import SampleAdaptiveDecoder
from runtime.errors import Corrupt, Truncated

Bytes = bytes | bytearray | memoryview
Tables = Mapping[str, Any] | Ccsds123Parameters | None
"""Tables that a header leaves out: by name (see Ccsds123Parameters.with_tables), or parameters that hold them."""


def decode(data: Bytes, tables: Tables = None, max_samples: int = DEFAULT_MAX_SAMPLES) -> IntArray:
    """The image, (Z, Y, X), in the narrowest integer type that holds D bits.

    data: one compressed image, untrusted. tables: what its header leaves out. max_samples: the largest image to
    accept. Raises Truncated or Corrupt for data that is not a whole compressed image, BadArgument for a missing
    table or an image beyond `max_samples`.
    """
    parameters, lines = open_lines(data, tables, max_samples)
    image = parameters.image
    samples: IntArray = np.empty((image.n_bands, image.n_lines, image.n_columns), image.dtype)
    for y, line in enumerate(lines):
        samples[:, y] = line
    return samples


def decode_lines(data: Bytes, tables: Tables = None, max_samples: int = DEFAULT_MAX_SAMPLES) -> Iterator[IntArray]:
    """The lines of the image, each (Z, X), arguments and errors as in `decode`.

    Band-interleaved images of the sample-adaptive and block-adaptive coders need memory for one line; the others
    must be taken apart as a whole first: their indices run backwards or band by band.
    """
    return open_lines(data, tables, max_samples)[1]


def open_lines(data: Bytes, tables: Tables, max_samples: int) -> tuple[Ccsds123Parameters, Iterator[IntArray]]:
    """The parameters of a compressed image and its lines, which are decoded as they are taken."""
    header, n_header_bytes = split_header(data)
    check_announcement(header, len(data) - n_header_bytes, max_samples)
    parameters = header.with_tables(tables.to_dict() if isinstance(tables, Ccsds123Parameters) else tables or {})
    coder = index_decoder(parameters, memoryview(data)[n_header_bytes:])
    return parameters, lines_of(parameters, coder, n_header_bytes, len(data))


def lines_of(
    parameters: Ccsds123Parameters, coder: IndexDecoder, n_header_bytes: int, n_bytes: int
) -> Iterator[IntArray]:
    """The lines that `coder` holds, then a look at what follows them."""
    image, quantization = parameters.image, parameters.quantization
    predictor = LinePredictor(parameters)
    stored = stored_indices(parameters, coder) if image.is_sequential else None
    for y in range(image.n_lines):
        if quantization.starts_period(y):
            predictor.set_limits([coder.take_limits(x.n_values(image), x.n_bits) for x in quantization.limits])
        mapped = coder.take(line_piece(image, y)) if stored is None else stored[:, y].astype(np.uint32)
        line = predictor.decode(mapped)
        # back from relative to s_mid in 32 bits: the sum fits D bits, whatever the wrap on the way
        yield (line.view(np.uint32) + np.uint32(image.middle)).astype(image.dtype)
    check_end(n_header_bytes + coder.finish(), n_bytes, image.word_bytes)


def stored_indices(parameters: Ccsds123Parameters, coder: IndexDecoder) -> IntArray:
    """All mapped indices of a band-sequential image, (Z, Y, X), as wide as its samples."""
    image = parameters.image
    mapped: IntArray = np.empty((image.n_bands, image.n_lines * image.n_columns), f"u{image.dtype.itemsize}")
    for piece in pieces(image):
        mapped[piece.bands, piece.times] = coder.take(piece)
    return mapped.reshape(image.n_bands, image.n_lines, image.n_columns)


def check_end(n_used: int, n_bytes: int, word_bytes: int) -> None:
    """Refuse a stream that is not `n_used` bytes and the fill up to a whole output word."""
    expected = n_used + -n_used % word_bytes
    if n_bytes < expected:
        raise Truncated(f"stream has {n_bytes} bytes, the image needs {expected}")
    if n_bytes > expected:
        raise Corrupt(f"stream has {n_bytes} bytes, the image ends after {expected}")


def index_decoder(parameters: Ccsds123Parameters, body: memoryview) -> IndexDecoder:
    """The entropy decoder that `parameters` choose."""
    coder = parameters.coder
    if isinstance(coder, SampleAdaptive):
        return SampleAdaptiveDecoder(coder, parameters.image, body)
    if isinstance(coder, Hybrid):
        return HybridDecoder(coder, parameters, body)
    return BlockAdaptiveDecoder(coder, parameters.image, body)
