"""The integers of a cell: what is written is read, and what no writer makes is refused."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from runtime.cell.integer_cell import (
    LARGEST_SUM,
    SIZES,
    CellShape,
    IntegerCell,
    cell_from_tensors,
    pack_tensors,
    unpack_tensors,
)
from runtime.errors import Corrupt
from tests.reference.random_cell import random_cell

SHAPE = CellShape(group=3, features=5, line_convolutions=1, line_blocks=2, spectral_features=4, band_convolutions=1)


@pytest.fixture(scope="module")
def cell() -> IntegerCell:
    return random_cell(SHAPE, 3)


def test_tensors_come_back(cell: IntegerCell) -> None:
    block, table = pack_tensors(cell.tensors())
    read = cell_from_tensors(SHAPE, unpack_tensors(block, table))
    for name, tensor in cell.tensors().items():
        np.testing.assert_array_equal(read.tensors()[name], tensor, name)
    assert read.largest_sums() == cell.largest_sums()


@pytest.mark.parametrize(
    ("name", "value"),
    [("group", 0), ("group", 17), ("features", 3), ("features", 129), ("line_blocks", 0), ("line_convolutions", 0),
     ("spectral_features", 3), ("spectral_features", 65), ("band_convolutions", -1), ("features", True),
     ("features", "8")],
)  # fmt: skip
def test_sizes_that_no_writer_makes_are_refused(name: str, value: object) -> None:
    with pytest.raises(Corrupt, match=f"architecture: {name} is {value!r}"):
        CellShape.from_dict({**asdict(SHAPE), name: value})


def test_a_sum_that_float32_cannot_carry_is_refused(cell: IntegerCell) -> None:
    layer = cell.layers["decoder"]
    bias = layer.bias.copy()
    bias[2] = LARGEST_SUM - 1
    broken = IntegerCell(SHAPE, {**cell.layers, "decoder": replace(layer, bias=bias)}, cell.memories)
    with pytest.raises(Corrupt, match="layer decoder: a sum may reach"):
        broken.check()


def test_a_shift_or_rate_outside_its_range_is_refused(cell: IntegerCell) -> None:
    layer = cell.layers["decoder"]
    shifted = replace(layer, shift=np.zeros_like(layer.shift))
    with pytest.raises(Corrupt, match="layer decoder: shift 0"):
        IntegerCell(SHAPE, {**cell.layers, "decoder": shifted}, cell.memories).check()
    still = replace(cell.memories[1], mantissa=np.zeros_like(cell.memories[1].mantissa))
    with pytest.raises(Corrupt, match="memory 1: mantissa 0"):
        IntegerCell(SHAPE, cell.layers, (cell.memories[0], still)).check()


@pytest.mark.parametrize(
    "change", [{"dtype": "float32"}, {"shape": [1 << 40]}, {"shape": [-1]}, {"offset": -1}, {"offset": 10**9}], ids=str
)
def test_a_table_that_does_not_fit_its_block_is_refused(cell: IntegerCell, change: dict[str, object]) -> None:
    block, table = pack_tensors(cell.tensors())
    with pytest.raises(Corrupt, match="integers: entry"):
        unpack_tensors(block, [{**table[0], **change}, *table[1:]])


def test_a_missing_tensor_is_named(cell: IntegerCell) -> None:
    tensors = cell.tensors()
    del tensors["taps.bias"]
    with pytest.raises(Corrupt, match=r"tensor 'taps\.bias' is missing"):
        cell_from_tensors(SHAPE, tensors)


def test_a_group_shares_the_line_part() -> None:
    line, spectral = (
        sum(one.n_in * one.n_out for one in part) for part in (SHAPE.line_layers(), SHAPE.spectral_layers())
    )
    assert SHAPE.macs == -(-line // 3) + spectral
    assert [SHAPE.groups(n) for n in (1, 3, 4, 9)] == [1, 1, 2, 3]


def test_no_layer_has_more_inputs_than_its_sums_allow() -> None:
    """Any weights and inputs of 127, a bias below 2**22, a half of 2**21: section 1 of docs/arithmetic.md."""
    largest = CellShape(**{name: most for name, (_, most) in SIZES.items()})
    n_in = max(layer.n_in for layer in largest.layers())
    assert n_in == 416
    assert n_in * 127 * 127 + (1 << 22) + (1 << 21) < LARGEST_SUM
