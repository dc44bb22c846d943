"""Properties that hold for every image and every set of parameters."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from runtime.ccsds123 import Ccsds123Parameters, LineEncoder, decode, decode_lines, encode, read_header
from runtime.ccsds123.decoder import index_decoder
from runtime.ccsds123.encoder import index_encoder
from runtime.ccsds123.hybrid_decoder import HybridDecoder
from runtime.ccsds123.line_predictor import LinePredictor
from runtime.ccsds123.order import line_piece
from runtime.ccsds123.sample_adaptive import SampleAdaptiveDecoder, SampleAdaptiveEncoder
from runtime.errors import BadArgument
from tests.reference.ccsds123_predictor import predict
from tests.runtime.ccsds123.images import IntArray, parameters_and_image

many = settings(max_examples=400, deadline=None)
some = settings(max_examples=100, deadline=None)


@many
@given(parameters_and_image())
def test_decoding_gives_the_reconstruction_of_the_plain_reference(case: tuple[dict[str, Any], IntArray]) -> None:
    values, samples = case
    parameters = Ccsds123Parameters.from_dict(values)
    stream = encode(samples, parameters)
    decoded = decode(stream, tables=parameters)
    expected = predict(samples, parameters)
    assert len(stream) % parameters.image.word_bytes == 0
    assert decoded.dtype == parameters.image.dtype
    np.testing.assert_array_equal(decoded, expected.reconstruction)
    errors = np.abs(decoded.astype(np.int64) - samples)
    assert (errors <= expected.maximum_error).all()
    assert not errors[:, 0, 0].any()  # first samples are never quantized
    if values["fidelity"] == "lossless":
        assert not errors.any()


@some
@given(parameters_and_image())
def test_line_predictor_equals_the_plain_reference_and_its_states_agree(case: tuple[dict[str, Any], IntArray]) -> None:
    values, samples = case
    parameters = Ccsds123Parameters.from_dict(values)
    expected = predict(samples, parameters)
    encoder, decoder = LinePredictor(parameters), LinePredictor(parameters)
    for y in range(samples.shape[1]):
        if parameters.quantization.starts_period(y):
            period = y >> (parameters.quantization.period_exponent or 0)
            limits = [limit.periods[period] for limit in parameters.quantization.limits]
            encoder.set_limits(limits)
            decoder.set_limits(limits)
        mapped = encoder.encode(samples[:, y])
        np.testing.assert_array_equal(mapped, expected.mapped[:, y])
        line = decoder.decode(mapped) + np.int64(parameters.image.middle)
        np.testing.assert_array_equal(line, expected.reconstruction[:, y])
        for name, of_encoder, of_decoder in zip(encoder.state._fields, encoder.state, decoder.state, strict=True):
            np.testing.assert_array_equal(of_encoder, of_decoder, err_msg=f"{name} after line {y}")


@some
@given(parameters_and_image())
def test_lines_one_by_one_give_the_stream_of_the_whole_image(case: tuple[dict[str, Any], IntArray]) -> None:
    values, samples = case
    parameters = Ccsds123Parameters.from_dict(values)
    stream = encode(samples, parameters)
    np.testing.assert_array_equal(
        np.stack(list(decode_lines(stream, tables=parameters)), axis=1), decode(stream, tables=parameters)
    )
    if parameters.image.is_sequential:
        with pytest.raises(BadArgument, match="BSQ"):
            LineEncoder(parameters)
        return
    encoder = LineEncoder(parameters)
    assert b"".join([encoder.push(samples[:, y]) for y in range(samples.shape[1])] + [encoder.finish()]) == stream


@some
@given(parameters_and_image())
def test_entropy_coder_states_agree_at_the_end(case: tuple[dict[str, Any], IntArray]) -> None:
    values, samples = case
    assume(values["periodic_u"] is None)  # the other properties cover bodies with limits inside
    parameters = Ccsds123Parameters.from_dict(values | {"order": "BI", "M": 1})
    image = parameters.image
    mapped = predict(samples, parameters).mapped.astype(np.uint32)
    encoder = index_encoder(parameters)
    begin = getattr(encoder, "state", None)
    begin = None if begin is None else [np.array(array) for array in begin]
    for y in range(image.n_lines):
        encoder.put(np.ascontiguousarray(mapped[:, y]), line_piece(image, y))
    encoder.finish()
    decoder = index_decoder(parameters, memoryview(encoder.writer.finish()))
    for y in range(image.n_lines):
        np.testing.assert_array_equal(decoder.take(line_piece(image, y)), mapped[:, y])
    if isinstance(encoder, SampleAdaptiveEncoder) and isinstance(decoder, SampleAdaptiveDecoder):
        for of_encoder, of_decoder in zip(encoder.state, decoder.state, strict=True):
            np.testing.assert_array_equal(of_encoder, of_decoder)
    if isinstance(decoder, HybridDecoder):  # it runs backwards, to where the encoder began
        assert begin is not None
        np.testing.assert_array_equal(decoder.state.accumulator, begin[0])
        np.testing.assert_array_equal(decoder.state.prefix, begin[2])


@some
@given(parameters_and_image())
def test_parameters_survive_the_header_and_the_dictionary(case: tuple[dict[str, Any], IntArray]) -> None:
    values, samples = case
    parameters = Ccsds123Parameters.from_dict(values)
    assert Ccsds123Parameters.from_dict(parameters.to_dict()) == parameters
    header = read_header(encode(samples, parameters))
    assert set(header.missing_tables) == set(values["tables_left_out"])
    assert header.with_tables(values) == parameters
    if header.missing_tables:
        with pytest.raises(BadArgument, match="left out"):
            decode(encode(samples, parameters))
