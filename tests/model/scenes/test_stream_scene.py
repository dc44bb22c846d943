"""Streams as scenes: the samples of the image, whatever the package, in bounded memory, or one line of error."""

import itertools
import json
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.scenes.data_config import DataConfig
from model.scenes.scene_cache import mappable, read_samples
from model.scenes.scene_list import load_scenes
from runtime.cell.flight_package import SHIPPED, SHIPPED_FLOAT
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import opened_encoder
from runtime.errors import BadArgument, LineRwkvError
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene, open_scene
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind, SampleType
from tests.model.conftest import smooth_scene

PLAIN = CodingOptions(predictor=PredictorKind.DPCM)
SHAPE = (12, 6, 10)


@pytest.fixture
def other_package(tmp_path: Path) -> Path:
    """A package of another identity: the shipped one by another name."""
    folder = shutil.copytree(SHIPPED, tmp_path / "other")
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"name": "other"}))
    return folder


def write_stream(
    path: Path, samples: Any, options: CodingOptions = PLAIN, metadata: dict[str, Any] | None = None
) -> Path:
    scene = Scene(samples, metadata or {})
    compress_lines(scene.lines(), describe(scene, None), path, options)
    return path


@pytest.mark.parametrize("suffix", [".lrwk", ".lrwkv"])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint8", "int32", "int64", "float32"])
def test_a_stream_serves_as_the_image_that_it_restores(tmp_path: Path, dtype: str, suffix: str) -> None:
    samples = np.clip(smooth_scene(1, SHAPE), 0, 255).astype(dtype)
    path = write_stream(tmp_path / f"scene{suffix}", samples)
    found = open_scene(mappable(path, tmp_path / "cache")).samples
    assert found.dtype.itemsize <= 2
    np.testing.assert_array_equal(found, samples)
    np.testing.assert_array_equal(read_samples(path), samples)


def test_samples_that_are_no_measurements_are_what_the_image_has(tmp_path: Path) -> None:
    samples = smooth_scene(1, SHAPE)
    samples[3:5, :, 2:7] = -9999
    path = write_stream(tmp_path / "scene.lrwk", samples, metadata={"data ignore value": "-9999"})
    np.testing.assert_array_equal(read_samples(path), samples)


@pytest.mark.parametrize("package", [SHIPPED, SHIPPED_FLOAT])
def test_the_shipped_packages_need_no_name(tmp_path: Path, package: Path) -> None:
    samples = smooth_scene(2, SHAPE)
    options = CodingOptions(package=package, network=NetworkUse.ALWAYS)
    np.testing.assert_array_equal(read_samples(write_stream(tmp_path / "scene.lrwk", samples, options)), samples)


def test_another_package_is_asked_for_by_one_line_and_taken(tmp_path: Path, other_package: Path) -> None:
    samples = smooth_scene(3, SHAPE)
    options = CodingOptions(package=other_package, network=NetworkUse.ALWAYS)
    (tmp_path / "archive").mkdir()
    write_stream(tmp_path / "archive" / "scene.lrwk", samples, options)
    data = DataConfig(str(tmp_path / "archive"), cache=str(tmp_path / "cache"), validation_fraction=0.0)
    with pytest.raises(
        BadArgument, match=r"^scene scene: .*needs the flight package .*; --package gives it$"
    ) as caught:
        load_scenes(data, "train")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache").iterdir())
    known = DataConfig(data.manifest, cache=data.cache, validation_fraction=0.0, packages=[str(other_package)])
    (scene,) = load_scenes(known, "train")
    np.testing.assert_array_equal(scene.samples, samples)


def test_lines_that_never_came_are_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = smooth_scene(4, SHAPE)
    image = ImageDescription(6, 10, 12, False)
    with opened_encoder(PLAIN, image) as encoder:
        parts = [encoder.header, *map(encoder.push, samples[:5]), encoder.skip(3), *map(encoder.push, samples[8:])]
        (tmp_path / "scene.lrwk").write_bytes(b"".join([*parts, encoder.finish()]))
    found = read_samples(tmp_path / "scene.lrwk")
    np.testing.assert_array_equal(found, np.delete(samples, slice(5, 8), axis=0))
    assert capsys.readouterr().err.endswith("scene.lrwk: 3 lines never came and are left out\n")


def test_a_near_lossless_stream_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = smooth_scene(5, SHAPE)
    path = write_stream(tmp_path / "scene.lrwk", samples, CodingOptions(predictor=PredictorKind.DPCM, max_error=2))
    assert np.abs(read_samples(path).astype(int) - samples).max() <= 2
    assert "within 2 of what was measured" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("float", "samples are float32, not all of them whole numbers; allowed integers of 16 bits"),
        ("wide", "allowed what 16 bits hold"),
        ("cut", ""),  # as the reader of streams words it
        ("nonsense", ""),
    ],
)
def test_what_cannot_train_is_one_line_and_leaves_nothing(tmp_path: Path, kind: str, line: str) -> None:
    samples: Any = smooth_scene(6, SHAPE)
    path = tmp_path / "scene.lrwk"
    if kind == "nonsense":
        path.write_bytes(b"nothing of a stream, but long enough to hold the start of a header")
    else:
        changed = {"float": (samples / 8).astype(np.float32), "wide": samples.astype(np.int32) + 100_000}
        write_stream(path, changed.get(kind, samples))
        if kind == "cut":
            path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(LineRwkvError) as caught:
        mappable(path, tmp_path / "cache")
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert line in str(caught.value)
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_memory_is_not_that_of_the_scene(tmp_path: Path) -> None:
    line = smooth_scene(7, (1, 16, 512))[0]
    lines = itertools.repeat(line, 2000)  # 32 MB
    path = tmp_path / "long.lrwk"
    compress_lines(lines, ImageDescription(16, 512, 12, False, sample_type=SampleType.INT16), path, PLAIN)
    mappable(write_stream(tmp_path / "small.lrwk", line[None]), tmp_path / "cache")  # compiles
    tracemalloc.start()
    mappable(path, tmp_path / "cache")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_stream_beside_its_image_and_converted_scenes_are_not_scenes_of_a_folder(tmp_path: Path) -> None:
    samples = smooth_scene(8, SHAPE)
    np.save(tmp_path / "a.npy", samples)
    for name in ("a.lrwk", "b.lrwk"):
        write_stream(tmp_path / name, samples)
    data = DataConfig(str(tmp_path), cache=str(tmp_path / "runs" / "cache"), validation_fraction=0.0)
    for _ in range(2):  # the second time the converted copy of b is there
        assert [(scene.name, scene.path.name == "a.npy") for scene in load_scenes(data, "train")] == [
            ("a", True),
            ("b", False),
        ]
