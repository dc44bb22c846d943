"""Streams of independent encoders, one test per vector."""

from typing import Any

import imagecodecs
import numpy as np
import pytest

from runtime.ccsds123 import Ccsds123Parameters, decode, encode, read_header
from runtime.ccsds123.choices import CoderType
from runtime.ccsds123.coder_parameters import BlockAdaptive
from runtime.ccsds123.header import split_header, write_header
from runtime.ccsds123.order import pieces, to_sequence
from tests.conformance.ccsds123_vectors import NAMES, needs_shared, vector

BLOCK_NAMES = [name for name in NAMES if "_ba_" in name and "periodic" not in name]
AEC_RESTRICTED = 16

pytestmark = needs_shared


@pytest.mark.parametrize("name", NAMES or ["absent"])
def test_vector(name: str) -> None:
    expected = vector(name)
    parameters = Ccsds123Parameters.from_dict(expected.parameters)
    assert read_header(expected.stream) == parameters
    assert expected.stream.startswith(write_header(parameters))
    np.testing.assert_array_equal(decode(expected.stream), expected.reconstruction)
    stream = encode(expected.samples, parameters)
    if parameters.coder.type is CoderType.BLOCK_ADAPTIVE:  # ties between options may be broken otherwise
        assert len(stream) == len(expected.stream)
        np.testing.assert_array_equal(decode(stream), expected.reconstruction)
    else:
        assert stream == expected.stream


@pytest.mark.parametrize("name", BLOCK_NAMES or ["absent"])
def test_libaec_decodes_our_block_adaptive_body_to_the_same_indices(name: str) -> None:
    expected = vector(name)
    parameters = Ccsds123Parameters.from_dict(expected.parameters)
    assert isinstance(parameters.coder, BlockAdaptive)
    theirs = aec_indices(expected.stream, parameters)
    np.testing.assert_array_equal(aec_indices(encode(expected.samples, parameters), parameters), theirs)
    if expected.indices is not None:
        flat = expected.indices.reshape(len(expected.indices), -1).astype(np.uint32)
        order = [to_sequence(flat[piece.bands, piece.times], piece.depth) for piece in pieces(parameters.image)]
        np.testing.assert_array_equal(theirs, np.concatenate(order))


def aec_indices(stream: bytes, parameters: Ccsds123Parameters) -> Any:
    image, coder = parameters.image, parameters.coder
    assert isinstance(coder, BlockAdaptive)
    dtype = np.dtype(np.uint8 if image.depth <= 8 else np.uint16 if image.depth <= 16 else np.uint32)
    body = stream[split_header(stream)[1] :]
    decoded = imagecodecs.aec_decode(
        body,
        bitspersample=image.depth,
        blocksize=coder.block_size,
        rsi=coder.reference_interval,
        flags=AEC_RESTRICTED if coder.is_restricted else 0,
        out=-(-image.n_samples // coder.block_size) * coder.block_size * dtype.itemsize,
    )
    return np.frombuffer(decoded, dtype)[: image.n_samples]
