"""Which rules an executor follows, operator by operator: the certificate of `linerwkv hil probe`.

Every combination of known rules is held against what the executor gives. Where several fit, the one with the fewest
deviations from the arithmetic is named; where none does, the nearest, and how many outputs it misses.
"""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from hil_tests.accelerators.arithmetic_rules import (
    DEFINED,
    PAIRS,
    SATURATIONS,
    TO_NEAREST,
    WIDE,
    Integers,
    Operator,
    Rule,
    hypotheses,
    known_rules,
)
from hil_tests.accelerators.probe_graphs import RESULT, ProbeGraph, probe_graphs
from runtime.errors import Corrupt, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor

PHRASES = {
    "rounding": "rounds {}",
    "saturation": "{} past the ends of 8 bits",
    "sums": "has sums that {}",
    "signs": "reads {}",
    "scale": "takes the scale {} for all",
    "order": "{}",
}
SCREENED = 17
"""Of so many columns one decides which rules are held against all."""
TIE_FREE, SMALL_WEIGHTS = "no sum is a half", "weights are up to 63"
Load = Callable[[Path], ArrayExecutor]


@dataclass(frozen=True)
class Finding:
    """What one operator of an executor does."""

    operator: str
    n_outputs: int
    rules: list[Rule]
    """All that explain every output and deviate least from the arithmetic; the nearest one where none does."""
    n_missed: int = 0
    """Outputs that the named rule does not explain; more than 0 is none of the known."""
    refusal: str = ""
    """Why the executor does not run it, if so."""

    @property
    def conditions(self) -> list[str] | None:
        """What layers must keep for the sub-graphs to be exact; None where nothing makes them so."""
        if self.refusal or self.n_missed:
            return None
        found = [conditions_of(rule) for rule in self.rules]
        return max(found, key=lambda one: len(one or ()) if one is not None else len(TO_NEAREST))

    @property
    def text(self) -> str:
        """The finding in words: `rounds halves to even`."""
        if self.refusal:
            return f"does not run: {self.refusal}"
        said = " or ".join(dict.fromkeys(said_of(rule) for rule in self.rules))
        return f"none of the known; {self.n_missed} of {self.n_outputs} outputs miss: {said}" if self.n_missed else said


def said_of(rule: Rule) -> str:
    """A rule by what is not the arithmetic's."""
    words = [PHRASES[name].format(word) for name, word in rule.deviations.items()]
    return " and ".join(words) or "follows the arithmetic"


def conditions_of(rule: Rule) -> list[str] | None:
    """Of one rule: see `Finding.conditions`."""
    left = dict(rule.deviations)
    found = []
    if left.pop("rounding", DEFINED.rounding) != DEFINED.rounding:
        if rule.rounding not in TO_NEAREST:
            return None
        found.append(TIE_FREE)
    if left.pop("sums", WIDE) == PAIRS:
        found.append(SMALL_WEIGHTS)
    elif rule.sums != WIDE:
        return None
    if rule.saturation == SATURATIONS[1]:  # the host has no -128 either
        del left["saturation"]
    left.pop("order", None)  # which matters only where something else is wrong
    return None if left else found


def missed(operator: Operator, found: Integers, rules: list[Rule]) -> dict[Rule, int]:
    """How many outputs (M, X) each rule does not explain."""
    return {
        rule: int(np.count_nonzero((expected != found) & certain))
        for rule, expected, certain in hypotheses(operator, rules)
    }


def classified(name: str, operator: Operator, found: Integers) -> Finding:
    """The rules behind outputs (M, X) less their zero point."""
    screened = missed(operator.some_columns(SCREENED), found[:, ::SCREENED], known_rules(operator))
    fewest = min(screened.values())
    counts = missed(operator, found, [rule for rule, n_missed in screened.items() if n_missed == fewest])
    fewest = min(counts.values())
    fitting = [rule for rule, n_missed in counts.items() if n_missed == fewest]
    least = min(len(rule.deviations) for rule in fitting)
    return Finding(name, found.size, [rule for rule in fitting if len(rule.deviations) == least], fewest)


def outputs(graph: ProbeGraph, executor: ArrayExecutor) -> Integers:
    """What an executor gives for the vectors of a graph, (M, X) less the zero point. Raises LineRwkvError."""
    values = executor.run(graph.feed())[RESULT]
    expected = (1, len(graph.rows.bias), 1, graph.line.shape[1])
    if values.shape != expected or values.dtype != graph.activation:
        raise Corrupt(f"output {values.dtype} {values.shape}, wanted {graph.activation} {expected}")
    return values[0, :, 0].astype(np.int64) - graph.operator.zero_point


def probed(load: Load, activation: str) -> tuple[str, list[Finding]]:
    """The executor's own words, and a finding for each operator. Raises what `load` raises where it runs none."""
    findings, provider, first = [], "", None
    with tempfile.TemporaryDirectory() as folder:
        for i, graph in enumerate(probe_graphs(activation)):
            file = Path(folder) / f"probe_{i}.onnx"
            onnx.save(graph.model(), str(file))
            try:
                executor = load(file)
                provider = executor.provider
                findings.append(classified(graph.name, graph.operator, outputs(graph, executor)))
            except LineRwkvError as error:
                first = first or error
                findings.append(Finding(graph.name, 0, [], refusal=str(error)))
    if first and all(finding.refusal for finding in findings):
        raise first
    return provider, findings


def verdict(findings: list[Finding]) -> tuple[bool, str]:
    """Whether sub-graphs can be exact there, and one sentence that says when, or why not."""
    refused = [finding for finding in findings if finding.conditions is None]
    if refused:
        return False, "not exact: " + "; ".join(f"{finding.text} in {finding.operator}" for finding in refused)
    conditions = dict.fromkeys(condition for finding in findings for condition in finding.conditions or ())
    return True, "exact where " + " and ".join(conditions) if conditions else "exact"


def certificate(executor: str, provider: str, activation: str, findings: list[Finding]) -> dict[str, Any]:
    """All of it for machines."""
    is_usable, sentence = verdict(findings)
    rows = [
        {
            "operator": finding.operator,
            "outputs": finding.n_outputs,
            "is_known": not finding.refusal and not finding.n_missed,
            "finding": finding.text,
            "exact_where": finding.conditions,
            "rules": [asdict(rule) for rule in finding.rules],
        }
        for finding in findings
    ]
    head = {"executor": executor, "provider": provider, "activation": activation}
    return {**head, "is_usable": is_usable, "verdict": sentence, "operators": rows}
