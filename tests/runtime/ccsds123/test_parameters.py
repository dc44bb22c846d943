from typing import Any

import numpy as np
import pytest

from runtime.ccsds123 import Ccsds123Parameters, encode
from runtime.errors import BadArgument

PLAIN: dict[str, Any] = {"Nx": 4, "Ny": 3, "Nz": 2, "D": 12}


@pytest.mark.parametrize(
    "change",
    [
        {"Nx": 0},
        {"Ny": 65537},
        {"Nz": 2.0},
        {"D": 1},
        {"D": 33},
        {"M": 3},
        {"M": 0},
        {"B": 9},
        {"user": 256},
        {"order": "BIP"},
        {"coder": "rice"},
        {"P": 16},
        {"R": 31},
        {"R": 32},  # D + Omega + 2 = 33
        {"Omega": 20},
        {"log2_tinc": 3},
        {"vmin": 4},
        {"vmax": 10},
        {"weight_init": [[0, 0, 0]]},
        {"weight_init": [[0, 0, 0], [0, 0, 0, 4]], "Q": 3},
        {"weight_init": [[0, 0, 0], [0, 0, 0, 0]], "Q": 23},
        {"weight_exp_offsets": [[0], [0, 6]]},
        {"weight_exp_offsets": [[0], [0]]},
        {"fidelity": "absolute"},
        {"fidelity": "absolute", "a": 4, "DA": 2},
        {"fidelity": "absolute", "a": [1, 2, 3]},
        {"fidelity": "absolute", "a": 1 << 11, "DA": 12},  # DA <= D - 1
        {"fidelity": "relative", "r": 1, "DR": 17},
        {"fidelity": "absolute", "a_periods": [1], "periodic_u": 1},
        {"fidelity": "absolute", "a_periods": [1, 1], "periodic_u": 1, "order": "BSQ"},
        {"fidelity": "absolute", "a_periods": [1, 1, 1], "periodic_u": 10},
        {"theta": 5},
        {"theta": 1, "phi": 2},
        {"theta": 1, "psi": 1},  # lossless
        {"theta": 1, "phi": [0]},
        {"Umax": 7},
        {"gamma0": 6},  # gamma* must exceed it
        {"gamma_star": 12},
        {"K": 11},
        {"k_table": [0, 11]},
        {"coder": "hybrid", "hybrid_acc_init": [0, 1 << 13]},
        {"coder": "block_adaptive", "J": 12},
        {"coder": "block_adaptive", "ref_interval": 4097},
        {"coder": "block_adaptive", "restricted": True},
        {"Nx": 1},
        {"Nx": 1, "mode": "reduced"},
        {"tables_left_out": ["user"]},
        {"unknown": 1},
        {"P": "three"},
        {"a": "none", "fidelity": "absolute"},
        {"weight_init": 3},
        {"supplementary_tables": [{"type": "text"}]},
        {"supplementary_tables": 1},
        {"supplementary_tables": [{"type": "unsigned", "purpose": 5, "structure": "0d", "values": [1], "n_bits": 1}]},
        {"supplementary_tables": [{"type": "unsigned", "purpose": 4, "structure": "1d", "values": [1], "n_bits": 1}]},
        {"supplementary_tables": [{"type": "signed", "purpose": 4, "structure": "0d", "values": [1], "n_bits": 1}]},
    ],
    ids=str,
)
def test_values_outside_the_standard_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadArgument) as caught:
        Ccsds123Parameters.from_dict(PLAIN | change)
    assert "\n" not in str(caught.value)


def test_a_required_key_is_missed() -> None:
    with pytest.raises(BadArgument, match="Nx"):
        Ccsds123Parameters.from_dict({"Ny": 1, "Nz": 1, "D": 8})


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((2, 3, 5), np.uint16),
        np.full((2, 3, 4), 4096, np.uint16),
        np.full((2, 3, 4), -1, np.int16),
        np.zeros((2, 3, 4), np.float32),
    ],
    ids=["shape", "too large", "negative", "not integers"],
)
@pytest.mark.parametrize("order", ["BI", "BSQ"])
def test_unusable_samples_are_refused(samples: Any, order: str) -> None:
    with pytest.raises(BadArgument):
        encode(samples, Ccsds123Parameters.from_dict(PLAIN | {"order": order}))


@pytest.mark.parametrize("table", [5, "12", [1], [1, 2, 3], [1, "2"], [1, 99]], ids=str)
def test_an_unusable_table_is_refused(table: Any) -> None:
    parameters = Ccsds123Parameters.from_dict(PLAIN | {"tables_left_out": ["k_table"]})
    with pytest.raises(BadArgument):
        parameters.with_tables({"k_table": table})


def test_numpy_numbers_and_tables_are_as_good_as_pythons() -> None:
    parameters = Ccsds123Parameters.from_dict(PLAIN | {"Nx": np.int64(4), "k_table": np.array([1, 2])})
    assert parameters == Ccsds123Parameters.from_dict(PLAIN | {"k_table": [1, 2]})


def test_encoding_needs_every_table() -> None:
    parameters = Ccsds123Parameters.from_dict(PLAIN | {"tables_left_out": ["k_table"]})
    assert parameters.missing_tables == ("k_table",)
    with pytest.raises(BadArgument, match="k_table"):
        encode(np.zeros((2, 3, 4), np.uint16), parameters)
