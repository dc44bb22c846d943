"""Variants of a scene that a sensor might have delivered, so that training sees more than the scenes there are.

A variant is a word, or some joined by `+`, which are applied in turn: `later+flipped`.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from runtime.checked_table import shown
from runtime.errors import BadArgument

Samples = npt.NDArray[np.int32]
LARGEST_NOISE = 0.5  # deviation of added noise, in units of the mean line difference of a band
LARGEST_STRIPE = 0.5  # ... of added offsets of columns
LARGEST_TILT = 0.5  # columns that stripes move by from line to line


def plain(samples: Samples, generator: np.random.Generator) -> Samples:
    """The scene itself."""
    return samples


def later(samples: Samples, generator: np.random.Generator) -> Samples:
    """Without up to half of its first lines: segments begin elsewhere."""
    return samples[int(generator.integers(0, len(samples) // 2 + 1)) :]


def flipped(samples: Samples, generator: np.random.Generator) -> Samples:
    """Mirrored: a sensor has no preferred side."""
    return samples[:, :, ::-1]


def half_bands(samples: Samples, generator: np.random.Generator) -> Samples:
    """Every second band, of a coarser spectrometer."""
    return samples[:, int(generator.integers(0, 2)) if samples.shape[1] > 1 else 0 :: 2]


def transposed(samples: Samples, generator: np.random.Generator) -> Samples:
    """Flown across: columns become lines."""
    return samples.transpose(2, 1, 0)


def noisy(samples: Samples, generator: np.random.Generator) -> Samples:
    """With noise and column stripes of random strength, the stripes askew as in a scene that was laid on a map."""
    n_lines, n_bands, n_columns = samples.shape
    if n_lines < 2:
        return samples
    unit = np.abs(np.diff(samples, axis=0)).mean(axis=(0, 2))[:, None]  # (Z, 1)
    noise = generator.uniform(0, LARGEST_NOISE) * generator.standard_normal(samples.shape, np.float32)
    reach = int(np.ceil(LARGEST_TILT * n_lines))
    stripes = generator.uniform(0, LARGEST_STRIPE) * generator.standard_normal((n_bands, n_columns + 2 * reach))
    shifts = reach + np.rint(generator.uniform(-LARGEST_TILT, LARGEST_TILT) * np.arange(n_lines)).astype(int)
    for line, shift in zip(noise, shifts, strict=True):
        line += stripes[:, shift : shift + n_columns]
    changed: Samples = np.clip(samples + np.rint(unit * noise), samples.min(), samples.max()).astype(np.int32)
    return changed


STEPS: dict[str, Callable[[Samples, np.random.Generator], Samples]] = {
    "plain": plain,
    "later": later,
    "flipped": flipped,
    "bands/2": half_bands,
    "transposed": transposed,
    "noisy": noisy,
}


def check_variant(variant: str) -> None:
    """Raise BadArgument for an unknown word."""
    for word in variant.split("+"):
        if word not in STEPS:
            raise BadArgument(f"variants: found {shown(variant)}, allowed {', '.join(STEPS)}, joined by +")


def made_variant(variant: str, samples: Samples, generator: np.random.Generator) -> Samples:
    """A variant of a scene (Y, Z, X), with sizes of its own."""
    for word in variant.split("+"):
        samples = STEPS[word](samples, generator)
    return samples
