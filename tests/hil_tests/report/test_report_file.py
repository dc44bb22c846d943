"""report.json and back, whatever is in it, and what a run is said to have done."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.commands import hil
from hil_tests.findings.findings import Energy, Findings, Limit, LineRate, Outcome, Speed, Step
from hil_tests.findings.findings_file import read_findings, write_findings
from hil_tests.report.numerals import aligned, number, with_uncertainty
from hil_tests.report.verdict import rate_text, verdict_of
from runtime.errors import Corrupt, LineRwkvError, TooNew

INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1)
TEXTS = st.text(max_size=10)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(TEXTS, JSON, max_size=4), max_size=3)


def few(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=3)


FINDINGS = st.builds(
    Findings,
    scene_shape=st.tuples(INTEGERS, INTEGERS, INTEGERS),
    steps=few(st.from_type(Step)),
    speeds=few(st.builds(Speed, samples=INTEGERS)),
    line_rates=few(
        st.builds(LineRate, buffer_lines=INTEGERS, late=INTEGERS, dropped=INTEGERS, largest_backlog=INTEGERS)
    ),
    energy=few(st.builds(Energy, n_windows=INTEGERS)),
    limits=few(st.from_type(Limit)),
    telemetry=RECORDS,
    estimates=RECORDS,
)
"""Every field from its type, numbers that are not finite among them."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report") / "report.json"


def refuse(name: str) -> None:
    pytest.fail(f"{name} is no JSON")


