"""Whether the results are what they must be: each criterion with its figures."""

import json
import operator

from benchmarks.harness.record import RESULTS
from benchmarks.rate.means import Cell, mean, table
from benchmarks.rate.measure import DEFAULT, ONE
from benchmarks.rate.rows import MAX_ERRORS
from benchmarks.rate.scenes import VALIDATION
from benchmarks.rate.store import Results

SHIPPED = "flight"
UNSEEN = "unseen"
"""The cross-validation model: no scene of fold-0 nor of EnMAP."""
LARGEST = dict(zip(VALIDATION, (5.50, 4.58), strict=True))
"""Bits per sample of a cross-validation model that never saw the scene's sensor, one segment."""
COMPARISONS = {"<": operator.lt, "<=": operator.le, ">=": operator.ge}
ENCODE, DECODE = 0.5, 0.3
"""Msamples/s of the network with the stage `fast`."""


class Verdicts:
    """Prints criteria and remembers whether all passed."""

    def __init__(self) -> None:
        self.are_good = True

    def say(self, what: str, found: float | None, comparison: str, limit: float | None) -> None:
        """One criterion: `found` must be `<`, `<=` or `>=` the limit; what was not measured fails."""
        is_good = found is not None and limit is not None and COMPARISONS[comparison](found, limit)
        self.are_good &= is_good
        figures = [f"{value:.4f}" if value is not None else "not measured" for value in (found, limit)]
        print(f"{'pass' if is_good else 'FAIL'}  {what}: {figures[0]} {comparison} {figures[1]}")


def least(rates: list[float | None]) -> float | None:
    """The smallest of those that were measured."""
    return min((rate for rate in rates if rate is not None), default=None)


def rate_in(row: dict[str, Cell] | None, column: str) -> float | None:
    """The rate of a cell, if it is there."""
    return row[column].rate if row and column in row else None


def new_scenes(results: Results, verdicts: Verdicts) -> None:
    """The cross-validation model on scenes whose sensor it never saw."""
    found = table(results, ONE)
    for scene, limit in LARGEST.items():
        verdicts.say(f"{UNSEEN}, {scene}", rate_in(found.get(f"{UNSEEN}-best"), scene), "<=", limit)


def every_scene(results: Results, verdicts: Verdicts) -> None:
    """The shipped package against the tuned CCSDS 123 and the adaptive stage alone, and the folds' mean."""
    for length in (DEFAULT, ONE):
        found = table(results, length)
        tuned = [name for name in found if name.startswith("ccsds123-tuned")]
        stage = found.get("rls-best", {})
        for scene in sorted({scene for row in found.values() for scene in row}):
            ours = rate_in(found.get(f"{SHIPPED}-best"), scene)
            ccsds123 = least([rate_in(found[name], scene) for name in tuned])
            verdicts.say(f"{length}, {scene}, {SHIPPED}-best against CCSDS 123 tuned", ours, "<", ccsds123)
            verdicts.say(f"{length}, {scene}, {SHIPPED}-best against rls-best", ours, "<", rate_in(stage, scene))
        unseen = found.get(f"{UNSEEN}-best", {})
        ours = mean(unseen).rate if unseen else None
        for name in (*tuned, "rls-best"):
            others = {scene: cell for scene, cell in found.get(name, {}).items() if scene in unseen}
            other = mean(others).rate if others and others.keys() == unseen.keys() else None
            verdicts.say(f"{length}, mean of unseen scenes, {UNSEEN} against {name}", ours, "<", other)


def near_lossless(results: Results, verdicts: Verdicts) -> None:
    """Every maximum error on the validation scenes: the best row of a network that never saw them."""
    for max_error in MAX_ERRORS:
        found = table(results, ONE, max_error)
        for scene in VALIDATION:
            unseen = [row[scene].rate for row in found.values() if scene in row and row[scene].seen is False]
            tuned = [rate_in(row, scene) for name, row in found.items() if name.startswith("ccsds123-tuned")]
            best = min(unseen, default=None)
            verdicts.say(f"M = {max_error}, {scene} against CCSDS 123 tuned", best, "<", least(tuned))


def speeds(verdicts: Verdicts) -> None:
    """1000 columns of 224 bands on one core (benchmarks/bench_int8_line.py)."""
    measured = json.loads((RESULTS / "int8_line.json").read_text())["rows"]
    measured = [row for row in measured if (row["package"], row["columns"]) == ("flight", 1000)]
    rows = {row["adaptive stage"]: row for row in measured}
    for stage in ("none", "fast"):
        verdicts.say(f"network, stage {stage}, encoding", rows[stage]["encoding Msamples/s"], ">=", ENCODE)
        verdicts.say(f"network, stage {stage}, decoding", rows[stage]["decoding Msamples/s"], ">=", DECODE)


def check(results: Results) -> bool:
    """Print every criterion; whether all passed."""
    verdicts = Verdicts()
    new_scenes(results, verdicts)
    every_scene(results, verdicts)
    near_lossless(results, verdicts)
    speeds(verdicts)
    return verdicts.are_good
