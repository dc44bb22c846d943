"""The probe names what an executor does: each rule alone, rules together, and what it does not know."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from hil_tests.accelerators.arithmetic_rules import DEFINED, KINDS, ORDERS, TO_NEAREST, Rule
from hil_tests.accelerators.probe import Finding, classified, outputs, probed, verdict
from hil_tests.accelerators.probe_command import probe
from hil_tests.accelerators.probe_graphs import ProbeGraph, probe_graphs
from hil_tests.accelerators.probe_vectors import ACTIVATION, LARGEST_SUM
from runtime.errors import BadArgument
from runtime.executors.array_executor import Arrays
from tests.hil_tests.accelerators.inexact_executor import InexactExecutor, half_even

HERE = "tests.hil_tests.accelerators.inexact_executor"
ACTIVATIONS = ("uint8", "int8")
DEVIATIONS = [Rule(**{kind: word}) for kind, words in KINDS.items() for word in words[1:]]


@cache
def graph(activation: str, i: int) -> ProbeGraph:
    return probe_graphs(activation)[i]


def inexact(one: ProbeGraph, rule: Rule) -> InexactExecutor:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "probe.onnx"
        onnx.save(one.model(), str(file))
        return InexactExecutor(file, rule)


def finding(one: ProbeGraph, rule: Rule) -> Finding:
    return classified(one.name, one.operator, outputs(one, inexact(one, rule)))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_vectors_keep_to_the_arithmetic(activation: str) -> None:
    for one in probe_graphs(activation):
        operator = one.operator
        values = operator.raw - operator.zero_point
        sums = operator.weight @ values + operator.bias[:, None]
        assert np.abs(values).max() <= ACTIVATION and np.abs(sums).max() <= LARGEST_SUM
        is_half = sums % (1 << operator.shift)[:, None] == (1 << (operator.shift - 1))[:, None]
        assert is_half[operator.weight[:, 0] != 0].any(axis=1).all(), "every row but the random ones meets halves"
        assert (np.abs(sums) > 1 << 23).any()


@pytest.mark.parametrize("rule", DEVIATIONS, ids=lambda rule: " ".join(rule.deviations.values()))
def test_each_deviation_is_named_alone(rule: Rule) -> None:
    one = graph("uint8", 3 if rule.order != DEFINED.order else 1)
    found = finding(one, rule)
    if rule.order != DEFINED.order:  # lifting first is lifting last, where nothing wraps
        assert found.rules == [DEFINED]
    else:
        assert (found.rules, found.n_missed) == ([rule], 0)


def test_the_order_is_seen_where_values_wrap() -> None:
    rule = Rule(saturation="wraps", order=ORDERS[1])
    assert finding(graph("int8", 3), rule).rules == [rule]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_exact_executor_follows_the_arithmetic(activation: str) -> None:
    provider, findings = probed(lambda file: InexactExecutor(file), activation)
    assert provider == "inexact on purpose"
    assert [found.rules for found in findings] == [[DEFINED]] * 4
    assert verdict(findings) == (True, "exact")


@settings(max_examples=15)
@given(
    rule=st.builds(Rule, **{kind: st.sampled_from(words) for kind, words in KINDS.items()}),
    activation=st.sampled_from(ACTIVATIONS),
    i=st.sampled_from((0, 1, 3)),
)
def test_rules_together_are_recovered(rule: Rule, activation: str, i: int) -> None:
    one = graph(activation, i)
    found = finding(one, rule)
    assert found.n_missed == 0
    assert all(len(named.deviations) <= len(rule.deviations) for named in found.rules)
    given = outputs(one, inexact(one, rule))
    for named in found.rules:
        if named != rule and "saturate" not in rule.sums + named.sums:
            assert np.array_equal(outputs(one, inexact(one, named)), given), "what is named does the same"


class Adds(InexactExecutor):
    """One more, where an output is 3."""

    @override
    def run(self, inputs: Arrays) -> Arrays:
        values = super().run(inputs)["found"]
        return {"found": values + (values == 3).astype(values.dtype)}


def test_what_is_not_known_is_said_to_be_so() -> None:
    _, findings = probed(Adds, "int8")
    is_usable, sentence = verdict(findings)
    assert not is_usable
    n = findings[1].n_missed
    assert 0 < n < 200
    text = f"none of the known; {n} of {findings[1].n_outputs} outputs miss: follows the arithmetic"
    assert findings[1].text == text and f"{text} in 1 x 1 convolutions" in sentence


@pytest.mark.parametrize("rule", DEVIATIONS, ids=lambda rule: " ".join(rule.deviations.values()))
def test_what_sub_graphs_need(rule: Rule) -> None:
    conditions = Finding("1 x 1 convolutions", 1, [rule]).conditions
    if rule.rounding != DEFINED.rounding:
        assert conditions == (["no sum is a half"] if rule.rounding in TO_NEAREST else None)
    elif rule.sums.startswith("saturate by pairs"):
        assert conditions == ["weights are up to 63"]
    else:
        is_harmless = rule.saturation == "saturates at -127" or rule.order != DEFINED.order
        assert conditions == ([] if is_harmless else None)


def test_the_worst_of_rules_that_fit_decides() -> None:
    fine, bad = Rule(rounding="halves down"), Rule(rounding="down")
    assert Finding("1 x 1 convolutions", 1, [fine, bad]).conditions is None
    assert Finding("1 x 1 convolutions", 1, [fine]).conditions == ["no sum is a half"]


def test_the_command_names_the_rule_and_refuses_by_it() -> None:
    passed = CliRunner().invoke(probe, [f"{HERE}:half_even", "--json"])
    record = json.loads(passed.output)
    assert (passed.exit_code, record["is_usable"]) == (0, True)
    assert {row["finding"] for row in record["operators"]} == {"rounds halves to even"}
    refused = CliRunner().invoke(probe, [f"{HERE}:cut"])
    assert refused.exit_code == 1
    assert "rounds down in 1 x 1 convolutions; " in refused.output.splitlines()[-1]


def test_onnx_runtime_rounds_halves_to_even() -> None:
    result = CliRunner().invoke(probe, ["onnxruntime", "--activation", "int8", "--json"])
    record = json.loads(result.output)
    assert {row["finding"] for row in record["operators"]} == {"rounds halves to even"}
    assert record["verdict"] == "exact where no sum is a half"


def test_an_executor_that_runs_some_operators_is_refused_for_the_others() -> None:
    def load(file: Path) -> InexactExecutor:
        if "_2" in file.name:
            raise BadArgument("no 1 x 3 here")
        return half_even(file)

    is_usable, sentence = verdict(probed(load, "int8")[1])
    assert not is_usable
    assert sentence == "not exact: does not run: no 1 x 3 here in 1 x 3 convolutions"


def test_an_executor_that_runs_nothing_is_an_error() -> None:
    result = CliRunner().invoke(probe, ["no_such_executor"])
    assert isinstance(result.exception, BadArgument)
    assert "is not known" in str(result.exception)