@settings(deadline=None, max_examples=40)
@given(findings=FINDINGS)
def test_what_is_written_is_read_back_whole(path: Path, findings: Findings) -> None:
    write_findings(findings, path)
    assert repr(read_findings(path)) == repr(findings)  # nan is not equal to itself, its name is
    assert json.loads(path.read_text(), parse_constant=refuse)["passed"] is findings.passed
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in a value of JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, entry in inner for place in places(entry, (*above, key)))]


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """The same value with another one at a place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], new)
    return copy


@settings(deadline=None, max_examples=80)
@given(data=st.data(), findings=FINDINGS, new=JSON | st.just(10**400) | st.just("nan"))
def test_a_report_that_was_tampered_with_reads_or_is_one_line(
    path: Path, data: st.DataObject, findings: Findings, new: Any
) -> None:
    write_findings(findings, path)
    values = json.loads(path.read_text())
    path.write_text(json.dumps(replaced(values, data.draw(st.sampled_from(places(values))), new)))
    try:
        found = read_findings(path)
    except LineRwkvError as error:
        assert "\n" not in str(error)
        assert str(path) in str(error)
    else:
        write_findings(found, path)
        assert repr(read_findings(path)) == repr(found)


@pytest.fixture
def findings() -> Findings:
    step = Step("encode", Outcome.PASSED, 0.5, 2.0, "equal bit for bit")
    return Findings("b", "measured", "", "", {}, "", "", "", "real", (1, 2, 3), steps=[step], notes=["n"])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"version": None}, "no version, 1 is allowed"),
        ({"version": True}, "no version, 1 is allowed"),
        ({"passed": False}, "passed is False, its steps and limits say True"),
        ({"notes": "one"}, "notes: 'one', list is allowed"),
        ({"scene_shape": [1, 2]}, "scene_shape: 2 values, 3 are allowed"),
        ({"peak_memory_mib": "much"}, "peak_memory_mib: 'much', float is allowed"),
        ({"peak_memory_mib": True}, "peak_memory_mib: True, float is allowed"),
        ({"steps": [{"name": "x"}]}, "steps[0]: "),
        ({"limits": [{"name": 1}]}, "limits[0].name: 1, str is allowed"),
    ],
)
def test_what_is_wrong_and_where_is_reported(path: Path, findings: Findings, change: dict[str, Any], text: str) -> None:
    write_findings(findings, path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(Corrupt) as caught:
        read_findings(path)
    assert text in str(caught.value)


def test_an_outcome_that_is_none_is_refused_by_name(path: Path, findings: Findings) -> None:
    write_findings(findings, path)
    path.write_text(path.read_text().replace('"passed",', '"won",'))
    with pytest.raises(Corrupt, match=r"steps\[0\]\.outcome: 'won', allowed is passed, failed, skipped, not measured"):
        read_findings(path)


def test_a_later_version_is_too_new(path: Path, findings: Findings) -> None:
    write_findings(findings, path)
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(TooNew, match="version 2, this release knows 1"):
        read_findings(path)


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"{", b'{"version": NaN}', b"[" * 5000, b"1" * 5000])
def test_bytes_that_are_no_report_are_refused(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    with pytest.raises(Corrupt):
        read_findings(path)


def test_a_limit_is_met_at_its_border_and_not_by_what_is_missing() -> None:
    def outcome(is_ceiling: bool, found: float | None) -> Outcome:
        return Limit("l", is_ceiling, 2.0, found, "s").outcome

    assert [outcome(True, value) for value in (1.9, 2.0, 2.1)] == [Outcome.PASSED, Outcome.PASSED, Outcome.FAILED]
    assert [outcome(False, value) for value in (1.9, 2.0, 2.1)] == [Outcome.FAILED, Outcome.PASSED, Outcome.PASSED]
    for is_ceiling in (True, False):
        assert outcome(is_ceiling, None) is Outcome.NOT_MEASURED
        assert outcome(is_ceiling, math.nan) is Outcome.FAILED


def with_outcomes(findings: Findings, *outcomes: Outcome) -> Findings:
    steps = [Step(f"s{index}", outcome, 0, 1, "why") for index, outcome in enumerate(outcomes)]
    return dataclasses.replace(findings, steps=steps)


def test_the_verdict_names_what_failed_first(findings: Findings) -> None:
    passed, failed, skipped, missing = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.NOT_MEASURED
    cases: dict[tuple[Outcome, ...], tuple[bool, str]] = {
        (passed, skipped): (True, ""),
        (passed, failed, failed): (False, "First: step s1 failed: why"),
        (missing, failed): (False, "First: step s1 failed: why"),
        (passed, missing): (False, "First: step s1 was not measured: why"),
        (skipped, skipped): (False, "Every step was skipped."),
        (): (False, "The run has neither a step nor a limit."),
    }
    for outcomes, wanted in cases.items():
        run = with_outcomes(findings, *outcomes)
        verdict = verdict_of(run)
        assert (verdict.passed, verdict.reason) == wanted
        assert run.passed is verdict.passed
    limits = [Limit("heat", True, 85, None, "degrees C"), Limit("speed", False, 0.5, 0.25, "Msamples/s")]
    verdict = verdict_of(dataclasses.replace(findings, limits=limits))
    assert verdict.reason == "First: limit speed failed: 0.250 Msamples/s, at least 0.5 Msamples/s is allowed"
    assert verdict.counts == "steps: 1 passed; limits: 1 failed, 1 not measured"


def test_line_rates_are_explained_in_plain_words() -> None:
    def text_of(factor: float) -> str:
        return rate_text(LineRate(230, 1, 64, 0, 0, 0, factor))

    assert text_of(1 / 12) == "real time is 12.0 times away"
    assert text_of(1.5) == "real time, with 1.50 times the speed that is asked for"
    assert text_of(0) == "real time is out of reach"


def test_numbers_have_the_digits_that_mean_something() -> None:
    assert [number(value) for value in (None, 0.0, 12.345, 0.012345, 1234567.0, -2.5, 1e12, math.inf, 1234)] == [
        "not measured", "0", "12.3", "0.0123", "1\u202f234\u202f567", "\u22122.50", "1.00e+12", "infinite",
        "1\u202f234",
    ]  # fmt: skip
    assert aligned([40.65, 0.025, None]) == ["40.65", "0.03", "not measured"]
    assert with_uncertainty([12.38123, 7.3], 0.0812) == ["12.381", "7.300"]


def test_the_page_of_a_report_is_drawn_again_by_a_command(tmp_path: Path, findings: Findings) -> None:
    report, before, page = tmp_path / "report.json", tmp_path / "before.json", tmp_path / "page.html"
    write_findings(findings, report)
    write_findings(dataclasses.replace(findings, started="2020"), before)
    done = CliRunner().invoke(hil, ["report", str(report), "--earlier", str(before), "-o", str(page)])
    assert done.exit_code == 0, done.output
    assert done.output == f"{page}\n"
    assert "Earlier runs" in page.read_text()
    assert isinstance(CliRunner().invoke(hil, ["report", str(page)]).exception, Corrupt)
