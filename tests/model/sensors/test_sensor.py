"""SENSOR.toml: what is wrong is one line with file and key; shipped ones say where each figure is from."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.sensors.detector import Detector
from model.sensors.sensor import Counts, load_sensor, shipped_sensors
from runtime.errors import BadArgument
from tests.model.sensors.conftest import sensor_of

PUBLISHED = {  # bands, ends of the range in nm, bits
    "emit": (285, 381, 2493, 14), "enmap": (224, 420, 2450, 14), "hypso1": (120, 387, 801, 16),
    "prisma": (239, 400, 2505, 12),
}  # fmt: skip
NOT_FIGURES = {"name", "centres", "first", "last"}


@pytest.mark.parametrize("name", shipped_sensors())
def test_a_shipped_sensor_has_its_published_figures_and_their_sources(name: str) -> None:
    sensor = load_sensor(Path(name))
    found = (sensor.n_bands, sensor.centres.min(), sensor.centres.max(), sensor.counts.depth)
    assert found == PUBLISHED[name]
    assert sensor.name == name
    figures = {f"detectors.{one.name}" for one in fields(Detector) if one.name not in NOT_FIGURES}
    figures |= {"columns", "lines_per_second", "reference", "stripes", "elements", "record"}
    figures |= {f"counts.{one.name}" for one in fields(Counts) if getattr(sensor.counts, one.name)}
    assert set(sensor.sources) >= figures
    assert all(len(text) > 10 for text in sensor.sources.values())


def test_four_are_shipped() -> None:
    assert shipped_sensors() == sorted(PUBLISHED)


def test_settings_replace_keys(tmp_path: Path) -> None:
    sensor = load_sensor(Path("enmap"), ["grid.angle=12", "counts.depth=13", "name=other"])
    assert (sensor.name, sensor.counts.depth) == ("other", 13)
    assert sensor.grid is not None and sensor.grid.angle == 12
    with pytest.raises(BadArgument, match=r"^sensor enmap, --set grid.angle=60: key grid.angle: found 60, allowed "):
        load_sensor(Path("enmap"), ["grid.angle=60"])
    with pytest.raises(BadArgument, match=r"^sensor nimbus: not found, allowed a TOML file or emit, enmap, "):
        load_sensor(Path("nimbus"))
    with pytest.raises(BadArgument, match=r"^sensor .*none.toml: No such file"):
        load_sensor(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("detector", "tables", "said"),
    [
        ({"first": 0.0, "last": 0.0, "bands": 0}, {}, "key detectors[0].centres: found [], allowed a list, or first,"),
        ({"centres": [500.0]}, {}, "key detectors[0].centres: found [500.0], allowed a list, or first,"),
        ({"bands": 0}, {}, "key detectors[0].first: found [500.0, 700.0, 0] with last and bands"),
        ({"bands": 1 << 40}, {}, "key detectors[0].bands: found 1099511627776, allowed int"),
        ({"fwhm": 0}, {}, "key detectors[0].fwhm: found 0.0, allowed finite numbers above 0"),
        ({"snr": [[500.0, float("nan")]]}, {}, "key detectors[0].snr: found nan, allowed finite numbers above 0"),
        ({"snr": [[600.0, 1.0], [500.0, 1.0]]}, {}, "key detectors[0].snr: found wavelengths [600.0, 500.0]"),
        ({"snr": []}, {}, "key detectors[0].snr: found [], allowed"),
        ({"snr": [[500.0]]}, {}, "key detectors[0].snr: found [[500.0]], allowed finite number or"),
        ({"read_noise": -1.0}, {}, "key detectors[0].read_noise: found -1.0, allowed finite numbers at least 0"),
        ({"full_well": 100.0}, {}, "key detectors[0].full_well: 39900 electrons less than the signal"),
        ({}, {"name": "../x"}, 'key name: found "../x", allowed letters, digits, _ and -'),
        ({}, {"detectors": []}, "key detectors: found [], allowed list"),
        ({}, {"counts": {"depth": 17}}, "key counts.depth: found 17, allowed int at least 1, at most 16"),
        ({}, {"counts": {"depth": 8, "saturation": 256}}, "key counts.saturation: found 256, allowed int at most 255"),
        ({}, {"counts": {"depth": 8, "offset": 255}}, "key counts.offset: found 255, allowed int below"),
        ({}, {"record": {"bytes": 23}}, "key record.bytes: found 23, allowed 0 or int at least 24"),
        ({}, {"elements": {"dead": 1.5}}, "key elements.dead: found 1.5, allowed"),
        ({}, {"stripes": {"gain": -0.1}}, "key stripes.gain: found -0.1, allowed"),
        ({}, {"grid": {"angle": 50.0}}, "key grid.angle: found 50.0, allowed"),
        ({}, {"colour": 1}, "key colour: not known, allowed name, detectors, "),
    ],
)
def test_a_wrong_value_is_one_line(detector: dict[str, Any], tables: dict[str, Any], said: str) -> None:
    with pytest.raises(BadArgument) as error:
        sensor_of(detector, **tables)
    assert str(error.value).startswith(f"sensor test: {said}")
    assert "\n" not in str(error.value)


def test_figures_over_wavelength_are_linear_between_points() -> None:
    sensor = sensor_of({"fwhm": [[500.0, 5.0], [700.0, 9.0]]})
    assert sensor.widths == pytest.approx([5, 6, 7, 8, 9])
    noisy = sensor_of({"read_noise": 300.0}).detectors[0].reference_electrons
    assert noisy / np.sqrt(noisy + 300**2) == pytest.approx(np.full(5, 200.0))
