"""Coding options from words: each word gives its value, a wrong one is an error that says what is allowed."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from runtime.cell.flight_package import SHIPPED, SHIPPED_FLOAT, FlightPackage, open_package
from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.codec.coding_words import coding_words
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import BadArgument
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind, Quantisation
from runtime.stream.segment_header import SegmentCoding


def test_no_words_are_the_defaults() -> None:
    assert coding_options({}) == CodingOptions()
    assert coding_options(dict.fromkeys(("stage", "guard", "package", "segment_lines"))) == CodingOptions()


def test_words_are_read_once() -> None:
    words = {
        "predictor": "rls", "stage": "fast", "max_error": 3, "quantisation": "in-loop", "segment_lines": 16,
        "guard": "proof", "isolate": True, "line_deadline": 2, "executor": "other", "package": "folder",
        "telemetry": "log", "index": False, "trust": "keys",
    }  # fmt: skip
    assert coding_options(words) == CodingOptions(
        PredictorKind.RLS, AdaptiveStage.FAST, 3, Quantisation.IN_LOOP, 16, GuardLevel.PROOF, True, 2.0, "other",
        Path("folder"), Path("log"), False, Path("keys"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"stag": "best"}, "stag: not known, allowed predictor, stage, "),
        ({"predictor": "LINERWKV"}, 'predictor: found "LINERWKV", allowed dpcm, linerwkv, ccsds123, rls'),
        ({"predictor": 2}, "predictor: found 2, allowed dpcm"),
        ({"stage": "finest"}, 'stage: found "finest", allowed none, fast, best'),
        ({"guard": True}, "guard: found true, allowed off, checks, proof"),
        ({"quantisation": "loop"}, 'quantisation: found "loop", allowed prequantised, in-loop'),
        ({"max_error": -1}, "max_error: found -1, allowed 0 or more"),
        ({"max_error": "3"}, 'max_error: found "3", allowed int'),
        ({"max_error": True}, "max_error: found true, allowed int"),
        ({"segment_lines": 0}, "segment_lines: found 0, allowed 1..65535"),
        ({"segment_lines": 65536}, "segment_lines: found 65536, allowed 1..65535"),
        ({"segment_lines": 64.0}, "segment_lines: found 64.0, allowed int"),
        ({"isolate": "false"}, 'isolate: found "false", allowed bool'),
        ({"line_deadline": 0}, "line_deadline: found 0.0 s, allowed more than 0"),
        ({"line_deadline": float("nan")}, "line_deadline: found nan s, allowed more than 0"),
        ({"package": 3}, "package: found 3, allowed path"),
        ({"executor": ["onnxruntime"]}, "allowed str"),
    ],
)
def test_a_wrong_word_is_one_line(words: dict[str, Any], text: str) -> None:
    with pytest.raises(BadArgument) as found:
        coding_options(words)
    assert text in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("options", "folder", "wanted"),
    [
        ({}, SHIPPED, SegmentCoding(PredictorKind.LINERWKV, AdaptiveStage.BEST, package_index=0)),
        ({}, SHIPPED_FLOAT, SegmentCoding(PredictorKind.LINERWKV, package_index=0)),
        ({"max_error": 2}, SHIPPED,
         SegmentCoding(PredictorKind.LINERWKV, AdaptiveStage.BEST, 2, Quantisation.IN_LOOP, 0)),
        ({"max_error": 2}, SHIPPED_FLOAT, SegmentCoding(PredictorKind.LINERWKV, max_error=2, package_index=0)),
        ({"quantisation": "in-loop"}, SHIPPED,
         SegmentCoding(PredictorKind.LINERWKV, AdaptiveStage.BEST, package_index=0)),
        ({"predictor": "ccsds123", "max_error": 2, "quantisation": "in-loop"}, None,
         SegmentCoding(PredictorKind.CCSDS123, max_error=2)),
    ],
)  # fmt: skip
def test_defaults_follow_the_package(options: dict[str, Any], folder: Path | None, wanted: SegmentCoding) -> None:
    package: FlightPackage | None = None if folder is None else open_package(folder)
    assert coding_options(options).coding(package, ImageDescription(3, 4, 12, is_signed=False)) == wanted


def test_a_command_gets_its_options_and_what_it_fixes_is_not_asked_for() -> None:
    found = []

    @click.command()
    @coding_words(index=False)
    @click.option("--other", default=1)
    def command(options: CodingOptions, other: int) -> None:
        found.append((options, other))

    arguments = ["--predictor", "dpcm", "--max-error", "2", "--isolate", "--package", "small", "--other", "5"]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    wanted = CodingOptions(PredictorKind.DPCM, max_error=2, isolate=True, package=Path("small"), index=False)
    assert found == [(wanted, 5)]
