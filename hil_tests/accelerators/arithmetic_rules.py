"""The rules that INT8 hardware may follow where a sum becomes an output, in integers, to be told apart.

The first of each kind is that of arithmetic int8-v2 (docs/arithmetic.md, section 1), except that quantisers have -128.
Sums of the arithmetic stay below 2**24, so 32 bits, float32 and anything wider are one and the same here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import groupby, product
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

ROUNDINGS = (
    "halves up", "halves to even", "halves away from zero", "halves down", "halves to zero",
    "down", "up", "to zero", "away from zero",
)  # fmt: skip
TO_NEAREST = ROUNDINGS[:5]
SATURATIONS = ("saturates", "saturates at -127", "wraps")
SUMS = (
    "25 bits or more", "saturate at 24 bits", "wrap at 24 bits", "saturate at 16 bits", "wrap at 16 bits",
    "saturate by pairs at 16 bits", "become bfloat16", "become float16",
)  # fmt: skip
WIDE, PAIRS = SUMS[0], SUMS[5]
SIGNS = ("as written", "activations of the other sign", "activations without zero point", "weights unsigned")
SCALES = ("of each channel", "of the first channel")
ORDERS = ("rounds, then lifts to 0", "lifts to 0, then rounds")


@dataclass(frozen=True)
class Rule:
    """What one executor does in one operator; each field is a word of the tuple of that name."""

    rounding: str = ROUNDINGS[0]
    saturation: str = SATURATIONS[0]
    sums: str = SUMS[0]
    signs: str = SIGNS[0]
    scale: str = SCALES[0]
    order: str = ORDERS[0]

    @property
    def deviations(self) -> dict[str, str]:
        """The fields that are not the arithmetic's."""
        return {name: word for name, word in vars(self).items() if word != getattr(DEFINED, name)}


DEFINED = Rule()
KINDS = dict(
    zip((field.name for field in fields(Rule)), (ROUNDINGS, SATURATIONS, SUMS, SIGNS, SCALES, ORDERS), strict=True)
)


@dataclass(frozen=True)
class Operator:
    """One convolution with what it was fed: M outputs of K inputs at X columns."""

    raw: Integers
    """(K, X), the bytes of the activations."""
    zero_point: int
    weight: Integers
    """(M, K)."""
    bias: Integers
    """(M,)."""
    shift: Integers
    """(M,)."""
    is_lifted: bool
    """Whether a Relu and a second quantiser follow."""

    def some_columns(self, step: int) -> "Operator":
        """The same on every `step`-th column."""
        return replace(self, raw=self.raw[:, ::step])

    def read(self, signs: str) -> tuple[Integers, Integers]:
        """Activations and weights as this kind of reading has them."""
        other = (self.raw ^ 128) - 128 if self.zero_point else self.raw & 255
        raw = other if signs == SIGNS[1] else self.raw
        values = raw if signs == SIGNS[2] else raw - self.zero_point
        return values, self.weight & 255 if signs == SIGNS[3] else self.weight


def wrapped(values: Integers, n_bits: int) -> Integers:
    """Two's complement of so many bits."""
    half = 1 << (n_bits - 1)
    return ((values + half) & (2 * half - 1)) - half


def significant(values: Integers, n_bits: int) -> Integers:
    """The nearest numbers of so many significant bits, halves to even."""
    mantissa, exponent = np.frexp(values.astype(np.float64))
    nearest: Integers = np.ldexp(np.rint(np.ldexp(mantissa, n_bits)), exponent - n_bits).astype(np.int64)
    return nearest


def pair_sums(operator: Operator, values: Integers, weight: Integers) -> Integers:
    """Sums (M, X) of pairs of neighbouring products of bytes, saturated at 16 bits; then zero points and bias."""
    offset = operator.zero_point
    sums = np.zeros((len(weight), values.shape[1]), np.int64)
    for k in range(0, len(values), 2):
        sums += np.clip(weight[:, k : k + 2] @ (values[k : k + 2] + offset), -(1 << 15), (1 << 15) - 1)
    less_offset: Integers = sums - offset * weight.sum(1)[:, None] + operator.bias[:, None]
    return less_offset


