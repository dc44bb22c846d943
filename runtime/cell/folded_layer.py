"""An integer layer as one float32 matrix whose product needs only a clip and a floor, and the proof that it is exact.

    (weight @ values + bias + 2**(shift - 1)) >> shift
        ==  floor([values, 1] @ [weight 2**-shift; bias 2**-shift + 1/2])

Every partial sum is a multiple of 2**-shift, smaller than 2**(24 - shift): float32 holds all of them, in any order.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.cell.integer_cell import LARGEST_SUM, IntegerLayer
from runtime.errors import Corrupt

FloatArray = npt.NDArray[np.float32]


class FoldedLayer(NamedTuple):
    """The layer's matrix, its requantisation folded in; outputs are clipped to low..high, then rounded down."""

    weight: FloatArray
    """(n_in, n_out)."""
    bias: FloatArray
    """(n_out,), one half included."""
    low: int
    high: int

    @property
    def with_bias(self) -> FloatArray:
        """(n_in + 1, n_out), for inputs that end in a one: the bias costs no pass of its own."""
        return np.concatenate([self.weight, self.bias[None]])


def exact_float32(values: npt.NDArray[np.float64]) -> FloatArray:
    """The same numbers in float32. Raises Corrupt where one of them is not a float32."""
    narrow = values.astype(np.float32)
    if not np.array_equal(narrow.astype(np.float64), values):
        raise Corrupt("a folded number is not exact in float32")
    return narrow


def folded_layer(layer: IntegerLayer) -> FoldedLayer:
    """The float32 version of a layer. Raises Corrupt where a sum or a number could be inexact."""
    if layer.largest_sum >= LARGEST_SUM:
        raise Corrupt(f"layer {layer.spec.name}: a sum may reach {layer.largest_sum}, allowed below {LARGEST_SUM}")
    scale = 2.0 ** -layer.shift.astype(np.float64)
    bias = layer.bias.astype(np.float64) * scale + 0.5
    weight = layer.weight.astype(np.float64) * scale[:, None]
    return FoldedLayer(exact_float32(weight.T), exact_float32(bias), layer.spec.low, layer.spec.high)
