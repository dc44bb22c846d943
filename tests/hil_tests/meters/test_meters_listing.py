"""The verb that shows what this machine can meter."""

import json
from pathlib import Path

from click.testing import CliRunner

from hil_tests.meters.listing import meters_command


def test_meters_are_listed_with_a_reading_or_why_not(tmp_path: Path) -> None:
    hwmon = tmp_path / "class/hwmon/hwmon0"
    hwmon.mkdir(parents=True)
    (hwmon / "name").write_text("ina219\n")
    (hwmon / "power1_input").write_text("1250000\n")
    (hwmon / "power1_label").write_text("VBUS\n")
    (hwmon / "power2_average").write_text("500000\n")
    arguments = ["--root", str(tmp_path), "--seconds", "0.1"]
    done = CliRunner().invoke(meters_command, [*arguments, "--json"])
    assert done.exit_code == 0
    found = [(reading["kind"], reading["rail"], reading["watts"]) for reading in json.loads(done.stdout)]
    assert found[:2] == [("hwmon", "ina219 VBUS", 1.25), ("hwmon", "ina219 power2", 0.5)]
    assert found[2:4] == [("jetson", "", None), ("rapl", "", None)]
    assert all(reading["watts"] is not None or reading["why_not"] for reading in json.loads(done.stdout))
    text = CliRunner().invoke(meters_command, arguments).stdout
    assert "hwmon          1.250 W  ina219 VBUS\n" in text
    assert "rapl          not here  rapl: no power sensor under" in text
