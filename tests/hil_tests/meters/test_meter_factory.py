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

from hil_tests.meters.meter_factory import KINDS, make_meters
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


KEYS_OF_HWMON = "name, root, period_s, rails, accuracy"
SECONDS = "finite number above 0, at most 1e+06"
OF_RAIL = "list of text of length at least 1, of length at least 1"
RAILS = f"table of {OF_RAIL}, of length at least 1"


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({}, 'kind: found null, allowed "hwmon", "jetson", "rapl", "nvml", "scpi", "csv", "joulescope", "simulated"'),
        (
            {"kind": ["hwmon"]},
            'kind: found ["hwmon"], allowed "hwmon", "jetson", "rapl", "nvml", "scpi", "csv", "joulescope", '
            '"simulated"',
        ),
        ({"kind": "hwmon", "name": ""}, 'name: found "", allowed text of length at least 1'),
        ({"kind": "hwmon", "name": 3}, "name: found 3, allowed text of length at least 1"),
        ({"kind": "hwmon", "name": "cpu"}, 'name: found "cpu", allowed a name that no meter before it has'),
        ({"kind": "hwmon", "path": "/sys"}, f"path: not known, allowed {KEYS_OF_HWMON}"),
        ({"kind": "hwmon", "period_s": 0}, f"period_s: found 0, allowed {SECONDS}"),
        ({"kind": "hwmon", "period_s": True}, f"period_s: found true, allowed {SECONDS}"),
        ({"kind": "hwmon", "period_s": float("nan")}, f"period_s: found NaN, allowed {SECONDS}"),
        ({"kind": "hwmon", "rails": "VDD"}, 'rails: found "VDD", allowed list of text of length at least 1'),
        ({"kind": "nvml", "device": 0.0}, "device: found 0.0, allowed int at least 0"),
        ({"kind": "scpi"}, "resource: found nothing, allowed text of length at least 1"),
        ({"kind": "scpi", "resource": "x", "rails": {}}, f"rails: found {{}}, allowed {RAILS}"),
        ({"kind": "scpi", "resource": "x", "rails": {"a": "V"}}, f'rails.a: found "V", allowed {OF_RAIL}'),
        ({"kind": "csv", "path": "a", "time": "t", "rails": {"a": []}}, f"rails.a: found [], allowed {OF_RAIL}"),
        ({"kind": "csv", "path": "a", "rails": {"a": ["W"]}}, "time: found nothing, allowed text of length at least 1"),
        (
            {"kind": "csv", "path": "a", "time": "t", "rails": {"a": ["W"]}, "delimiter": ""},
            'delimiter: found "", allowed one character',
        ),
    ],
)
def test_a_wrong_table_is_one_line_that_says_what_is_allowed(entry: dict[str, Any], line: str) -> None:
    with pytest.raises(BadArgument) as caught:
        make_meters([{"kind": "rapl", "name": "cpu"}, entry], TARGET, "board file b.toml")
    assert str(caught.value) == f"board file b.toml: key meters[1].{line}"


def test_two_meters_have_two_names() -> None:
    meters = make_meters([{"kind": "rapl"}, {"kind": "rapl", "name": "b"}], TARGET)
    assert [meter.name for meter in meters] == ["rapl", "b"]


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
from hil_tests.meters.meter_factory import make_meters
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
