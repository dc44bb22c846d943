"""Pages of results begin with their answer and can be read; pictures of results have labels that do not overlap."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness.answers import ANSWERS, is_answered
from benchmarks.harness.record import RESULTS
from benchmarks.pages import pages, pictures
from benchmarks.rate import store as rate_store
from benchmarks.rate.means import speed
from benchmarks.rate.pictures import FILES, file_speeds, speed_points, where_picture
from hil_tests.findings.provenance import MOST_COLUMNS, table, tables
from model.training.curve_picture import drawn as curve
from tests.text_overlaps import overlaps

PAGES = sorted(RESULTS.glob("**/*.md"))
PICTURES = pictures()
CURVES = sorted(RESULTS.glob("training_*/curve.csv"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(RESULTS)))
def test_a_page_begins_with_its_answer(path: Path) -> None:
    heading, empty, sentence, after, *_ = path.read_text().splitlines()
    assert heading.startswith("# ")
    assert (empty, after) == ("", "")
    assert re.fullmatch(r"[A-Z`].*\w.*[.]", sentence), sentence
    assert re.search("[0-9]", sentence) and not re.search("[{}]", sentence), "an answer has a figure, and no JSON"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(RESULTS)))
def test_tables_are_narrow(path: Path) -> None:
    widths = [line.count("|") - 1 for line in path.read_text().splitlines() if line.startswith("|")]
    assert max(widths) <= MOST_COLUMNS


def test_every_page_is_of_its_json() -> None:
    written = dict(pages())
    assert set(written) == set(PAGES)
    stale = [path.name for path, text in written.items() if path.read_text() != text]
    assert not stale, "python -m benchmarks.pages writes them again"


def test_every_answer_is_of_a_result() -> None:
    stems = [path.stem for path in RESULTS.glob("*.json")]
    assert all(any(f"{stem}_".startswith(f"{name}_") for stem in stems) for name in ANSWERS)
    assert not is_answered("rate") and not is_answered("thread_soak")


def test_a_wide_table_keeps_every_cell_and_says_which_row() -> None:
    rows = [{"a": 1, "b": i, **{f"c{k}": f"{i}-{k}" for k in range(17)}} for i in range(3)]
    text = tables(rows)
    parts = [part.splitlines() for part in text.split("\n\n")]
    assert all(line.count("|") - 1 <= MOST_COLUMNS for part in parts for line in part)
    assert all(part[0].startswith("| a | b |") for part in parts)
    assert all(text.count(f"| {i}-{k} ") == 1 for i in range(3) for k in range(17))
    assert tables(rows[:1]).split("\n")[0].startswith("| a |")
    narrow = [{"a": 1.23456}]
    assert tables(narrow) == table(narrow)


@pytest.mark.parametrize("name", PICTURES)
def test_labels_of_a_picture_do_not_overlap(name: str) -> None:
    assert overlaps(PICTURES[name]) == []


def test_labels_of_where_bits_lie_do_not_overlap() -> None:
    generator = np.random.default_rng(0)
    mapped = {
        name: generator.integers(0, 60, (64, 40, 60)).astype(np.int32) for name in ("LineRWKV, best", "other", "third")
    }
    assert overlaps(where_picture(mapped, 12)) == []


@pytest.mark.parametrize("path", CURVES, ids=lambda path: path.parent.name)
def test_labels_of_a_curve_do_not_overlap(path: Path) -> None:
    with path.open() as file:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    assert overlaps(curve(rows)) == []


def test_the_picture_has_the_speeds_of_the_pages() -> None:
    results = rate_store.load(RESULTS / "rate.json")
    points = speed_points(results, file_speeds())
    rows = json.loads((RESULTS / "threads.json").read_text())["rows"]
    for name, form in FILES.items():
        (row,) = (row for row in rows if row["form"] == form and row["way"] == "file, encoding")
        assert points[name][0] == row["Msamples/s, 1"]
    for name in points.keys() - FILES.keys():
        found = speed(results, name)
        assert found is not None and points[name][0] == found.encode