def summed(operator: Operator, signs: str) -> dict[str, tuple[Integers, Mask]]:
    """For each kind of sums: the sums (M, X), and where they depend on no order of adding."""
    values, weight = operator.read(signs)
    bias = operator.bias[:, None]
    exact = exact_products(weight, values) + bias
    magnitudes = exact_products(np.abs(weight), np.abs(values)) + np.abs(bias)
    above, below = (magnitudes + exact) // 2, (magnitudes - exact) // 2
    everywhere = np.ones(exact.shape, bool)
    found = {
        WIDE: (exact, everywhere),
        PAIRS: (pair_sums(operator, values, weight), everywhere),
        "become bfloat16": (significant(exact, 8), everywhere),
        "become float16": (significant(exact, 11), everywhere),
    }
    for n_bits in (24, 16):
        top = (1 << (n_bits - 1)) - 1
        is_safe = (above == 0) | (below == 0) | ((above <= top) & (below <= top))
        found[f"saturate at {n_bits} bits"] = np.clip(exact, -top - 1, top), is_safe
        found[f"wrap at {n_bits} bits"] = wrapped(exact, n_bits), everywhere
    return found


def exact_products(weight: Integers, values: Integers) -> Integers:
    """The product of two matrices of bytes; float64 carries it exactly, and is quick."""
    return np.rint(weight.astype(np.float64) @ values.astype(np.float64)).astype(np.int64)


def rounded(sums: Integers, shift: Integers, rounding: str) -> Integers:
    """Sums / 2**shift as integers; shift: 1 or more."""
    low, half = sums >> shift, np.int64(1) << (shift - 1)
    rest = sums - (low << shift)
    over, tie = rest > half, rest == half
    steps: dict[str, Any] = {
        "halves up": over | tie,
        "halves to even": over | (tie & (low & 1 == 1)),
        "halves away from zero": over | (tie & (sums > 0)),
        "halves down": over,
        "halves to zero": over | (tie & (sums < 0)),
        "down": False,
        "up": rest > 0,
        "to zero": (rest > 0) & (sums < 0),
        "away from zero": (rest > 0) & (sums > 0),
    }
    found: Integers = low + steps[rounding]
    return found


def saturated(values: Integers, saturation: str) -> Integers:
    """As 8 bits, signed."""
    if saturation == "wraps":
        return wrapped(values, 8)
    return np.clip(values, -128 if saturation == "saturates" else -127, 127)


def known_rules(operator: Operator) -> list[Rule]:
    """Every combination that can matter, those that share work side by side."""
    scales = SCALES if len(set(operator.shift.tolist())) > 1 else SCALES[:1]
    orders = ORDERS if operator.is_lifted else ORDERS[:1]
    return [
        Rule(rounding, saturation, sums, signs, scale, order)
        for signs, sums, scale, order, rounding, saturation in product(
            SIGNS, SUMS, scales, orders, ROUNDINGS, SATURATIONS
        )
    ]


def hypotheses(operator: Operator, rules: list[Rule]) -> Iterator[tuple[Rule, Integers, Mask]]:
    """Outputs (M, X) less the zero point under each rule, and where they are certain; rules in that order."""
    for signs, read_alike in groupby(rules, lambda rule: rule.signs):
        sums = summed(operator, signs)
        for (kind, scale, order, rounding), alike in groupby(read_alike, rounding_key):
            values, certain = sums[kind]
            shift = operator.shift if scale == SCALES[0] else np.full_like(operator.shift, operator.shift[0])
            lifted = np.maximum(values, 0) if order == ORDERS[1] else values
            quotients = rounded(lifted, shift[:, None], rounding)
            for rule in alike:
                found = saturated(quotients, rule.saturation)
                is_lifted_last = operator.is_lifted and order == ORDERS[0]
                yield rule, np.maximum(found, 0) if is_lifted_last else found, certain


def rounding_key(rule: Rule) -> tuple[str, str, str, str]:
    """All that decides a quotient before it is saturated."""
    return rule.sums, rule.scale, rule.order, rule.rounding
