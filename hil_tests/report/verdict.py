"""What the top of the page says: passed or not, and what failed first."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from hil_tests.findings.findings import Findings, Limit, LineRate, Outcome
from hil_tests.report.numerals import given, number

WHAT_LABELS_MEAN = {
    "measured": "Times and energy were measured on the target itself.",
    "emulated": "The target is an emulation: its bits and faults count, its times and energy are not of hardware.",
    "simulated": "The target is a simulation: its bits count, its times and energy are not of hardware.",
}
MISSED = (Outcome.FAILED, Outcome.NOT_MEASURED)


@dataclass(frozen=True)
class Verdict:
    """Lines for the top."""

    passed: bool
    headline: str
    reason: str
    """What failed first, empty where nothing did."""
    counts: str


def verdict_of(findings: Findings) -> Verdict:
    """The verdict: the first step that failed, or else the first limit, is its reason."""
    if not findings.steps and not findings.limits:
        return Verdict(False, "Nothing was tried", "The run has neither a step nor a limit.", "")
    counts = "; ".join(
        counted(what, outcomes)
        for what, outcomes in (
            ("steps", [step.outcome for step in findings.steps]),
            ("limits", [limit.outcome for limit in findings.limits]),
        )
    )
    headline = "Passed" if findings.passed else "Not passed"
    return Verdict(findings.passed, headline, first_failure(findings), counts)


def first_failure(findings: Findings) -> str:
    """One sentence; empty where everything was met. What failed goes before what was not measured."""
    for missed in MISSED:
        for step in findings.steps:
            if step.outcome is missed:
                return f"First: step {step.name} {spoken(missed)}: {step.detail}"
        for limit in findings.limits:
            if limit.outcome is missed:
                return f"First: limit {limit.name} {spoken(missed)}: {limit_text(limit)}"
    return "" if findings.passed else "Every step was skipped."


def spoken(outcome: Outcome) -> str:
    """The outcome as a verb."""
    return "was not measured" if outcome is Outcome.NOT_MEASURED else str(outcome)


def limit_text(limit: Limit) -> str:
    """What was found and what is allowed."""
    allowed = f"{'at most' if limit.is_ceiling else 'at least'} {given(limit.allowed)} {limit.unit} is allowed"
    return allowed if limit.found is None else f"{number(limit.found)} {limit.unit}, {allowed}"


def counted(what: str, outcomes: Iterable[Outcome]) -> str:
    """How many of each outcome there are."""
    counts = Counter(outcomes)
    found = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    return f"{what}: {found or 'none'}"


def rate_text(rate: LineRate) -> str:
    """How far real time is, in plain words."""
    factor = rate.real_time_factor
    if factor >= 1:
        return f"real time, with {number(factor)} times the speed that is asked for"
    if factor > 0:
        return f"real time is {number(1 / factor)} times away"
    return "real time is out of reach"
