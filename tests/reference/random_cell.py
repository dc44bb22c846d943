"""Integer cells with random weights, for laws that hold for any weights."""

import numpy as np

from runtime.cell.integer_cell import CellShape, IntegerCell, IntegerLayer, IntegerMemory


def random_cell(shape: CellShape, seed: int, largest_weight: int = 127) -> IntegerCell:
    """A cell whose sums use their range: shifts as large as keeps activations alive, some saturating."""
    generator = np.random.default_rng(seed)
    layers = {}
    for spec in shape.layers():
        weight = generator.integers(-largest_weight, largest_weight + 1, (spec.n_out, spec.n_in)).astype(np.int8)
        shift = generator.integers(1, 6, spec.n_out) if spec.name == "taps" else generator.integers(6, 11, spec.n_out)
        bias = generator.integers(-(1 << 14), 1 << 14, spec.n_out).astype(np.int32)
        layers[spec.name] = IntegerLayer(spec, weight, bias, shift.astype(np.int8))
    memories = tuple(
        IntegerMemory(
            generator.integers(64, 128, shape.features).astype(np.int8),
            generator.integers(7, 15, shape.features).astype(np.int8),
        )
        for _ in range(shape.line_blocks)
    )
    cell = IntegerCell(shape, layers, memories)
    cell.check()
    return cell
