"""Parameters as one flat dictionary of the standard's symbols, as the conformance vectors spell them.

Keys: user, signed, D, order (BI, BSQ), M, B, coder, fidelity; DA, a, DR, r (a number, or one per band);
periodic_u, a_periods, r_periods (a or r for each period); P, mode, local_sum, R, Omega, log2_tinc, vmin, vmax;
weight_exp_offsets, weight_init (one row per band), Q; theta, phi, psi (a number, or one per band);
Umax, gamma_star, gamma0, K, k_table (sample-adaptive and hybrid); hybrid_acc_init; J, ref_interval, restricted;
Nx, Ny, Nz; supplementary_tables (a dictionary each); tables_left_out (names of weight_init, weight_exp_offsets,
phi, psi, k_table that are not to stand in the header). null and a missing key mean the default; what the chosen
coder, order or fidelity does not use is ignored, and so is image_file.
"""

from collections.abc import Mapping
from dataclasses import asdict
from operator import index
from typing import Any, NamedTuple

import numpy as np

from runtime.ccsds123.choices import Choice, CoderType, Fidelity, LocalSum, Mode, Order
from runtime.ccsds123.coder_parameters import BlockAdaptive, Coder, Hybrid, SampleAdaptive
from runtime.ccsds123.image import Image
from runtime.ccsds123.prediction_parameters import Prediction
from runtime.ccsds123.quantization_parameters import ErrorLimit, Quantization
from runtime.ccsds123.representative_parameters import BandVarying, Representative
from runtime.ccsds123.supplementary import SupplementaryTable
from runtime.errors import BadArgument

TABLES = ("weight_init", "weight_exp_offsets", "phi", "psi", "k_table")
DEFAULTS: dict[str, Any] = {
    "user": 0, "signed": False, "order": "BI", "M": 1, "B": 1, "coder": "sample_adaptive", "fidelity": "lossless",
    "DA": None, "a": None, "DR": None, "r": None, "periodic_u": None, "a_periods": None, "r_periods": None,
    "P": 3, "mode": "full", "local_sum": "wide_neighbor", "R": 64, "Omega": 19, "log2_tinc": 6, "vmin": -1, "vmax": 3,
    "weight_exp_offsets": None, "weight_init": None, "Q": None, "theta": 0, "phi": 0, "psi": 0,
    "Umax": 18, "gamma_star": 6, "gamma0": 1, "K": None, "k_table": None, "hybrid_acc_init": None,
    "J": 16, "ref_interval": 64, "restricted": False, "supplementary_tables": (), "tables_left_out": (),
}  # fmt: skip
USUAL_CONSTANT = 3  # K where it is not given, as far as D allows it
REQUIRED = ("Nx", "Ny", "Nz", "D")
IGNORED = ("image_file",)


class Parts(NamedTuple):
    """What `Ccsds123Parameters` is made of."""

    image: Image
    prediction: Prediction
    quantization: Quantization
    representative: Representative
    coder: Coder
    supplementary_tables: tuple[SupplementaryTable, ...]


def parts_of(values: Mapping[str, Any]) -> Parts:
    """The parts of a flat dictionary; BadArgument for an unknown key, a missing one or a value out of range.

    Raises TypeError, ValueError or KeyError for a value of the wrong form.
    """
    unknown = set(values) - {*DEFAULTS, *REQUIRED, *IGNORED}
    missing = set(REQUIRED) - set(values)
    if unknown or missing:
        raise BadArgument(f"parameters: unknown {sorted(unknown)}, missing {sorted(missing)}")
    v = DEFAULTS | {key: plain(value) for key, value in values.items() if value is not None}
    left_out = {name for name in TABLES if name in v["tables_left_out"]}
    if len(left_out) != len(v["tables_left_out"]):
        raise BadArgument(f"tables_left_out is {v['tables_left_out']}, allowed some of {', '.join(TABLES)}")
    return Parts(
        image_of(v),
        prediction_of(v, left_out),
        quantization_of(v),
        Representative(v["theta"], varying(v, "phi", left_out), varying(v, "psi", left_out)),
        coder_of(v, left_out),
        tuple(map(SupplementaryTable.from_dict, v["supplementary_tables"])),
    )


