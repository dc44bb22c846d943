"""Cases of predictors, stages, coders, ways to quantise, shapes and depths."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from runtime.codec.coding_options import ResidualCoder
from runtime.stream.depth import LARGEST_DEPTH, SMALLEST_DEPTH
from runtime.stream.kinds import PredictorKind
from runtime.stream.segment_header import allowed_stages
from tests.golden.case import Case, plain_source

NETWORK = PredictorKind.LINERWKV.name.lower()
ERRORS: dict[str, dict[str, Any]] = {
    "lossless": {},
    "in-loop": {"max_error": 3, "quantisation": "in-loop"},
    "prequantised": {"max_error": 2, "quantisation": "prequantised"},
}
SHAPES = {
    "one-sample": (1, 1, 1), "one-line": (1, 5, 9), "one-column": (6, 5, 1), "two-columns": (5, 4, 2),
    "one-band": (6, 1, 9), "three-bands": (5, 3, 7), "full-groups": (5, 16, 4), "one-band-too-many": (4, 17, 5),
}  # fmt: skip
SMALLEST_DEPTHS = {7: 1, 6: 3, 5: 6, 4: 12, 3: 25, 2: 60}
"""Maximum errors of 8 bits by the depth that they leave."""


def way(predictor: str, package: str = "group-4", /, **words: Any) -> dict[str, Any]:
    """The arguments of a case: its options, and its package where the predictor is a network."""
    has_network = predictor == NETWORK
    always = {"network": "always"} if has_network else {}
    found = {"predictor": predictor, "segment_lines": 3, **always, **words}
    return {"words": found, "package": package if has_network else None}


def combinations() -> Iterator[tuple[str, Case]]:
    """Every predictor with every stage, coder of residuals and way to quantise."""
    for kind in PredictorKind:
        if kind is PredictorKind.CCSDS123:
            for name, words in (("lossless", {}), ("near-lossless", {"max_error": 3})):
                text = f"a CCSDS 123 image in each segment, {name}"
                yield f"ccsds123-{name}", Case(text, plain_source, **way("ccsds123", **words))
            continue
        for stage in allowed_stages(kind):
            for coder in ResidualCoder:
                for how, words in ERRORS.items():
                    names = kind.name.lower(), stage.name.lower(), coder.value
                    text = f"predictor {names[0]}, stage {names[1]}, coder {names[2]}, {how}"
                    given = way(names[0], stage=names[1], coder=names[2], **words)
                    yield "-".join((*names, how)), Case(text, plain_source, **given)


def shapes() -> Iterator[tuple[str, Case]]:
    """Images and groups that are not full, have one of something, or leave one over."""
    ways = {
        "linerwkv-best-group-4": way(NETWORK), "linerwkv-none-group-16": way(NETWORK, "group-16", stage="none"),
        "linerwkv-fast-group-1": way(NETWORK, "group-1", stage="fast", max_error=2), "rls-best": way("rls"),
        "dpcm": way("dpcm"), "ccsds123": way("ccsds123"), "plain": way("plain"),
    }  # fmt: skip
    for name, shape in SHAPES.items():
        for how, given in ways.items():
            sizes = " x ".join(map(str, shape))
            text = f"{sizes} lines, bands, columns by {how.replace('-', ' ')}"
            yield f"shape-{name}-{how}", Case(text, partial(plain_source, shape), **given)


def depths() -> Iterator[tuple[str, Case]]:
    """Every depth with and without a sign, with samples at both ends; by one predictor after another."""
    kinds = [kind.name.lower() for kind in PredictorKind]
    for depth in range(SMALLEST_DEPTH, LARGEST_DEPTH + 1):
        for is_signed in (False, True):
            source = partial(plain_source, (4, 4, 8), depth, is_signed=is_signed, seed=depth)
            sign, predictor = "signed" if is_signed else "unsigned", kinds[(depth + is_signed) % len(kinds)]
            yield f"depth-{depth}-{sign}", Case(f"{sign} samples of {depth} bits", source, **way(predictor))
    for depth, max_error in SMALLEST_DEPTHS.items():
        for coder in ResidualCoder:
            for how in ("in-loop", "prequantised"):
                text = f"a maximum error that leaves residuals of {depth} bits, {how}, coder {coder.value}"
                words = {"coder": coder.value, "max_error": max_error, "quantisation": how}
                source = partial(plain_source, (4, 3, 8), SMALLEST_DEPTH, seed=depth)
                yield f"residuals-{depth}-bits-{how}-{coder.value}", Case(text, source, **way("dpcm", **words))


def segments() -> Iterator[tuple[str, Case]]:
    """Lengths of segments, and the default coders, of which a segment has the smaller."""
    odd = plain_source((13, 5, 8), seed=2)
    for predictor in ("dpcm", NETWORK):
        for n in (1, 5, 64):
            text = f"13 lines by {predictor} in segments of {n}"
            yield f"segments-of-{n}-{predictor}", Case(text, lambda: odd, **way(predictor, segment_lines=n))
    zeros = replace(odd.image, n_bands=4, n_columns=12)
    flat = odd._replace(image=zeros, lines=odd.lines[:, :1, :1].repeat(4, 1).repeat(12, 2) // 2000)
    yield "flat-dpcm", Case("samples that hardly change, so that the hybrid coder wins", lambda: flat, **way("dpcm"))
    yield "flat-ccsds123", Case("the same by CCSDS 123", lambda: flat, **way("ccsds123"))


CASES = dict([*combinations(), *shapes(), *depths(), *segments()])
