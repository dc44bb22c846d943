"""Sensors of Linux, in trees that a test writes and changes while the sampler on the target reads them."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil_tests.meters.counters import counted
from hil_tests.meters.meter import Meter, MeterFailed, PowerTrace
from hil_tests.meters.meter_factory import make_meters
from hil_tests.meters.sysfs_meter import SysfsMeter
from hil_tests.meters.sysfs_sampler import NoSensor, rails_of, value_of
from hil_tests.meters.this_machine import ThisMachine

SYSFS_KINDS = ("hwmon", "jetson", "rapl")


def write(folder: Path, files: dict[str, object]) -> Path:
    """The folder, with these small files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        changed(folder / name, value)
    return folder


def changed(path: Path, value: object) -> None:
    """A value changes as in sysfs: whole, between two reads."""
    new = path.with_name(path.name + ".new")
    new.write_text(f"{value}\n")
    new.replace(path)


def meter_of(kind: str, tmp_path: Path, through: Sequence[str] = (), **options: object) -> Meter:
    (tmp_path / "board").mkdir(exist_ok=True)
    entry = {"kind": kind, "root": str(tmp_path / "sys"), "period_s": 0.01, **options}
    return make_meters([entry], ThisMachine(tmp_path / "board", through))[0]


def recorded(meter: Meter) -> list[PowerTrace]:
    meter.start()
    time.sleep(0.1)
    return meter.stop()


def ina226(tmp_path: Path, microwatts: int) -> Path:
    """The power file of a simulated INA226 as Linux shows it."""
    hwmon = tmp_path / "sys/class/hwmon/hwmon2"
    write(hwmon, {"name": "ina226", "in1_input": 5000, "curr1_input": 3, "power1_input": microwatts})
    write(hwmon, {"update_interval": 125, "power1_crit": 0})
    (hwmon / "device").symlink_to(write(tmp_path / "sys/devices/1-0040", {"name": "ina226"}))
    return hwmon / "power1_input"


def ina3221(folder: Path, *, third_enabled: int) -> None:
    """A simulated INA3221: three rails, then shunts and sums that are none."""
    write(folder, {"name": "ina3221"})
    for channel, label, millivolts, milliamperes in (
        (1, "VDD_IN", 5000, 800),
        (2, "VDD_CPU", 1000, 250),
        (3, "X", 1, 1),
    ):
        write(folder, {f"in{channel}_label": label, f"in{channel}_input": millivolts, f"in{channel}_enable": 1})
        write(folder, {f"curr{channel}_input": milliamperes, f"in{channel + 3}_input": 40, "curr4_input": 1051})
    write(folder, {"in3_enable": third_enabled, "in7_input": 120, "in7_label": "sum of shunt voltages"})


def test_a_steady_sensor_is_read_exactly_between_start_and_stop(tmp_path: Path) -> None:
    ina226(tmp_path, 2_500_000)
    meter = meter_of("hwmon", tmp_path, accuracy="0.1 % and the shunt")
    began = time.monotonic()
    (trace,) = recorded(meter)
    ended = time.monotonic()
    assert meter.rails == ("ina226 1-0040 power1",)
    assert np.array_equal(trace.watts, np.full(len(trace.seconds), 2.5))
    assert (np.diff(trace.seconds) > 0).all()
    assert began < trace.seconds[0] < trace.seconds[-1] < ended
    assert not trace.is_integrating
    assert (trace.update_s, trace.accuracy) == (0.125, "0.1 % and the shunt")
    assert 0 < trace.clock_uncertainty_s < 0.1


OTHER_CLOCK = ("unshare", "--user", "--map-root-user", "--time", "--monotonic", "100000", "--fork", "--kill-child")
"""Starts a program whose monotonic clock is 100,000 s ahead."""


@pytest.mark.parametrize("through", [(), OTHER_CLOCK], ids=["our clock", "another clock"])
def test_a_change_is_seen_at_its_time(tmp_path: Path, through: Sequence[str]) -> None:
    if through and (not shutil.which("unshare") or subprocess.run([*through, "true"], check=False).returncode):
        pytest.skip("this machine gives no time namespace")
    power = ina226(tmp_path, 1_000_000)
    meter = meter_of("hwmon", tmp_path, through)
    meter.start()
    time.sleep(0.1)
    before = time.monotonic()
    changed(power, 3_000_000)
    after = time.monotonic()
    time.sleep(0.1)
    (trace,) = meter.stop()
    assert set(trace.watts) == {1.0, 3.0}
    assert trace.seconds[trace.watts == 3.0].min() >= before - trace.clock_uncertainty_s
    assert trace.seconds[trace.watts == 1.0].max() <= after + trace.clock_uncertainty_s


@pytest.mark.parametrize("kind", ["hwmon", "jetson"])
def test_rails_of_an_ina3221_are_its_enabled_channels(tmp_path: Path, kind: str) -> None:
    ina3221(tmp_path / "sys/class/hwmon/hwmon0", third_enabled=0)
    meter = meter_of(kind, tmp_path)
    traces = recorded(meter)
    assert meter.rails == ("VDD_IN", "VDD_CPU")
    assert [set(trace.watts) for trace in traces] == [{4.0}, {0.25}]


def test_rails_of_one_name_are_distinguished(tmp_path: Path) -> None:
    for number in (0, 1, 10):
        write(tmp_path / f"class/hwmon/hwmon{number}", {"name": "ina219", "power1_input": number})
    rails = rails_of("hwmon", tmp_path)
    assert [(rail.name, round(value_of(rail) * 1e6)) for rail in rails] == [
        ("ina219 power1", 0),
        ("ina219 power1 #2", 1),
        ("ina219 power1 #3", 10),
    ]


