"""Laws of the budget of processor share: in the rule, in a simulated buffer, in the recorder's telemetry."""

import itertools
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.harness.form_simulation import simulated
from runtime.errors import BadArgument
from runtime.target.flight_command import run
from runtime.target.form_rule import ROOM_OF_BUDGET, FormHistory, FormRule, next_form
from runtime.target.processor_share import ShareMeter
from tests.runtime.target.recorded_frames import config_of, config_text, frame
from tests.runtime.target.test_form_rule import histories, rules

shares = st.floats(0, 1)
budgets = st.floats(0.01, 1)


@given(rules(), budgets, histories(), shares, st.tuples(shares, shares))
def test_more_of_the_processor_is_never_a_dearer_form(
    rule: FormRule, budget: float, history: tuple[FormHistory, int], fill: float, pair: tuple[float, float]
) -> None:
    rule, (before, n_forms) = replace(rule, processor_share=budget), history
    less, more = (next_form(rule, before, fill, n_forms, share).form for share in sorted(pair))
    assert less <= more


@given(rules(), budgets, histories(), shares, shares)
def test_the_buffer_goes_first(
    rule: FormRule, budget: float, history: tuple[FormHistory, int], fill: float, share: float
) -> None:
    before, n_forms = history
    alone = next_form(rule, before, fill, n_forms, share)
    found = next_form(replace(rule, processor_share=budget), before, fill, n_forms, share)
    assert found.form >= alone.form
    if share <= ROOM_OF_BUDGET * budget:
        assert found == alone


@given(rules(), budgets, st.integers(1, 7), st.lists(st.tuples(shares, shares), min_size=1, max_size=60))
def test_a_form_changes_for_a_cause_and_stays_its_segments(
    rule: FormRule, budget: float, n_forms: int, seen: list[tuple[float, float]]
) -> None:
    rule, history, run_of_form = replace(rule, processor_share=budget), FormHistory(), 0
    for fill, share in seen:
        before, history = history, next_form(rule, history, fill, n_forms, share)
        is_last_resort = fill >= rule.last_resort_at
        if history.form > before.form:
            assert is_last_resort or fill >= rule.cheaper_at or share > budget
        if history.form < before.form:
            assert fill <= rule.dearer_at and share <= ROOM_OF_BUDGET * budget
        if history.form != before.form:
            assert is_last_resort or (run_of_form >= rule.least_segments and abs(history.form - before.form) == 1)
        run_of_form = run_of_form + 1 if history.form == before.form else 1
        assert 0 <= history.form < n_forms and history.n_segments == run_of_form


@given(rules(), budgets, histories(), shares)
def test_the_dearest_form_is_back_when_the_load_is_gone(
    rule: FormRule, budget: float, history: tuple[FormHistory, int], load: float
) -> None:
    rule, (found, n_forms) = replace(rule, processor_share=budget), history
    share = load * ROOM_OF_BUDGET * budget
    assume(share <= ROOM_OF_BUDGET * budget)
    for _ in range(n_forms * rule.least_segments):
        found = next_form(rule, found, 0.0, n_forms, share)
    assert found.form == 0


@given(budgets, st.lists(st.floats(0.05, 0.9), min_size=1, max_size=5), st.integers(1, 4), st.integers(1, 3))
def test_a_form_above_the_budget_stays_its_least_segments(
    budget: float, more: list[float], segment_lines: int, least: int
) -> None:
    seconds = sorted((0.01, *more), reverse=True)
    rule = FormRule(least_segments=least, processor_share=budget)
    done = simulated(rule, [float(i) for i in range(120)], seconds, 64, segment_lines)
    assert done.n_dropped == 0
    cheapest = len(seconds) - 1
    is_above = [share > budget and form < cheapest for form, share in zip(done.forms, done.shares, strict=True)]
    runs = [
        sum(above for _, above in run_of_form)
        for _, run_of_form in itertools.groupby(zip(done.forms, is_above, strict=True), key=lambda pair: pair[0])
    ]
    assert max(runs) <= least


@given(st.integers(1, 8), st.lists(st.tuples(st.floats(0, 50), st.floats(0, 10)), min_size=1, max_size=9))
def test_a_share_is_of_what_passed_since_the_last(n_cores: int, steps: list[tuple[float, float]]) -> None:
    clocks = [0.0, 0.0]
    meter = ShareMeter(n_cores, lambda: clocks[0], lambda: clocks[1])
    for used, passed in steps:
        before = tuple(clocks)
        clocks[:] = clocks[0] + used, clocks[1] + passed
        used, passed = clocks[0] - before[0], clocks[1] - before[1]
        found = meter.take()
        assert 0 <= found <= 1
        assert found == (0 if passed == 0 else min(1, used / (passed * n_cores)))


def test_a_recorder_tells_its_share_and_keeps_the_budget(tmp_path: Path) -> None:
    """A budget that no form keeps: after the least segments of each, all are of the cheapest."""
    (tmp_path / "frames").write_bytes(b"".join(map(frame, range(40))))
    more = "[rule]\nprocessor_share = 1e-9\nleast_segments = 1\ncheaper_at = 0.99\nlast_resort_at = 1.0"
    run(
        config_of(config_text(tmp_path / "out", f'kind = "file"\npath = "{tmp_path / "frames"}"', more)),
        threading.Event(),
    )
    events = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    segments = [one for one in events if "segment" in one]
    assert [one["form"] for one in segments] == ["ccsds123"] + ["dpcm"] * 9
    assert all(0 < one["processor_share"] <= 1 for one in segments)
    assert events[-1]["ended"]["processor_share"] == segments[-1]["processor_share"]


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, float("nan")])
def test_a_budget_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(BadArgument, match=r"processor_share: found .*, allowed above 0, up to 1"):
        FormRule(processor_share=share)
