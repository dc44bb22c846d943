"""Jobs of a target: a wrong one is an error event of one line, and the next is done."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from runtime.stream.kinds import SampleType
from runtime.target.job_tables import CodingJob, FileJob, ImageTable, LoadJob, read_job
from runtime.target.target_events import EventWriter, serve

IMAGE = {"bands": 6, "columns": 16, "depth": 12, "is_signed": False, "lines": 9, "sample_type": 12}
WORDS = {"stage": None, "segment_lines": 4}
CODING = {"image": IMAGE, "coding": WORDS, "reading_seconds": 1}
ENCODE = {"do": "encode", **CODING, "source": "a.bil", "output": "a.lrwk"}


def test_jobs_become_tables_of_the_kinds_that_they_are_used_in() -> None:
    image = ImageTable(6, 16, 12, False, 9, SampleType.UINT16)
    assert read_job(json.dumps(ENCODE)) == ("encode", FileJob(image, WORDS, 1.0, Path("a.bil"), Path("a.lrwk")))
    assert read_job(json.dumps({"do": "warm_up", **CODING})) == ("warm_up", CodingJob(image, WORDS, 1.0))
    assert read_job('{"do": "load", "package": "p", "executor": "e"}') == ("load", LoadJob(Path("p"), "e"))


NAMES = '"clock", "decode", "encode", "load", "parts", "self_test", "warm_up"'
KEYS = "image, coding, reading_seconds, source, output"


@pytest.mark.parametrize(
    ("job", "line"),
    [
        ({}, f"job: key do: found null, allowed {NAMES}"),
        ({"do": ["load"]}, f'job: key do: found ["load"], allowed {NAMES}'),
        ([1], "job: found [1], allowed table"),
        ({"do": "clock", "x": 1}, "job clock: key x: not known, allowed none"),
        ({"do": "load", "package": "p"}, "job load: key executor: found nothing, allowed text of length at least 1"),
        ({"do": "load", "package": 3, "executor": "e"}, "job load: key package: found 3, allowed path"),
        (
            {"do": "load", "package": "a\0", "executor": "e"},
            'job load: key package: found "a\\u0000", allowed text without zero bytes',
        ),
        (
            {"do": "self_test", "executor": "e", "all_settings": "false"},
            'job self_test: key all_settings: found "false", allowed true or false',
        ),
        ({"do": "warm_up", **CODING, "image": 3}, "job warm_up: key image: found 3, allowed table"),
        ({**ENCODE, "coding": "best"}, 'job encode: key coding: found "best", allowed table'),
        (
            {**ENCODE, "coding": {"stage": "worst"}},
            'job encode: key coding.stage: found "worst", allowed none, fast, best',
        ),
        (
            {**ENCODE, "coding": {"segment_lines": True}},
            "job encode: key coding.segment_lines: found true, allowed int",
        ),
        ({**ENCODE, "reading_seconds": 0}, "job encode: key reading_seconds: found 0, allowed finite number above 0"),
        (
            {**ENCODE, "image": {**IMAGE, "bands": "6"}},
            'job encode: key image.bands: found "6", allowed int at least 1',
        ),
        ({**ENCODE, "image": {**IMAGE, "lines": 0}}, "job encode: key image.lines: found 0, allowed int at least 1"),
        (
            {**ENCODE, "image": {**IMAGE, "sample_type": 6}},
            "job encode: key image.sample_type: found 6, allowed 1, 2, 3, 4, 5, 12, 13, 14, 15, 129",
        ),
        (
            {**ENCODE, "image": {**IMAGE, "depth": None}},
            "job encode: key image.depth: found null, allowed int at least 1",
        ),
        ({**ENCODE, "sourec": "a"}, f"job encode: key sourec: not known, allowed {KEYS}"),
        ({**ENCODE, "do": "decode", "output": ""}, 'job decode: key output: found "", allowed path'),
        (ENCODE, "job encode comes before load"),
    ],
)
def test_a_wrong_job_is_an_error_event_of_one_line(job: Any, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = io.StringIO()
    serve([json.dumps(job), '{"do": "clock"}'], EventWriter(output))
    events = [json.loads(event) for event in output.getvalue().splitlines()]
    started = [event for event in events if event.get("job") == "encode"] if job is ENCODE else []
    (error,) = [event for event in events if event["event"] == "error"]
    assert (error["kind"], error["text"]) == ("BadArgument", line)
    assert events == [*started, error, *events[-2:]]
    assert [(event["event"], event["job"]) for event in events[-2:]] == [("begin", "clock"), ("end", "clock")]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"do": NaN}', "\udcff"])
def test_what_is_no_json_is_an_error_event_of_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = io.StringIO()
    serve([text], EventWriter(output))
    (event,) = [json.loads(line) for line in output.getvalue().splitlines()]
    assert event["kind"] == "BadArgument"
    assert event["text"].startswith("job: not JSON: ")
    assert capsys.readouterr().err == ""
