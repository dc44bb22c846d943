"""The compiled coder equals the plain one, and the decoder undoes it with the same state."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.ccsds123 import golomb
from runtime.ccsds123.golomb import GolombParameters
from runtime.errors import BadArgument, Truncated
from runtime.kernels.bits import finish, initial_bits
from tests.reference import golomb as reference

Lines = list[npt.NDArray[np.int64]]


@st.composite
def coder_and_lines(draw: st.DrawFn) -> tuple[GolombParameters, Lines]:
    depth = draw(st.integers(2, 32))
    first = draw(st.integers(1, 8))
    parameters = GolombParameters(
        depth,
        unary_limit=draw(st.integers(8, 32)),
        rescaling_exponent=draw(st.integers(max(4, first + 1), 11)),
        initial_count_exponent=first,
        accumulator_constant=draw(st.integers(0, min(depth - 2, 14))),
    )
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 12)))
    largest = draw(st.sampled_from([0, 1, 3, (1 << depth) // 8, (1 << depth) - 1]))
    value = st.integers(0, min(largest, (1 << depth) - 1)) | st.sampled_from([0, (1 << depth) - 1])
    n_lines = draw(st.integers(1, 8))
    lines = [
        np.array(draw(st.lists(value, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))).reshape(shape)
        for _ in range(n_lines)
    ]
    return parameters, [line.astype(np.int64) for line in lines]


def encoded(parameters: GolombParameters, lines: Lines) -> tuple[npt.NDArray[np.uint8], golomb.GolombState]:
    state, bits = golomb.initial_state(parameters, len(lines[0])), initial_bits()
    buffer = np.empty(golomb.worst_bytes(parameters, sum(line.size for line in lines)), np.uint8)
    for line in lines:
        golomb.encode_line(parameters, line, state, buffer, bits)
    return buffer[: finish(buffer, bits)].copy(), state


@settings(max_examples=150, deadline=None)
@given(coder_and_lines())
def test_bytes_and_state_equal_the_reference_and_decoding_restores_both(case: tuple[GolombParameters, Lines]) -> None:
    parameters, lines = case
    data, state = encoded(parameters, lines)
    bands = np.concatenate(lines, axis=1)
    references = [reference.encode_band(band.tolist(), parameters) for band in bands]
    n_columns = lines[0].shape[1]
    expected = [
        bit
        for y in range(len(lines))
        for words, _, _ in references
        for word in words[y * n_columns : (y + 1) * n_columns]
        for bit in word
    ]
    expected += [0] * (-len(expected) % 8)
    np.testing.assert_array_equal(np.unpackbits(data), expected)
    assert state.accumulator.tolist() == [accumulator for _, accumulator, _ in references]
    assert state.counter.tolist() == [counter for _, _, counter in references]

    decoded_state, bits = golomb.initial_state(parameters, len(lines[0])), initial_bits()
    for line in lines:
        out = np.full_like(line, -1)
        golomb.decode_line(parameters, data, bits, decoded_state, out)
        np.testing.assert_array_equal(out, line)
    for mine, encoders in zip(decoded_state, state, strict=True):
        np.testing.assert_array_equal(mine, encoders)


def test_a_cut_stream_is_truncated() -> None:
    parameters = GolombParameters(12)
    line = np.random.default_rng(0).integers(0, 4096, (4, 30))
    data, _ = encoded(parameters, [line])
    for n_bytes in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(Truncated, match="in the middle of a line"):
            golomb.decode_line(
                parameters, data[:n_bytes], initial_bits(), golomb.initial_state(parameters, 4), np.empty_like(line)
            )


@pytest.mark.parametrize(
    ("name", "value"),
    [("depth", 1), ("depth", 33), ("unary_limit", 7), ("rescaling_exponent", 12), ("accumulator_constant", 15)],
)
def test_parameters_outside_the_standard_are_refused(name: str, value: int) -> None:
    with pytest.raises(BadArgument, match=f"{name} is {value}, allowed"):
        GolombParameters(**{"depth": 16, name: value})
