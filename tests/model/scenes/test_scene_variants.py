"""Variants of scenes: shapes, what they keep, and degenerate scenes."""

import numpy as np
import pytest

from model.scenes.scene_variants import STEPS, check_variant, made_variant
from runtime.errors import BadArgument
from tests.model.conftest import smooth_scene

DEGENERATE = [(1, 1, 1), (2, 1, 1), (1, 3, 2), (5, 1, 4), (3, 4, 1)]


@pytest.mark.parametrize("shape", DEGENERATE)
@pytest.mark.parametrize("variant", [*STEPS, "later+flipped+noisy"])
def test_degenerate_scenes_have_variants(variant: str, shape: tuple[int, int, int]) -> None:
    samples = smooth_scene(0, shape).astype(np.int32)
    made = made_variant(variant, samples, np.random.default_rng(0))
    assert made.ndim == 3 and made.size > 0 and made.dtype == np.int32


def test_samples_of_variants_are_those_of_the_scene() -> None:
    samples = smooth_scene(1, (9, 6, 5)).astype(np.int32)
    generator = np.random.default_rng(4)
    assert np.array_equal(
        made_variant("flipped+transposed", samples, generator), samples[:, :, ::-1].transpose(2, 1, 0)
    )
    half = made_variant("bands/2", samples, generator)
    assert any(np.array_equal(half, samples[:, start::2]) for start in (0, 1))
    later = made_variant("later", samples, generator)
    assert np.array_equal(later, samples[-len(later) :]) and len(later) >= 5


def test_noise_stays_in_the_range_of_the_samples_and_below_half_of_the_line_differences() -> None:
    samples = smooth_scene(1, (40, 6, 30)).astype(np.int32)
    made = made_variant("noisy", samples, np.random.default_rng(3))
    change, unit = (made - samples).std(axis=(0, 2)), np.abs(np.diff(samples, axis=0)).mean(axis=(0, 2))
    assert (change > 0).all() and (change < unit).all()
    assert made.min() >= samples.min() and made.max() <= samples.max()


def test_unknown_words_are_named() -> None:
    with pytest.raises(BadArgument, match=r'variants: found "plain\+upside", allowed plain, later'):
        check_variant("plain+upside")
