"""Joules of the parts are shares of those that were measured, and add up to them."""

from dataclasses import replace

import pytest

from hil_tests.findings.findings import FormCost
from hil_tests.report.part_table import joules_of, part_picture, part_rows
from runtime.target.part_times import CODER, HOST, NETWORK, PREDICTOR, WAITING

COST = FormCost("network best", "onnxruntime", "measured", 3.6, 0.7, 1.4, 1.0, 2.0)
PARTS = {NETWORK: 0.6, HOST: 0.2, PREDICTOR: 0.3, CODER: 0.1, WAITING: 5.0}
TAKEN = replace(COST, parts=PARTS)
METERED = replace(TAKEN, joules_per_msample_above_idle=6.0)


def test_joules_are_shared_out_by_processor_time() -> None:
    assert joules_of(METERED, NETWORK) == pytest.approx(3.0)
    assert joules_of(METERED, WAITING) is None
    assert sum(joules_of(METERED, one) or 0.0 for one in PARTS) == pytest.approx(6.0)
    assert joules_of(TAKEN, NETWORK) is None
    assert joules_of(replace(METERED, parts=dict.fromkeys(PARTS, 0.0)), NETWORK) is None


def test_rows_have_what_a_form_has() -> None:
    rls = replace(COST, form="rls fast", executor="", parts={PREDICTOR: 0.05, CODER: 0.01})
    metered, alone = part_rows([METERED, COST, rls])
    assert metered == {
        "form": "network best", "executor": "onnxruntime", NETWORK: "0.6 s, 3 J", HOST: "0.2 s, 1 J",
        PREDICTOR: "0.3 s, 1.5 J", CODER: "0.1 s, 0.5 J", WAITING: "5 s",
    }  # fmt: skip
    assert (alone["executor"], alone[NETWORK], alone[CODER]) == ("-", "-", "0.01 s")


def test_the_picture_is_of_forms_that_were_taken_apart() -> None:
    assert part_picture([COST]) is None
    svg = part_picture([TAKEN, COST])
    assert svg is not None
    assert "host side" in svg
    assert ">network best<" in svg and ">onnxruntime<" in svg
    assert part_picture([replace(COST, parts={CODER: float("nan")})]) is None
