"""Layers whose sums never lie halfway between two outputs, so that every rounding to nearest gives the same bits.

The arithmetic rounds halves up; quantisers of ONNX round them to even, others away from zero or up. Twice the weights,
twice the bias and one, one more shift: the same layer, for 2 sum + 1 halves to the same integer, and never tied.
"""

import numpy as np

from runtime.cell.integer_cell import LARGEST_SUM, IntegerCell, IntegerLayer

LARGEST_WEIGHT = 127
LARGEST_PAIR_WEIGHT = 63  # x86 without VNNI adds two products of uint8 and int8 in 16 bits, saturating


def may_tie(layer: IntegerLayer) -> bool:
    """Whether a sum of the layer can lie halfway between two integers of its output.

    If 2**k divides all weights of an output, its sums equal its bias modulo 2**k; a tie equals 2**(shift - 1) modulo
    2**shift.
    """
    shift = layer.shift.astype(np.int64)
    bits = np.bitwise_or.reduce(layer.weight.astype(np.int64), axis=1) | (1 << shift)
    step = bits & -bits  # 2**k, at most 2**shift
    return bool(np.any((layer.bias.astype(np.int64) - (1 << (shift - 1))) % step == 0))


def largest_weight(layer: IntegerLayer) -> int:
    """The largest magnitude among the weights."""
    return int(np.abs(layer.weight.astype(np.int64)).max())


def tie_free_layer(layer: IntegerLayer) -> IntegerLayer | None:
    """The same layer without ties: itself, or doubled; None where doubled weights or sums would not fit."""
    if not may_tie(layer):
        return layer
    if 2 * largest_weight(layer) > LARGEST_WEIGHT or 2 * layer.largest_sum + 1 >= LARGEST_SUM:
        return None
    weight, bias, shift = layer.weight * np.int8(2), 2 * layer.bias + 1, layer.shift + np.int8(1)
    return IntegerLayer(layer.spec, weight, bias.astype(np.int32), shift.astype(np.int8))


def unmet_conditions(cell: IntegerCell, pairs_saturate: bool = True) -> list[str]:
    """Why dense INT8 sub-graphs would not give the bits of this cell's line part; empty where they do.

    pairs_saturate: whether it must run with uint8 activations on x86 without VNNI, too.
    """
    found = []
    for name in (spec.name for spec in cell.shape.line_layers()):  # the spectral part is the host's
        layer = cell.layers[name]
        free = tie_free_layer(layer)
        if free is None:
            reason = f"weights up to {largest_weight(layer)} cannot be doubled to prevent it"
            found.append(f"layer {name}: a sum may lie halfway between two integers, and {reason}")
        elif pairs_saturate and largest_weight(free) > LARGEST_PAIR_WEIGHT:
            text = f"a weight of {largest_weight(free)}, allowed up to {LARGEST_PAIR_WEIGHT} on x86 without VNNI"
            found.append(f"layer {name}: {text}")
    return found
