"""Samples that equal a special value and have other bits are counted, and no others."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.images.special_bits import other_bits
from runtime.stream.kinds import SpecialKind
from runtime.stream.special_values import Special

NAN, ZERO = Special(float("nan")), Special(0.0)
FORMS = {
    "f4": (0x7FC00000, 0xFFC00000, 0x7FC00001, 0x80000000, 0, 0x3F800000),
    "f8": (0x7FF8 << 48, 0xFFF8 << 48, (0x7FF8 << 48) + 1, 1 << 63, 0, 0x3FF << 52),
}
"""NaN as NumPy has it, two others, -0.0, 0.0, 1.0."""


@given(st.lists(st.integers(0, 5), min_size=4, max_size=40), st.sampled_from(["f4", "f8"]))
def test_each_form_is_told_from_the_usual_one(places: list[int], dtype: str) -> None:
    bits = np.array([FORMS[dtype][place] for place in places], f"u{dtype[1]}")
    lines = list(bits.view(dtype)[: len(places) // 4 * 4].reshape(-1, 2, 2))
    held = places[: len(places) // 4 * 4]
    assert other_bits(lambda: lines, [NAN]) == sum(place in (1, 2) for place in held)
    assert other_bits(lambda: lines, [ZERO]) == sum(place == 3 for place in held)
    assert other_bits(lambda: lines, [NAN, ZERO, Special(1.0)]) == sum(place in (1, 2, 3) for place in held)


@pytest.mark.parametrize(
    "specials", [[], [Special(0)], [Special(-9999.0)], [Special(float("inf"))], [Special(0.0, SpecialKind.LIMIT)]]
)
def test_values_of_one_form_cost_no_pass(specials: list[Special]) -> None:
    def lines() -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
        raise AssertionError("read")

    assert other_bits(lines, specials) == 0
