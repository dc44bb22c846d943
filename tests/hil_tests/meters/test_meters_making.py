"""Meters from the tables of a board file."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.meters.making import KINDS, make_meters
from hil_tests.meters.this_machine import ThisMachine
from hil_tests.places.place import REPOSITORY, Here
from runtime.errors import BadArgument

TARGET = ThisMachine(Path())
TABLES = re.findall(r"```toml\n(.*?)```", (REPOSITORY / "docs/energy.md").read_text(), re.DOTALL)


def test_every_kind_is_in_the_document_and_its_tables_make_meters() -> None:
    entries = [entry for table in TABLES for entry in tomllib.loads(table).get("meters", [])]
    meters = make_meters(entries, TARGET)
    assert {entry["kind"] for entry in entries} == set(KINDS)
    assert [meter.name for meter in meters] == [entry.get("name", entry["kind"]) for entry in entries]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "kind None is not known; known: hwmon, jetson, rapl, nvml, scpi, csv, joulescope"),
        ({"kind": "ina226"}, "kind 'ina226' is not known; known: hwmon"),
        ({"kind": ["hwmon"]}, "kind ['hwmon'] is not known"),
        ({"kind": "hwmon", "name": ""}, "name '' is empty"),
        ({"kind": "hwmon", "name": 3}, "name 3 is empty, no text, or taken already"),
        ({"kind": "hwmon", "path": "/sys"}, "(hwmon): key 'path' is not known; known: root, period_s, rails, accuracy"),
        ({"kind": "hwmon", "period_s": 0}, "(hwmon): period_s = 0; a number above 0"),
        ({"kind": "hwmon", "period_s": True}, "(hwmon): period_s = True; a number"),
        ({"kind": "hwmon", "period_s": float("nan")}, "(hwmon): period_s = nan; a number"),
        ({"kind": "hwmon", "rails": "VDD"}, "(hwmon): rails = 'VDD'; a list of texts is allowed"),
        ({"kind": "nvml", "device": 0.0}, "(nvml): device = 0.0; a whole number"),
        ({"kind": "scpi"}, "(scpi): key 'resource' is missing"),
        ({"kind": "scpi", "resource": "x", "rails": {}}, "(scpi): rails = {}; a table of lists of texts"),
        ({"kind": "scpi", "resource": "x", "rails": {"a": "V"}}, "(scpi): rails = {'a': 'V'}; a table of lists"),
        ({"kind": "csv", "path": "a", "time": "t", "rails": {"a": []}}, "(csv): rails = {'a': []}; a table of lists"),
        ({"kind": "csv", "path": "a", "rails": {"a": ["W"]}}, "(csv): key 'time' is missing"),
        ({"kind": "csv", "path": "a", "time": "t", "rails": {"a": ["W"]}, "delimiter": ""}, "(csv): delimiter = ''"),
    ],
)
def test_a_wrong_table_is_one_line_that_says_what_is_allowed(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArgument, match=re.escape(message)) as caught:
        make_meters([{"kind": "rapl", "name": "cpu"}, entry], TARGET)
    assert str(caught.value).startswith("meter 2 of the board file")
    assert "\n" not in str(caught.value)


def test_two_meters_have_two_names() -> None:
    assert [meter.name for meter in make_meters([{"kind": "rapl"}, {"kind": "rapl", "name": "b"}], TARGET)] == [
        "rapl",
        "b",
    ]
    with pytest.raises(BadArgument, match="name 'rapl' is empty, no text, or taken already"):
        make_meters([{"kind": "rapl"}, {"kind": "rapl"}], TARGET)


SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "a", "é\n"])
VALUES = SIMPLE | st.lists(SIMPLE, max_size=2) | st.dictionaries(st.just("a"), SIMPLE | st.lists(SIMPLE, max_size=1))
KEYS = st.sampled_from(
    ["name", "root", "period_s", "rails", "device", "resource", "path", "time", "wait_s", "accuracy"]
)


@settings(deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_table_makes_a_meter_or_one_line(kind: str, options: dict[str, Any]) -> None:
    try:
        (meter,) = make_meters([{"kind": kind, **options}], TARGET)
        assert meter.name
    except BadArgument as error:
        assert "\n" not in str(error)


WITHOUT_LIBRARIES = """
import sys
from pathlib import Path
sys.modules.update(pyvisa=None, pynvml=None, pyjls=None)
from hil_tests.meters.joulescope_file import read_jls
from hil_tests.meters.making import make_meters
from hil_tests.meters.meter import MeterFailed
from hil_tests.meters.this_machine import ThisMachine
meters = make_meters([{"kind": "nvml"}, {"kind": "scpi", "resource": "x"}], ThisMachine(Path()))
for action in (*(meter.start for meter in meters), lambda: read_jls(Path("x"), signal="power", period_s=1.0)):
    try:
        action()
    except MeterFailed as error:
        print(error)
"""


def test_without_the_extra_hil_a_meter_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES], env=Here().environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "nvml: nvidia-ml-py is not installed; it comes with the extra hil",
        "scpi: pyvisa is not installed; it comes with the extra hil",
        "joulescope: pyjls is not installed; it comes with the extra hil",
    ]