def test_rails_of_an_older_jetson(tmp_path: Path) -> None:
    folder = tmp_path / "sys/bus/i2c/drivers/ina3221x/1-0040/iio:device0"
    write(folder, {"rail_name_0": "POM_5V_IN", "in_power0_input": 2187, "rail_name_1": "POM_5V_GPU"})
    write(folder, {"in_power1_input": 40, "in_voltage0_input": 5000})
    meter = meter_of("jetson", tmp_path)
    traces = recorded(meter)
    assert meter.rails == ("POM_5V_IN", "POM_5V_GPU")
    assert [trace.watts[0] for trace in traces] == pytest.approx([2.187, 0.04], rel=1e-12)


def test_rails_are_chosen_by_name_in_the_order_wanted(tmp_path: Path) -> None:
    ina3221(tmp_path / "sys/class/hwmon/hwmon0", third_enabled=1)
    meter = meter_of("jetson", tmp_path, rails=["X", "VDD_IN"])
    assert [trace.watts[0] for trace in recorded(meter)] == pytest.approx([1e-6, 4.0])
    assert meter.rails == ("X", "VDD_IN")
    with pytest.raises(MeterFailed, match=r"rail 'VDD' is not there; there are: VDD_IN, VDD_CPU, X$"):
        meter_of("jetson", tmp_path, rails=["VDD"]).start()


def rapl_zone(tmp_path: Path, zone: str, name: str, microjoules: int) -> Path:
    folder = tmp_path / "sys/class/powercap" / zone
    write(folder, {"name": name, "energy_uj": microjoules, "max_energy_range_uj": 262_143_328_850})
    return folder / "energy_uj"


def test_a_rapl_counter_is_followed_over_its_end(tmp_path: Path) -> None:
    most = 262_143_328_850
    energy = rapl_zone(tmp_path, "intel-rapl:0", "package-0", most - 1_000_000)
    rapl_zone(tmp_path, "intel-rapl:0:0", "core", 5)
    write(tmp_path / "sys/class/powercap/intel-rapl", {"enabled": 1})
    meter = meter_of("rapl", tmp_path)
    meter.start()
    used, value = 0, most - 1_000_000
    for step in (900_000, 3_000_000, most // 4, most // 4, most // 4, most // 4, 7):
        time.sleep(0.08)
        used += step
        value = (value + step) % most
        changed(energy, value)
    time.sleep(0.08)
    package, core = meter.stop()
    assert meter.rails == ("package-0 (0)", "core (0:0)")
    assert package.is_integrating
    assert (package.watts >= 0).all()
    joules = (package.watts[1:] * np.diff(package.seconds)).sum()
    assert joules == pytest.approx(used * 1e-6, abs=2e-6)
    assert not core.watts.any()


@settings(deadline=None)
@given(st.lists(st.integers(0, 999), min_size=1, max_size=40), st.integers(0, 999))
def test_a_counter_gives_all_energy_whatever_its_start(steps: list[int], start: int) -> None:
    used = np.cumsum([0, *steps])
    assert np.array_equal(counted(((start + used) % 1000).astype(np.float64), 1000.0), used)


@pytest.mark.parametrize("kind", SYSFS_KINDS)
def test_without_sensors_it_is_one_line(tmp_path: Path, kind: str) -> None:
    with pytest.raises(MeterFailed, match=rf"^{kind}: no power sensor under {tmp_path}/sys$"):
        meter_of(kind, tmp_path).start()


@pytest.mark.parametrize("garbage", ["", "watt", "1 2", "0x10", "\x00\xff", "1e6"])
def test_garbage_in_a_sensor_is_one_line(tmp_path: Path, garbage: str) -> None:
    changed(ina226(tmp_path, 0), garbage)
    with pytest.raises(MeterFailed, match=r"power1_input: not an integer$"):
        meter_of("hwmon", tmp_path).start()


def test_a_sensor_that_goes_away_is_one_line_at_the_end(tmp_path: Path) -> None:
    power = ina226(tmp_path, 1)
    meter = meter_of("hwmon", tmp_path)
    meter.start()
    power.unlink()
    time.sleep(0.1)
    with pytest.raises(MeterFailed, match=r"power1_input: No such file or directory$"):
        meter.stop()


def test_a_sampler_that_is_killed_is_one_line_at_the_end(tmp_path: Path) -> None:
    ina226(tmp_path, 1)
    meter = meter_of("hwmon", tmp_path)
    assert isinstance(meter, SysfsMeter)
    meter.start()
    meter.program.process.kill()
    with pytest.raises(MeterFailed, match="sysfs_sampler on the target ended"):
        meter.stop()


def test_a_meter_starts_again_after_a_failure(tmp_path: Path) -> None:
    meter = meter_of("hwmon", tmp_path)
    with pytest.raises(MeterFailed):
        meter.start()
    ina226(tmp_path, 7_000_000)
    for _ in range(2):
        assert set(recorded(meter)[0].watts) == {7.0}


@pytest.mark.parametrize("kind", SYSFS_KINDS)
def test_sensors_of_this_machine(kind: str) -> None:
    try:
        values = [value_of(rail) for rail in rails_of(kind, Path("/sys"))]
    except NoSensor as reason:
        pytest.skip(str(reason))
    assert all(0 <= value < 1e9 for value in values)
