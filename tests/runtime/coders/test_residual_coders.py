"""The coders of mapped residuals: each reads what it wrote, the smallest is taken, hostile bytes are an error."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.coders.hybrid_residuals import HybridReader, HybridWriter, check_announcement
from runtime.coders.range_coder import POSITION, initial_reader, initial_writer, last_bytes, place, put, take
from runtime.coders.residual_coders import (
    TRIAL_LINES,
    ChosenLines,
    ResidualReader,
    ResidualWriter,
    default_coders,
    largest_coded,
    line_reader,
)
from runtime.coders.residual_contexts import context, end_band, end_line, expected_size, fill_known, initial_contexts
from runtime.errors import Corrupt, LineRwkvError
from runtime.kernels.log2 import log2_eighths, log2_floor
from runtime.stream.kinds import AdaptiveStage, Coder

Residuals = npt.NDArray[np.int32]


def written(mapped: Residuals, depth: int, stage: AdaptiveStage = AdaptiveStage.NONE) -> tuple[Coder, bytes]:
    writer = ResidualWriter(depth, mapped.shape[1], mapped.shape[2], default_coders(stage))
    for line in mapped:
        writer.push(line)
    return writer.coded()


def read(coder: Coder, payload: bytes, depth: int, shape: tuple[int, ...]) -> Residuals:
    n_lines, n_bands, n_columns = shape
    reader = ResidualReader(coder, payload, depth, n_bands, n_columns, n_lines)
    mapped = np.empty(shape, np.int32)
    for line in mapped:
        reader.take(line)
    return mapped


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_residuals_of_any_size_come_back_from_the_smallest_encoding(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 5), st.sampled_from([1, 2, 9, 150])))
    depth = data.draw(st.integers(2, 16))
    mean = data.draw(st.sampled_from([0.0, 0.02, 0.5, 3.0, 1e3, 1e9]))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    mapped = np.minimum(generator.exponential(mean, shape), (1 << depth) - 1).astype(np.int32)
    for stage in AdaptiveStage:
        coder, payload = written(mapped, depth, stage=stage)
        np.testing.assert_array_equal(read(coder, payload, depth, shape), mapped)
        assert len(payload) <= largest_coded(depth, shape[1], shape[2], shape[0])
    hybrid = HybridWriter(depth, shape[1])
    for line in mapped:
        hybrid.push(line)
    reader, found = line_reader(Coder.HYBRID, hybrid.payload(), depth, shape[1], shape[2], shape[0], 0), mapped.copy()
    for line in found:
        reader.take(line)
    np.testing.assert_array_equal(found, mapped)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_noisy_lines_anywhere_are_plain_and_leave_the_others_as_they_were(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 14), st.integers(1, 4), st.sampled_from([1, 3, 70])))
    depth = data.draw(st.integers(6, 16))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    is_noisy = np.array(data.draw(st.lists(st.booleans(), min_size=shape[0], max_size=shape[0])))
    quiet, noisy = np.minimum(generator.exponential(1.0, shape), 30), generator.integers(0, 1 << depth, shape)
    mapped = np.where(is_noisy[:, None, None], noisy, quiet).astype(np.int32)
    for coder in (Coder.SAMPLE_ADAPTIVE, Coder.HYBRID, Coder.RANGE):
        lines = ChosenLines(coder, depth, shape[1], shape[2])
        for line in mapped:
            lines.push(line)
        np.testing.assert_array_equal(read(coder, lines.payload(), depth, shape), mapped)
        assert lines.n_bits <= mapped.size * depth + 32, "no line takes more than plain, to the bits that a coder holds"


@pytest.mark.parametrize(("mean", "coder"), [(0.05, Coder.HYBRID), (60, Coder.SAMPLE_ADAPTIVE)])
def test_each_coder_wins_where_it_should(mean: float, coder: Coder) -> None:
    generator = np.random.default_rng(1)
    mapped = np.minimum(generator.exponential(mean, (40, 4, 100)), 4095).astype(np.int32)
    mapped[:, :, 50:] >>= 2 * (coder is Coder.SAMPLE_ADAPTIVE)  # statistics that change: the shorter memory is ahead
    chosen, payload = written(mapped, 12)
    assert chosen is coder
    if coder is Coder.HYBRID:
        assert 8 * len(payload) < 0.5 * mapped.size, "less than half a bit for a sample"


def test_the_hybrid_coder_is_given_up_where_it_cannot_win() -> None:
    generator = np.random.default_rng(2)
    writer = ResidualWriter(12, 4, 100, default_coders(AdaptiveStage.NONE))
    while writer.other is not None:
        mapped = np.minimum(generator.exponential(200, (4, 100)), 4095).astype(np.int32)
        mapped[:, 50:] >>= 6
        writer.push(mapped)
        assert len(writer.first.is_plain) < 40
    assert len(writer.first.is_plain) >= TRIAL_LINES


@pytest.mark.parametrize(("stage", "expected"), [(AdaptiveStage.FAST, Coder.HYBRID), (AdaptiveStage.BEST, Coder.RANGE)])
def test_a_cut_or_flipped_segment_is_an_error_or_other_residuals_in_range(
    stage: AdaptiveStage, expected: Coder
) -> None:
    generator = np.random.default_rng(3)
    shape, depth = (6, 3, 200), 6
    mapped = np.minimum(generator.exponential(0.4, shape), 63).astype(np.int32)
    coder, payload = written(mapped, depth, stage=stage)
    assert coder is expected
    n_errors = 0
    for _ in range(400):
        damaged = bytearray(payload)
        if generator.random() < 0.5:
            damaged[generator.integers(len(damaged))] ^= 1 << int(generator.integers(8))
        else:
            del damaged[generator.integers(len(damaged)) :]
        try:
            found = read(coder, bytes(damaged), depth, shape)
            assert found.min() >= 0 and found.max() < 1 << depth
        except LineRwkvError:
            n_errors += 1
    if coder is Coder.HYBRID:
        assert n_errors > 350, "the way back must end at the first bit in the state before the first sample"
    else:
        assert n_errors > 150, "a payload that ends too early, and a residual above the largest"


@pytest.mark.parametrize("shape", [(65535, 1, 65536), (1 << 16, 4, 4), (65535, 200, 1000)])
def test_an_absurd_announcement_allocates_nothing(shape: tuple[int, int, int]) -> None:
    n_lines, n_bands, n_columns = shape
    with pytest.raises(Corrupt, match=r"hybrid segment: .* samples in 40 bytes"):
        HybridReader(bytes(40), 12, n_bands, n_columns, n_lines)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3000))
def test_the_fewest_bits_of_a_segment_are_allowed(n_bands: int, n_columns: int) -> None:
    writer = HybridWriter(2, n_bands)
    writer.push(np.zeros((n_bands, n_columns), np.int32))
    check_announcement(len(writer.payload()), n_bands, n_columns)


def test_the_range_coder_spends_little_more_than_the_entropy() -> None:
    generator = np.random.default_rng(7)
    for share in (0.02, 0.3, 0.9, 0.99):  # of residuals that are at least as large as any number, less one
        mapped = (generator.geometric(1 - share, (60, 3, 300)) - 1).astype(np.int32)
        entropy = -(np.log2(1 - share) + share / (1 - share) * np.log2(share))
        _, payload = written(mapped, 16, stage=AdaptiveStage.BEST)
        assert 8 * (len(payload) - 1) / mapped.size < 1.03 * entropy + 0.002, (
            "3 % for learning, the byte of flags apart"
        )


def test_carries_run_back_through_bytes_of_255() -> None:
    generator = np.random.default_rng(8)
    writer, out = initial_writer(), np.empty(40_000, np.uint8)
    low, span, position = writer.tolist()
    numbers = [(int(n), 15) for n in generator.choice([0, 32766, 32767], 9000, p=[0.1, 0.1, 0.8])]
    for first, bits in numbers:
        low, span, position = put(first, 1, bits, low, span, position, out)
    writer[:] = low, span, position
    data = np.frombuffer(out[: writer[POSITION]].tobytes() + last_bytes(writer), np.uint8)
    assert (np.diff(np.flatnonzero(data == 255)) == 1).sum() > 10, "runs of 255"
    code, span, position = initial_reader(data).tolist()
    for first, bits in numbers:
        assert place(bits, code, span) == first
        code, span, position = take(first, 1, bits, code, span, position, data)
    assert position == data.size


@settings(deadline=None)  # the first example compiles
@given(st.integers(1, 2**53 - 1))
def test_logarithms_equal_those_of_integers(value: int) -> None:
    exponent = value.bit_length() - 1
    assert log2_floor(np.int64(value)) == exponent
    assert log2_eighths(np.int64(value)) == 8 * exponent + (((value << 3) >> exponent) & 7)


@pytest.mark.parametrize("is_first", [True, False])
def test_contexts_equal_their_description(is_first: bool) -> None:
    """docs/formats/stream.md, coder 4, in plain words of Python."""
    generator = np.random.default_rng(9)
    lines = generator.integers(0, 300, (2, 4, 7)).astype(np.int32)
    state = initial_contexts(4, 7)
    known = np.empty(7, np.int64)
    for line in lines[:1] if is_first else lines:
        means = state.means.tolist()
        for z in range(4):
            before = means.copy()
            fill_known(z, line, state, known)
            own = (before[z - 1] if z else 64) if state.n_lines[0] == 0 else means[z]
            if state.n_lines[0] == 0:
                before[z] = own
            for x in range(7):
                west, east = max(x - 1, 0), min(x + 1, 6)
                if state.n_lines[0] == 0:
                    total = (32 + 6 + 6) * own
                else:
                    north = lines[0, z]
                    total = 32 * own + 16 * (6 * int(north[x]) + 3 * (int(north[west]) + int(north[east])))
                for i, weight in ((1, 8), (2, 3)):
                    if z < i:
                        total += weight * own
                        continue
                    ratio = min(256 * (own + 16) // (before[z - i] + 16), 4096)
                    below = [int(v) for v in line[z - i]]
                    size = 4 * (2 * below[x] + below[west] + below[east]) if i == 1 else 16 * below[x]
                    total += weight * size * ratio >> 8
                first = 16 * int(line[z, x - 1]) if x else None
                second = 16 * int(line[z, x - 2]) if x > 1 else first
                assert known[x] == total
                start = int(known[0]) >> 6
                expected = (
                    total + 6 * (start if first is None else first) + 3 * (start if second is None else second)
                ) >> 6
                value = min(expected + 8, (1 << 22) - 1)
                exponent = value.bit_length() - 1
                assert expected_size(x, known, line[z]) == expected
                assert context(expected) == 8 * exponent + (((value << 3) >> exponent) & 7)
            mean = 16 * int(line[z].sum()) // 7
            n = int(state.n_lines[0])
            means[z] = mean if n == 0 else means[z] + (mean - means[z]) // min(n + 1, 16)
            end_band(z, line[z], state)
            assert state.means[z] == means[z]
        end_line(line, state)


def test_a_coder_of_whole_images_codes_no_residuals() -> None:
    with pytest.raises(Corrupt, match="codes no residuals"):
        line_reader(Coder.CCSDS123, b"", 8, 1, 1, 1, 0)
