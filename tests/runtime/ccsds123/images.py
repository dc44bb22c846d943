"""Images and parameters drawn from the whole space of CCSDS 123.0-B-2, small enough for a plain-Python reference."""

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

IntArray = npt.NDArray[np.integer[Any]]
Parameters = dict[str, Any]

CODERS = ["sample_adaptive", "hybrid", "block_adaptive"]
FIDELITIES = ["lossless", "absolute", "relative", "absolute_and_relative"]


@st.composite
def parameters_and_image(draw: st.DrawFn) -> tuple[Parameters, IntArray]:
    """A valid parameter dictionary and an image for it, (Z, Y, X) int64."""
    parameters = draw(shapes())
    parameters |= draw(predictors(parameters))
    parameters |= draw(fidelities(parameters))
    parameters |= draw(coders(parameters))
    seed = draw(st.integers(0, 2**32 - 1))
    kind = draw(st.sampled_from(["smooth", "noise", "constant", "extremes", "sparse"]))
    return parameters, image_of(parameters, kind, np.random.default_rng(seed))


def image_of(parameters: Parameters, kind: str, rng: np.random.Generator) -> IntArray:
    shape = (parameters["Nz"], parameters["Ny"], parameters["Nx"])
    depth = parameters["D"]
    lowest = -(1 << (depth - 1)) if parameters["signed"] else 0
    highest = lowest + (1 << depth) - 1
    if kind == "noise":
        return rng.integers(lowest, highest + 1, shape)
    if kind == "constant":
        return np.full(shape, int(rng.integers(lowest, highest + 1)), np.int64)
    if kind == "extremes":
        return np.asarray(np.where(rng.random(shape) < 0.5, lowest, highest))
    if kind == "sparse":
        return np.asarray(np.where(rng.random(shape) < 0.03, highest, (lowest + highest) // 2))
    steps = rng.integers(-3, 4, shape).cumsum(0).cumsum(1).cumsum(2)
    return np.asarray(np.clip((lowest + highest) // 2 + steps, lowest, highest))


@st.composite
def shapes(draw: st.DrawFn) -> Parameters:
    n_bands = draw(st.integers(1, 6))
    is_sequential = draw(st.booleans())
    return {
        "Nx": draw(st.integers(1, 9)),
        "Ny": draw(st.integers(1, 7)),
        "Nz": n_bands,
        "D": draw(st.one_of(st.sampled_from([2, 3, 4, 8, 16, 32]), st.integers(2, 32))),
        "signed": draw(st.booleans()),
        "order": "BSQ" if is_sequential else "BI",
        "M": 0 if is_sequential else draw(st.integers(1, n_bands)),
        "B": draw(st.integers(1, 8)),
        "user": draw(st.integers(0, 255)),
    }


@st.composite
def predictors(draw: st.DrawFn, shape: Parameters) -> Parameters:
    depth, n_bands = shape["D"], shape["Nz"]
    is_narrow_image = shape["Nx"] == 1
    mode = "reduced" if is_narrow_image else draw(st.sampled_from(["full", "reduced"]))
    sums = ["wide_column", "narrow_column"] + ([] if is_narrow_image else ["wide_neighbor", "narrow_neighbor"])
    n_previous = draw(st.one_of(st.integers(0, 6), st.just(15)))
    resolution = draw(st.integers(4, 19))
    first = draw(st.integers(-6, 9))
    rows = [min(z, n_previous) for z in range(n_bands)]
    left_out = set()
    values: Parameters = {
        "P": n_previous,
        "mode": mode,
        "local_sum": draw(st.sampled_from(sums)),
        "Omega": resolution,
        "R": draw(st.one_of(st.integers(max(32, depth + resolution + 2), 64), st.just(64))),
        "log2_tinc": draw(st.integers(4, 11)),
        "vmin": first,
        "vmax": draw(st.integers(first, 9)),
    }
    if draw(st.booleans()):
        offsets = st.integers(-6, 5)
        lengths = [n + (mode == "full") for n in rows]
        values["weight_exp_offsets"] = [[draw(offsets) for _ in range(n)] for n in lengths]
        left_out |= {"weight_exp_offsets"} if draw(st.booleans()) else set()
    if draw(st.booleans()):
        values["Q"] = draw(st.integers(3, resolution + 3))
        largest = 1 << (values["Q"] - 1)
        lengths = [n + 3 * (mode == "full") for n in rows]
        values["weight_init"] = [[draw(st.integers(-largest, largest - 1)) for _ in range(n)] for n in lengths]
        left_out |= {"weight_init"} if draw(st.booleans()) else set()
    return values | {"tables_left_out": sorted(left_out)}


@st.composite
def fidelities(draw: st.DrawFn, known: Parameters) -> Parameters:
    n_bands = known["Nz"]
    fidelity = draw(st.sampled_from(FIDELITIES))
    values: Parameters = {"fidelity": fidelity, "theta": draw(st.integers(0, 4))}
    may_change = known["order"] == "BI" and fidelity != "lossless"
    exponent = draw(st.none() | st.integers(0, 9)) if may_change else None
    values["periodic_u"] = exponent
    for name in ("a", "r"):
        if {"a": "absolute", "r": "relative"}[name] not in fidelity:
            continue
        n_bits = draw(st.integers(1, min(known["D"] - 1, 16)))
        limit = st.integers(0, (1 << n_bits) - 1)
        limits = draw(st.sampled_from([limit, st.lists(limit, min_size=n_bands, max_size=n_bands)]))
        values[f"D{name.upper()}"] = n_bits
        if exponent is None:
            values[name] = draw(limits)
        else:
            values[f"{name}_periods"] = [draw(limits) for _ in range(-(-known["Ny"] >> exponent))]
    left_out = set(known["tables_left_out"])
    highest = (1 << values["theta"]) - 1
    for name in ("phi", "psi"):
        one = st.integers(0, 0 if name == "psi" and fidelity == "lossless" else highest)
        is_table = values["theta"] > 0 and draw(st.booleans())
        values[name] = draw(st.lists(one, min_size=n_bands, max_size=n_bands)) if is_table else draw(one)
        left_out |= {name} if is_table and draw(st.booleans()) else set()
    return values | {"tables_left_out": sorted(left_out)}


@st.composite
def coders(draw: st.DrawFn, known: Parameters) -> Parameters:
    coder = draw(st.sampled_from(CODERS))
    depth, n_bands = known["D"], known["Nz"]
    if coder == "block_adaptive":
        return {
            "coder": coder,
            "J": draw(st.sampled_from([8, 16, 32, 64])),
            "ref_interval": draw(st.one_of(st.integers(1, 5), st.integers(1, 4096))),
            "restricted": depth <= 4 and draw(st.booleans()),
        }
    first_count = draw(st.integers(1, 8))
    values: Parameters = {
        "coder": coder,
        "Umax": draw(st.integers(8, 32)),
        "gamma0": first_count,
        "gamma_star": draw(st.integers(max(4, first_count + 1), 11)),
    }
    if coder == "hybrid":
        start = st.integers(0, (1 << (depth + first_count)) - 1)
        values["hybrid_acc_init"] = draw(st.none() | st.lists(start, min_size=n_bands, max_size=n_bands))
        return values
    constant = st.integers(0, min(depth - 2, 14))
    if draw(st.booleans()):
        return values | {"K": draw(constant)}
    values["k_table"] = draw(st.lists(constant, min_size=n_bands, max_size=n_bands))
    left_out = ["k_table"] if draw(st.booleans()) else []
    return values | {"tables_left_out": sorted({*known["tables_left_out"], *left_out})}