def plain(value: Any) -> Any:
    """The value with Python's own numbers where it came from NumPy."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def choose(kind: type[Choice], key: str, v: Mapping[str, Any]) -> Any:
    """The member of `kind` that v[key] names."""
    if v[key] not in list(kind):
        raise BadArgument(f"{key} is {v[key]!r}, allowed {', '.join(kind)}")
    return kind(v[key])


def image_of(v: Mapping[str, Any]) -> Image:
    """The image part of the dictionary."""
    order = choose(Order, "order", v)
    depth = v["M"] if order is Order.BAND_INTERLEAVED else 0
    return Image(v["Nx"], v["Ny"], v["Nz"], v["D"], bool(v["signed"]), order, depth, v["B"], v["user"])


def rows(table: Any) -> tuple[tuple[int, ...], ...] | None:
    """A table as tuples."""
    return None if table is None else tuple(tuple(row) for row in table)


def prediction_of(v: Mapping[str, Any], left_out: set[str]) -> Prediction:
    """The predictor part of the dictionary."""
    offsets, weights = rows(v["weight_exp_offsets"]), rows(v["weight_init"])
    has_offsets = offsets is not None or "weight_exp_offsets" in left_out
    has_weights = weights is not None or "weight_init" in left_out
    return Prediction(
        v["P"], choose(Mode, "mode", v), choose(LocalSum, "local_sum", v), v["R"], v["Omega"],
        v["log2_tinc"], v["vmin"], v["vmax"],
        has_offsets, offsets, has_offsets and "weight_exp_offsets" not in left_out,
        (v["Q"] or v["Omega"] + 3) if has_weights else 0, weights, has_weights and "weight_init" not in left_out,
    )  # fmt: skip


def quantization_of(v: Mapping[str, Any]) -> Quantization:
    """The error limits of the dictionary."""
    fidelity = choose(Fidelity, "fidelity", v)
    if fidelity is Fidelity.LOSSLESS:
        return Quantization()
    is_periodic = v["periodic_u"] is not None
    return Quantization(
        limit_of(v, "a", is_periodic) if fidelity.uses_absolute else None,
        limit_of(v, "r", is_periodic) if fidelity.uses_relative else None,
        v["periodic_u"],
    )


def limit_of(v: Mapping[str, Any], name: str, is_periodic: bool) -> ErrorLimit:
    """One kind of error limit, with the fewest bits that hold it where DA or DR is not given."""
    key = f"{name}_periods" if is_periodic else name
    given = v[key]
    if given is None:
        raise BadArgument(f"{key} is missing")
    sets = list(given) if is_periodic else [given]
    is_band_dependent = any(not isinstance(limits, int) for limits in sets)
    as_tuples = tuple((limits,) if isinstance(limits, int) else tuple(limits) for limits in sets)
    largest = max((index(limit) for limits in as_tuples for limit in limits), default=0)
    n_bits = v[f"D{name.upper()}"] or max(1, largest.bit_length())
    if is_periodic:
        return ErrorLimit(n_bits, is_band_dependent, (), as_tuples)
    return ErrorLimit(n_bits, is_band_dependent, as_tuples[0])


def varying(v: Mapping[str, Any], name: str, left_out: set[str]) -> BandVarying:
    """Phi or psi of the dictionary."""
    if isinstance(v[name], int) and name not in left_out:
        return BandVarying(v[name])
    table = None if isinstance(v[name], int) else tuple(v[name])
    return BandVarying(None, table, name not in left_out)


def coder_of(v: Mapping[str, Any], left_out: set[str]) -> Coder:
    """The coder part of the dictionary."""
    kind = choose(CoderType, "coder", v)
    if kind is CoderType.BLOCK_ADAPTIVE:
        return BlockAdaptive(v["J"], v["ref_interval"], bool(v["restricted"]))
    if kind is CoderType.HYBRID:
        starts = v["hybrid_acc_init"]
        return Hybrid(v["Umax"], v["gamma_star"], v["gamma0"], None if starts is None else tuple(starts))
    table = None if v["k_table"] is None else tuple(v["k_table"])
    if table is None and "k_table" not in left_out:
        constant = min(USUAL_CONSTANT, v["D"] - 2) if v["K"] is None else v["K"]
        return SampleAdaptive(v["Umax"], v["gamma_star"], v["gamma0"], constant)
    return SampleAdaptive(v["Umax"], v["gamma_star"], v["gamma0"], None, table, "k_table" not in left_out)


def values_of(parts: Parts) -> dict[str, Any]:
    """The dictionary that `parts_of` turns into `parts`; what is not used is null."""
    image, prediction, quantization, representative, coder, tables = parts
    values: dict[str, Any] = dict.fromkeys(DEFAULTS)
    values |= {
        "user": image.user_data, "signed": image.is_signed, "D": image.depth, "order": image.order.value,
        "M": image.interleaving_depth, "B": image.word_bytes, "Nx": image.n_columns, "Ny": image.n_lines,
        "Nz": image.n_bands, "coder": coder.type.value, "fidelity": quantization.fidelity.value,
        "P": prediction.n_previous_bands, "mode": prediction.mode.value, "local_sum": prediction.local_sum.value,
        "R": prediction.register_bits, "Omega": prediction.weight_resolution,
        "log2_tinc": prediction.interval_exponent, "vmin": prediction.first_exponent,
        "vmax": prediction.last_exponent, "weight_exp_offsets": prediction.exponent_offsets,
        "weight_init": prediction.initial_weights, "Q": prediction.initial_weight_bits,
        "theta": representative.resolution, "periodic_u": quantization.period_exponent,
        "supplementary_tables": [asdict(table) for table in tables],
    }  # fmt: skip
    for name, limit in (("a", quantization.absolute), ("r", quantization.relative)):
        if limit is not None:
            values[f"D{name.upper()}"] = limit.n_bits
            unwrapped = [x if limit.is_band_dependent else x[0] for x in (limit.periods or (limit.values,)) if x]
            values |= {f"{name}_periods": unwrapped} if limit.periods else {name: unwrapped[0] if unwrapped else None}
    left_out = []
    for name, parameter in (("phi", representative.damping), ("psi", representative.offset)):
        values[name] = parameter.fixed if parameter.fixed is not None else parameter.table
        left_out += [name] * (parameter.fixed is None and not parameter.is_table_in_header)
    if isinstance(coder, BlockAdaptive):
        values |= {"J": coder.block_size, "ref_interval": coder.reference_interval, "restricted": coder.is_restricted}
    else:
        values |= {"Umax": coder.unary_limit, "gamma_star": coder.rescaling_exponent}
        values["gamma0"] = coder.initial_count_exponent
    if isinstance(coder, Hybrid):
        values["hybrid_acc_init"] = coder.initial_accumulators
    if isinstance(coder, SampleAdaptive):
        values |= {"K": coder.accumulator_constant, "k_table": coder.accumulator_table}
        left_out += ["k_table"] * (coder.accumulator_constant is None and not coder.is_table_in_header)
    left_out += ["weight_init"] * (prediction.initial_weight_bits > 0 and not prediction.is_weight_table_in_header)
    left_out += ["weight_exp_offsets"] * (prediction.has_exponent_offsets and not prediction.is_offset_table_in_header)
    values["tables_left_out"] = left_out
    return values
