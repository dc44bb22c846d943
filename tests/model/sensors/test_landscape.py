"""Scenes are read, scaled to reflectance, and continued beyond their edges."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.scenes.pack import PACKED
from model.sensors.landscape import Landscape, Values, mirrored
from model.sensors.scene_source import SceneSource, scene_sources
from model.sensors.simulated_scene import generator_of
from runtime.codec.compression import compress_lines
from runtime.errors import BadArgument
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene as StoredScene
from runtime.images.scene_writer import writing_envi
from tests.model.conftest import smooth_scene

SourceOf = Callable[..., SceneSource]


def landscape_of(
    source: SceneSource, sizes: tuple[int, int], values: Values = "reflectance", scale: float | None = 1000.0
) -> Landscape:
    return Landscape(source, values, scale, sizes, generator_of(0, "test"))


@given(st.integers(1, 200), st.integers(1, 20))
def test_mirrored_places_are_neighbours_and_reach_all(n: int, n_scene: int) -> None:
    places = mirrored(n, n_scene)
    assert places[:n_scene].tolist() == list(range(min(n, n_scene)))
    assert np.abs(np.diff(places)).max(initial=0) <= 1
    assert places.min() >= 0 and places.max() < n_scene


def test_a_scene_that_is_large_enough_is_itself(source_of: SourceOf) -> None:
    samples = smooth_scene(1)
    landscape = landscape_of(source_of(samples), (12, 10))
    found = np.stack([landscape.line(y) for y in range(12)])
    assert found == pytest.approx(np.maximum(samples, 0) / 1000)
    part = landscape_of(source_of(samples), (3, 4))
    assert part.line(2) == pytest.approx(np.maximum(samples[2, :, :4], 0) / 1000)


def test_a_longer_one_repeats_no_part_of_itself(source_of: SourceOf) -> None:
    samples = np.abs(smooth_scene(1)) + 100
    landscape = landscape_of(source_of(samples), (500, 90))
    found = np.stack([landscape.line(y) for y in range(500)])
    assert found.shape == (500, 6, 90)
    parts = found[:480].reshape(20, 24, 6, 90)
    for part in parts[1:]:
        assert np.abs(part / parts[0] - 1).max() > 0.01
    plain = samples[mirrored(500, 12)][:, :, mirrored(90, 10)] / 1000
    assert np.abs(found / plain - 1).max() < 0.5
    assert np.abs(np.diff(found / plain, axis=0)).max() < 0.1  # it changes slowly


def test_numbers_that_are_none_or_negative_are_dark(source_of: SourceOf) -> None:
    samples = np.array([[[np.nan, np.inf, -np.inf, -5.0, 500.0]]])
    assert landscape_of(source_of(samples), (1, 5)).line(0).tolist() == [[0, 0, 0, 0, 0.5]]


def test_bright_samples_give_the_scale_where_nothing_says_it(source_of: SourceOf) -> None:
    samples = np.zeros((10, 3, 10), np.int16)
    samples[5] = 3000
    assert landscape_of(source_of(samples), (10, 10), scale=None).line(5) == pytest.approx(0.6)
    with pytest.raises(BadArgument, match="scene dark: no value above 0"):
        landscape_of(source_of(samples[:2], name="dark"), (2, 10), scale=None)
    with pytest.raises(BadArgument, match="scene dark: no value above 0"):
        landscape_of(source_of(samples[:2], name="dark"), (2, 10), "radiance", None)


def test_radiance_is_taken_relative_to_its_mean_spectrum(source_of: SourceOf) -> None:
    generator = np.random.default_rng(0)
    reflectance = generator.uniform(0, 0.4, (30, 1, 30))
    spectrum = np.array([50.0, 4000.0, 300.0])[None, :, None]
    landscape = landscape_of(source_of(np.rint(1e3 * reflectance * spectrum)), (30, 30), "radiance", None)
    line = landscape.line(3)
    assert line == pytest.approx(np.broadcast_to(reflectance[3] * 0.2 / reflectance.mean(), (3, 30)), abs=1e-3)


def test_a_header_says_wavelengths_scale_and_what_to_ignore(tmp_path: Path) -> None:
    metadata = {
        "wavelength": ["0.9", "0.5", "0.7", "0.6"], "wavelength units": "Micrometers", "bbl": ["1", "1", "0", "1"],
        "reflectance scale factor": "2000", "data ignore value": "501",
    }  # fmt: skip
    line = np.array([[900, 901], [500, 501], [700, 701], [600, 601]], np.int16)
    with writing_envi(tmp_path / "scene.hdr", (4, 2), line.dtype, metadata) as file:
        file.append(line)
    (source,) = scene_sources([tmp_path / "scene.hdr"], None)
    assert source.centres.centres == pytest.approx([500, 600, 900])
    assert not source.centres.spread
    found = landscape_of(source, (1, 2), scale=None).line(0)
    assert found == pytest.approx(np.array([[500, 0], [600, 601], [900, 901]]) / 2000)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "no wavelengths, allowed a header with them, sensor type of aviris, "),
        ({"sensor type": "Unknown"}, "no wavelengths, allowed a header with them"),
        ({"wavelength": ["500"]}, "wavelength has 1 numbers, allowed a finite one for each of 2 bands"),
        ({"wavelength": ["500", "nan"]}, "wavelength has 2 numbers, allowed a finite one"),
        ({"wavelength": ["blue", "red"]}, "wavelength has no numbers, allowed one of each band"),
        ({"wavelength": ["500", "600"], "wavelength units": "Index"}, "wavelength units are index, allowed nanometers"),
        ({"wavelength": ["500", "600"], "bbl": ["0", "0"]}, "bbl calls every band bad"),
    ],
)
def test_a_scene_without_wavelengths_is_refused(metadata: dict[str, object], said: str, tmp_path: Path) -> None:
    with writing_envi(tmp_path / "scene.hdr", (2, 3), np.dtype(np.int16), metadata) as file:
        file.append(np.ones((2, 3), np.int16))
    with pytest.raises(BadArgument) as error:
        scene_sources([tmp_path / "scene.hdr"], None)
    assert str(error.value).startswith(f"scene scene: {tmp_path / 'scene.hdr'}: {said}")


def test_a_stream_is_a_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    samples = np.abs(smooth_scene(1))
    scene = StoredScene(samples, {"wavelength": [str(500 + 10 * z) for z in range(6)]})
    compress_lines(scene.lines(), describe(scene, None), Path("scene.lrwk"), PACKED)
    (source,) = scene_sources([Path("scene.lrwk")], None)
    assert source.centres.centres.tolist() == [500, 510, 520, 530, 540, 550]
    assert landscape_of(source, (12, 10)).line(7) == pytest.approx(samples[7] / 1000)


def test_a_known_sensor_gives_an_even_spread(tmp_path: Path) -> None:
    with writing_envi(tmp_path / "scene.hdr", (2, 3), np.dtype(np.int16), {"sensor type": "NEON AOP"}) as file:
        file.append(np.ones((2, 3), np.int16))
    (source,) = scene_sources([tmp_path / "scene.hdr"], None)
    assert source.centres.spread and source.centres.centres.tolist() == [381, 2510]
    (source,) = scene_sources([tmp_path / "scene.hdr"], (500.0, 600.0))
    assert source.centres.centres.tolist() == [500, 600]
