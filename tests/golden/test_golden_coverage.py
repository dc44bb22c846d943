"""Whatever a stream may say, a golden stream says: a new value, record or option without one fails here."""

from collections import defaultdict
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import pytest

from runtime.codec.coding_options import CHOICES, CODERS
from runtime.codec.salvage import Salvaged, salvage
from runtime.coders.residual_coders import ALL_CODED, SOME_PLAIN
from runtime.images.carried_keys import TABLES
from runtime.stream import kinds, line_records
from runtime.stream.depth import LARGEST_DEPTH, SMALLEST_DEPTH
from runtime.stream.kinds import (
    AdaptiveStage,
    Arithmetic,
    Coder,
    PredictorKind,
    Quantisation,
    SampleType,
    SpecialKind,
)
from runtime.stream.records import LARGEST_BODY_BYTES
from runtime.stream.segment_header import NO_PACKAGE, allowed_stages
from tests.golden.manifest import FOLDER, read_manifest, stream_path

KINDS: dict[str, type[IntEnum]] = {
    "predictor": PredictorKind, "stage": AdaptiveStage, "coder": Coder, "quantisation": Quantisation,
    "arithmetic": Arithmetic, "kind of special": SpecialKind,
}  # fmt: skip
"""By what `said_by` says them of."""
RESIDUAL_KINDS = [kind for kind in PredictorKind if kind is not PredictorKind.CCSDS123]
STREAMS = read_manifest().streams


def said_by_segments(found: Salvaged) -> Iterator[tuple[str, Any]]:
    """What headers of segments say."""
    image = found.header.image
    for header, payload in found.segments:
        coding = header.coding
        quantisation = coding.quantisation if coding.max_error else None
        yield from (("predictor", coding.predictor), ("stage", coding.stage), ("coder", header.coder))
        yield "way", (coding.predictor, coding.stage, header.coder, quantisation)
        if coding.predictor is not PredictorKind.CCSDS123 and quantisation is not None:
            yield "quantisation", quantisation
        if coding.package_index != NO_PACKAGE:
            yield from (
                ("package", coding.package_index),
                ("arithmetic", found.header.packages[coding.package_index].arithmetic),
            )
        if coding.has_specials:
            yield "special", (coding.predictor, coding.stage, bool(coding.max_error))
            yield from (("kind of special", special.kind) for special in image.specials)
        elif coding.predictor is not PredictorKind.CCSDS123:
            yield "plain", (header.coder, payload[0])


def said_by(name: str) -> Iterator[tuple[str, Any]]:
    """What a stream says, by what it says it of."""
    data = stream_path(FOLDER, name).read_bytes()
    found = salvage(data)
    image = found.header.image
    yield from said_by_segments(found)
    yield from (("record", marker) for marker in LARGEST_BODY_BYTES if marker in data)
    yield from (("form of records", body[line_records.FIXED.size - 1]) for body in found.records.values())
    yield "depth", (image.depth, image.is_signed)
    yield "type", (image.file_type, STREAMS[name].options.get("max_error", 0) > 0)
    if not image.values.is_plain:
        yield "map", (image.file_type.is_float, image.values.divides)
    yield from (("table", key) for key in image.metadata if key in TABLES)
    yield "lines are known", image.n_lines > 0
    yield from STREAMS[name].options.items()


@pytest.fixture(scope="module")
def said() -> dict[str, set[Any]]:
    found = defaultdict(set)
    for name in STREAMS:
        for what, value in said_by(name):
            found[what].add(value)
    return found


def test_every_number_that_stands_for_a_choice(said: dict[str, set[Any]]) -> None:
    found = {kind: {value for value in said[what] if isinstance(value, kind)} for what, kind in KINDS.items()}
    found[SampleType] = {kind for kind, _ in said["type"]}
    known = {one for one in vars(kinds).values() if isinstance(one, type) and issubclass(one, IntEnum)} - {IntEnum}
    assert found == {kind: set(kind) for kind in known}
    assert said["record"] == LARGEST_BODY_BYTES.keys()
    assert said["form of records"] == {line_records.PLAIN, line_records.ZLIB}


def test_every_option_of_an_encoder(said: dict[str, set[Any]]) -> None:
    for name, kind in CHOICES.items():
        assert {word for word in said[name] if isinstance(word, str)} >= {
            member.name.lower().replace("_", "-") for member in kind
        } - {"stop"}, name  # the default
    assert said["index"] == {False} and said["lines are known"] == {True, False}


def test_every_predictor_with_every_stage_coder_and_way_to_quantise(said: dict[str, set[Any]]) -> None:
    ways = {
        (kind, stage, coder, how)
        for kind in RESIDUAL_KINDS
        for stage in allowed_stages(kind)
        for coder in CODERS.values()
        for how in (None, *Quantisation)
    }
    standard = {
        (PredictorKind.CCSDS123, AdaptiveStage.NONE, Coder.CCSDS123, how) for how in (None, Quantisation.PREQUANTISED)
    }
    assert said["way"] == ways | standard | {(PredictorKind.CCSDS123, AdaptiveStage.NONE, Coder.STORED, None)}


def test_every_kind_of_sample(said: dict[str, set[Any]]) -> None:
    depths = range(SMALLEST_DEPTH, LARGEST_DEPTH + 1)
    assert said["depth"] == {(depth, is_signed) for depth in depths for is_signed in (False, True)}
    assert said["type"] == {(kind, is_lossy) for kind in SampleType for is_lossy in (False, True)}
    assert said["map"] == {(False, False), (True, False), (True, True)}
    assert said["special"] >= {
        (kind, stage, is_lossy)
        for kind in PredictorKind
        for stage in allowed_stages(kind)
        for is_lossy in (False, True)
    }
    assert said["plain"] == {(coder, form) for coder in CODERS.values() for form in (ALL_CODED, SOME_PLAIN)}
    assert said["table"] == set(TABLES)


def test_segments_of_one_stream_by_several_ways() -> None:
    def ways(name: str) -> set[Any]:
        segments = salvage(stream_path(FOLDER, name).read_bytes()).segments
        return {(header.coding.predictor, header.coder) for header, _ in segments}

    assert (
        {kind for kind, _ in ways("auto-best")}
        == {kind for kind, _ in ways("auto-fast")}
        == {PredictorKind.LINERWKV, PredictorKind.RLS}
    )
    network, standard = (PredictorKind.LINERWKV, Coder.RANGE), (PredictorKind.CCSDS123, Coder.CCSDS123)
    assert ways("fallback-lossless") == {network, standard, (PredictorKind.CCSDS123, Coder.STORED)}
    assert ways("fallback-near") == ways("backup-proof-near") == ways("backup-checks-lossless") == {network, standard}
    headers = salvage(stream_path(FOLDER, "two-packages").read_bytes()).segments
    assert [header.coding.package_index for header, _ in headers] == [0, 1]
