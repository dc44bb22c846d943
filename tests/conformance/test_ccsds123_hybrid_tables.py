"""The package's low-entropy codes against the published tables, and each code at work."""

import re
from itertools import pairwise

import numpy as np
import pytest

from runtime.ccsds123 import Ccsds123Parameters
from runtime.ccsds123.coder_parameters import Hybrid
from runtime.ccsds123.hybrid import HybridEncoder
from runtime.ccsds123.hybrid_decoder import HybridDecoder
from runtime.ccsds123.low_entropy import N_CODES, read_codes, symbols_of
from runtime.ccsds123.order import line_piece
from tests.conformance.ccsds123_vectors import SHARED, needs_shared

LIMITS = [12, 10, 8, 6, 6, 4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 0]
THRESHOLDS = [
    303336, 225404, 166979, 128672, 95597, 69670, 50678, 34898, 23331, 14935, 9282, 5510, 3195, 1928, 1112, 408
]  # fmt: skip


@needs_shared
@pytest.mark.parametrize("kind", ["code", "flush"])
@pytest.mark.parametrize("index", range(N_CODES))
def test_table_equals_the_published_one(index: int, kind: str) -> None:
    published = {}
    for line in (SHARED / "hybrid_tables" / f"{kind}_{index:02d}.txt").read_text().splitlines():
        match = re.fullmatch(r"\s*(<root>|\w*), (\d+)'h([0-9A-Fa-f]+)\s*", line)
        assert match is not None, line
        symbols = symbols_of(match[1].replace("<root>", ""), LIMITS[index])
        published[symbols] = (int(match[3], 16), int(match[2]))
    code = read_codes()[index]
    assert (code.code if kind == "code" else code.flush) == published
    assert (code.limit, code.threshold) == (LIMITS[index], THRESHOLDS[index])


@pytest.mark.parametrize("index", range(N_CODES))
def test_code_words_are_complete_suffix_codes(index: int) -> None:
    for words in (read_codes()[index].code, read_codes()[index].flush):
        reversed_words = sorted(f"{value:0{n_bits}b}"[::-1] for value, n_bits in words.values())
        pairs = pairwise(reversed_words)
        assert not any(longer.startswith(shorter) for shorter, longer in pairs)
        longest = max(map(len, reversed_words))
        assert sum(1 << (longest - len(word)) for word in reversed_words) == 1 << longest


@pytest.mark.parametrize("index", range(N_CODES))
def test_every_word_of_a_code_is_written_and_read_back(index: int) -> None:
    """A source made for one code: each symbol is the second sample of a band whose statistics select that code."""
    code = read_codes()[index]
    symbols = [symbol for sequence in code.code for symbol in sequence]
    depth, counter = 16, (1 << 8) + 1
    highest = (counter * THRESHOLDS[index] - 1) >> 14  # the largest Sigma(1) that selects the code
    parameters = Ccsds123Parameters.from_dict(
        {
            "Nx": 2, "Ny": 1, "Nz": len(symbols), "D": depth, "P": 0, "coder": "hybrid", "gamma0": 8, "gamma_star": 9,
            "hybrid_acc_init": [highest - 4 * symbol for symbol in symbols],
        }
    )  # fmt: skip
    assert isinstance(parameters.coder, Hybrid)
    indices = np.array([[0, symbol] for symbol in symbols], np.uint32)
    piece = line_piece(parameters.image, 0)
    encoder = HybridEncoder(parameters.coder, parameters.image)
    encoder.put(indices, piece)
    encoder.finish()
    body = encoder.writer.finish()

    expected = ""
    for sequence, (value, n_bits) in code.code.items():
        for symbol in sequence:
            expected += f"{0:0{depth}b}" + ("1" if symbol > code.limit else "")
        expected += f"{value:0{n_bits}b}"
    for other in read_codes():
        value, n_bits = other.flush[()]
        expected += f"{value:0{n_bits}b}"
    expected += f"{highest:0{2 + depth + 9}b}" * len(symbols) + "1"
    assert "".join(f"{byte:08b}" for byte in body).rstrip("0") == expected

    decoder = HybridDecoder(parameters.coder, parameters, memoryview(body))
    np.testing.assert_array_equal(decoder.take(piece), indices)
    assert decoder.state.accumulator.tolist() == [highest - 4 * symbol for symbol in symbols]


@pytest.mark.parametrize("index", range(N_CODES))
def test_every_active_prefix_is_flushed_and_taken_up_again(index: int) -> None:
    code = read_codes()[index]
    counter = (1 << 8) + 1
    highest = (counter * THRESHOLDS[index] - 1) >> 14
    for prefix in code.flush:
        n_bands = max(1, len(prefix))
        parameters = Ccsds123Parameters.from_dict(
            {
                "Nx": 2 if prefix else 1, "Ny": 1, "Nz": n_bands, "D": 16, "P": 0, "coder": "hybrid", "gamma0": 8,
                "mode": "reduced", "local_sum": "wide_column", "gamma_star": 9,
                "hybrid_acc_init": [highest - 4 * symbol for symbol in prefix] or [0],
            }
        )  # fmt: skip
        assert isinstance(parameters.coder, Hybrid)
        indices = np.array([[7, symbol] for symbol in prefix] or [[7]], np.uint32)
        piece = line_piece(parameters.image, 0)
        encoder = HybridEncoder(parameters.coder, parameters.image)
        encoder.put(indices, piece)
        encoder.finish()
        decoder = HybridDecoder(parameters.coder, parameters, memoryview(encoder.writer.finish()))
        np.testing.assert_array_equal(decoder.take(piece), indices)
