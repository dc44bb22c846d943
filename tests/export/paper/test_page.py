"""The page says what was printed, what was found here, and whether it is the same experiment."""

import json
from dataclasses import replace

import pytest

from export.paper.coding import Coding
from export.paper.cost import Plan, Stage
from export.paper.methods import Method
from export.paper.page import page_of
from export.paper.record import Record, Training, this_machine
from export.paper.results import curves, rows
from tests.export.paper.conftest import MAX_ERRORS, PLACE


@pytest.fixture
def record(codings: list[Coding], methods: list[Method]) -> Record:
    training = Training("runs/<b>/last.ckpt", "ab" * 32, 2000, 2000, ("a machine",), 48.0)
    plan = Plan("a device", 4, (Stage(1950, 10, "1 of 128 lines", 0.36), Stage(50, 10, "1 of 100 bands", 3.6)))
    found, drawn = rows(methods, codings, {}), curves(methods, codings, MAX_ERRORS)
    return Record("hard/test", 1, 1, (), training, tuple(found), tuple(drawn), plan, 1.5, this_machine(), (PLACE,))


def test_the_page_stands_alone_and_says_what_was_printed(record: Record) -> None:
    page = page_of(record)
    for text in ("5.593", "5.801", "-0.208", "The experiment as printed", "<svg", "estimated by the measured step"):
        assert text in page.replace("Estimated", "estimated"), text
    assert "runs/&lt;b&gt;/last.ckpt" in page
    assert not [word for word in ("<script", "src=", '<link rel="stylesheet"', "@import") if word in page]


def test_another_experiment_is_never_called_the_printed_one(record: Record) -> None:
    page = page_of(replace(record, differences=("2 of the 2000 epochs are done",)))
    assert "Not reproduced here" in page and "2 of the 2000 epochs are done" in page
    assert "The experiment as printed" not in page


def test_what_was_not_measured_is_said(record: Record) -> None:
    lossless = tuple(replace(curve, points=curve.points[:1]) for curve in record.curves)
    page = page_of(replace(record, curves=lossless))
    assert "no maximum error above 0" in page and "<svg" not in page


def test_the_plan_adds_up(record: Record) -> None:
    plan = json.loads(json.dumps(record.to_dict()))["plan"]
    assert plan["hours"] == pytest.approx(1950 * 10 * 0.36 / 3600 + 50 * 10 * 3.6 / 3600)
    assert plan["device_hours"] == pytest.approx(4 * plan["hours"])
