"""The coders of mapped residuals: each reads what it wrote, the smallest is taken, hostile bytes are an error."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import Corrupt, LineRwkvError
from runtime.hybrid_residuals import HybridReader, HybridWriter, check_announcement
from runtime.residual_coders import TRIAL_LINES, ResidualWriter, residual_reader
from runtime.stored import stored_bytes
from runtime.stream_format import Coder

Residuals = npt.NDArray[np.int32]


def written(mapped: Residuals, depth: int, *, may_be_plain: bool = True) -> tuple[Coder, bytes]:
    writer = ResidualWriter(depth, *mapped.shape[1:])
    for line in mapped:
        writer.push(line)
    return writer.coded(may_be_plain=may_be_plain)


def read(coder: Coder, payload: bytes, depth: int, shape: tuple[int, ...]) -> Residuals:
    n_lines, n_bands, n_columns = shape
    reader = residual_reader(coder, payload, depth, n_bands, n_columns, n_lines)
    mapped = np.empty(shape, np.int32)
    for line in mapped:
        reader.take(line)
    return mapped


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_residuals_of_any_size_come_back_from_the_smallest_form(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 5), st.sampled_from([1, 2, 9, 150])))
    depth = data.draw(st.integers(2, 16))
    mean = data.draw(st.sampled_from([0.0, 0.02, 0.5, 3.0, 1e3, 1e9]))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    mapped = np.minimum(generator.exponential(mean, shape), (1 << depth) - 1).astype(np.int32)
    coder, payload = written(mapped, depth)
    np.testing.assert_array_equal(read(coder, payload, depth, shape), mapped)
    assert len(payload) <= stored_bytes(mapped.size, depth)
    hybrid = HybridWriter(depth, shape[1])
    for line in mapped:
        hybrid.push(line)
    np.testing.assert_array_equal(read(Coder.HYBRID, hybrid.payload(), depth, shape), mapped)


@pytest.mark.parametrize(("mean", "coder"), [(0.05, Coder.HYBRID), (60, Coder.SAMPLE_ADAPTIVE), (1e9, Coder.STORED)])
def test_each_coder_wins_where_it_should(mean: float, coder: Coder) -> None:
    generator = np.random.default_rng(1)
    mapped = np.minimum(generator.exponential(mean, (40, 4, 100)), 4095).astype(np.int32)
    mapped[:, :, 50:] >>= 2 * (coder is Coder.SAMPLE_ADAPTIVE)  # statistics that change: the shorter memory is ahead
    chosen, payload = written(mapped, 12)
    assert chosen is coder
    if coder is Coder.HYBRID:
        assert 8 * len(payload) < 0.5 * mapped.size, "less than half a bit for a sample"
    if coder is Coder.STORED:
        assert written(mapped, 12, may_be_plain=False)[0] is Coder.SAMPLE_ADAPTIVE


def test_the_hybrid_coder_is_given_up_where_it_cannot_win() -> None:
    generator = np.random.default_rng(2)
    writer = ResidualWriter(12, 4, 100)
    while writer.hybrid is not None:
        mapped = np.minimum(generator.exponential(200, (4, 100)), 4095).astype(np.int32)
        mapped[:, 50:] >>= 3
        writer.push(mapped)
        assert writer.n_lines < 40
    assert writer.n_lines >= TRIAL_LINES


def test_a_cut_or_flipped_hybrid_segment_is_an_error_or_other_residuals_in_range() -> None:
    generator = np.random.default_rng(3)
    shape, depth = (6, 3, 200), 6
    mapped = np.minimum(generator.exponential(0.4, shape), 63).astype(np.int32)
    coder, payload = written(mapped, depth)
    assert coder is Coder.HYBRID
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
    assert n_errors > 350, "the way back must end at the first bit in the state before the first sample"


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


def test_a_coder_of_whole_images_codes_no_residuals() -> None:
    with pytest.raises(Corrupt, match="codes no residuals"):
        residual_reader(Coder.CCSDS123, b"", 8, 1, 1, 1)
