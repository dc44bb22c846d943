"""A folder of simulated scenes: same request, same bytes; what is there is kept, and nothing of others is touched."""

import hashlib
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.scenes.data_config import DataConfig
from model.scenes.scene_list import load_scenes
from model.sensors.line_record import read_record
from model.sensors.scene_source import SceneSource
from model.sensors.sensor import Sensor
from model.sensors.simulate_command import simulate
from model.sensors.simulated_folder import simulate_scenes
from model.sensors.simulated_scene import Simulation
from runtime.command_options import EXIT_BAD_INPUT
from runtime.commands.cli import guarded
from runtime.errors import BadArgument
from runtime.images.scene_reader import open_scene
from tests.model.conftest import smooth_scene
from tests.model.sensors.conftest import DETECTOR, sensor_of

SourceOf = Callable[..., SceneSource]
NOISY: dict[str, Any] = {"stripes": {"gain": 0.01, "offset": 3.0}, "record": {"bytes": 40}}


def made(folder: Path, sources: list[SceneSource], sensor: Sensor | None = None, **options: Any) -> list[bool]:
    simulation = Simulation(sensor or sensor_of(**NOISY), **options)
    return [entry["made"] for entry in simulate_scenes(simulation, sources, folder, lambda _: None)]


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_same_request_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, source_of: SourceOf) -> None:
    source = source_of(smooth_scene(0))
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        made(tmp_path / name, [source], seed=seed, raw=True, n_lines=30, n_columns=25)
    first, again, other = (hashes(tmp_path / name) for name in "abc")
    assert first == again
    assert all(first[name] != other[name] for name in first if name.endswith((".bil", ".bin")))


def test_scenes_of_one_instrument_have_its_pattern_and_noise_of_their_own(tmp_path: Path, source_of: SourceOf) -> None:
    dark = np.zeros((40, 6, 50), np.int16)
    sources = [source_of(dark, name=name) for name in "ab"]
    made(tmp_path / "out", sources, sensor_of({"read_noise": 200.0}, stripes={"offset": 20.0}), scale=100.0)
    one, two = (open_scene(tmp_path / "out" / f"{name}_test.hdr").samples.astype(float) for name in "ab")
    assert np.corrcoef(one.mean(axis=0).ravel(), two.mean(axis=0).ravel())[0, 1] > 0.95
    noises = [(scene - scene.mean(axis=0)).ravel() for scene in (one, two)]
    assert abs(np.corrcoef(*noises)[0, 1]) < 5 / math.sqrt(noises[0].size)


def test_what_is_there_is_not_made_again(tmp_path: Path, source_of: SourceOf) -> None:
    sources, folder = [source_of(smooth_scene(seed), name=f"scene_{seed}") for seed in range(3)], tmp_path / "out"
    assert made(folder, sources[:2]) == [True, True]
    before = hashes(folder)
    assert made(folder, sources) == [False, False, True]
    assert made(folder, sources) == [False, False, False]
    assert {name: value for name, value in hashes(folder).items() if not name.endswith("json")}.items() >= {
        name: value for name, value in before.items() if not name.endswith("json")
    }.items()
    (folder / "scene_1_test.bil").write_bytes(b"short")
    assert made(folder, sources) == [False, True, False]
    assert hashes(folder)["scene_1_test.bil"] == before["scene_1_test.bil"]
    assert made(folder, sources[:1], seed=5) == [True]
    changed = source_of(smooth_scene(9), name="scene_1")
    assert made(folder, [changed]) == [True]


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, source_of: SourceOf) -> None:
    sources, folder = [source_of(smooth_scene(seed), name=f"scene_{seed}") for seed in range(2)], tmp_path / "out"

    def stop(_: int) -> None:
        if (folder / "scene_0_test.hdr").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_scenes(Simulation(sensor_of(**NOISY)), sources, folder, stop)
    assert not list(folder.glob("*scene_1*"))
    (folder / "manifest.json").unlink()  # as if it had been stopped before the manifest was written
    assert made(folder, sources) == [True, True]
    made(tmp_path / "again", sources)
    assert hashes(folder) == hashes(tmp_path / "again")


def test_its_manifest_trains_and_says_all_that_was_asked(tmp_path: Path, source_of: SourceOf) -> None:
    sources, folder = [source_of(smooth_scene(seed), name=f"scene_{seed}") for seed in range(2)], tmp_path / "out"
    made(folder, sources, seed=7, n_lines=20)
    made(folder, sources, sensor_of(name="other"))
    scenes = load_scenes(DataConfig(str(folder / "manifest.json")), "train")
    assert [scene.name for scene in scenes] == ["scene_0_test", "scene_1_test", "scene_0_other", "scene_1_other"]
    assert [scene.group for scene in scenes] == ["scene_0", "scene_1"] * 2
    assert scenes[0].shape == (20, 5, 10)
    entry = json.loads((folder / "manifest.json").read_text())[0]
    assert entry["asked"]["seed"] == 7
    assert entry["asked"]["sensor"]["stripes"]["gain"] == 0.01
    assert entry["asked"]["scene_wavelengths"] == "assumed, spread evenly"


def test_the_header_says_what_it_is(tmp_path: Path, source_of: SourceOf) -> None:
    made(tmp_path / "out", [source_of(smooth_scene(0))])
    scene = open_scene(tmp_path / "out" / "scene_test.hdr")
    assert scene.source.dtype == np.uint16
    assert scene.metadata["description"] == "simulated raw counts of test, made from scene scene"
    assert [float(one) for one in scene.metadata["wavelength"]] == [500, 550, 600, 650, 700]
    assert [float(one) for one in scene.metadata["fwhm"]] == [8] * 5
    assert "data ignore value" not in scene.metadata


def test_frames_are_records_and_lines_in_turn(tmp_path: Path, source_of: SourceOf) -> None:
    made(tmp_path / "out", [source_of(smooth_scene(0))], raw=True)
    frames = (tmp_path / "out" / "scene_test.frames.bin").read_bytes()
    records = (tmp_path / "out" / "scene_test.records.bin").read_bytes()
    samples = open_scene(tmp_path / "out" / "scene_test.hdr").samples
    n = 40 + 2 * 5 * 10
    assert len(frames) == 12 * n and len(records) == 12 * 40
    for y in range(12):
        frame = frames[y * n : (y + 1) * n]
        assert read_record(frame).line == y
        assert frame[:40] == records[y * 40 : (y + 1) * 40]
        assert (np.frombuffer(frame, "<u2", offset=40).reshape(5, 10) == samples[y]).all()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 6, 10), (12, 1, 10), (12, 6, 1)])
@pytest.mark.parametrize("bands", [1, 5])
@pytest.mark.parametrize("angle", [0.0, 12.0])
def test_any_shape_is_simulated(
    shape: tuple[int, int, int], bands: int, angle: float, tmp_path: Path, source_of: SourceOf
) -> None:
    detector = {"bands": bands, "smile": 1.0, "keystone": 0.5}
    sensor = sensor_of(detector, grid={"angle": angle}, elements={"dead": 0.1, "hot": 0.1}, **NOISY)
    made(tmp_path / "out", [source_of(np.abs(smooth_scene(3, shape)) + 1)], sensor, raw=True)
    found = open_scene(tmp_path / "out" / "scene_test.hdr")
    entry = json.loads((tmp_path / "out" / "manifest.json").read_text())[0]
    assert found.shape == (entry["lines"], bands, entry["columns"])
    assert entry["frames"] == {"lines": shape[0], "columns": shape[2], "record_bytes": 40}
    assert (tmp_path / "out" / "scene_test.records.bin").exists() == (angle == 0)
    assert found.metadata.get("data ignore value") == ("0" if angle else None)
    if angle == 0:
        assert found.shape == (shape[0], bands, shape[2])
    assert not list((tmp_path / "out").glob(".*"))


def test_files_of_others_are_refused(tmp_path: Path, source_of: SourceOf) -> None:
    source, folder = source_of(smooth_scene(0)), tmp_path / "out"
    folder.mkdir()
    for name, text in (("scene_test.bil", "mine"), ("manifest.json", "[]x"), ("start.json", '{"seed": 1}')):
        (folder / name).write_text(text)
        with pytest.raises(BadArgument, match=f"holds {name} of another origin|scene manifest"):
            made(folder, [source])
        assert (folder / name).read_text() == text
        (folder / name).unlink()
    (folder / "manifest.json").write_text('[{"name": "a", "path": "a.hdr", "split": "train"}]')
    with pytest.raises(BadArgument, match=r"holds manifest.json of another origin"):
        made(folder, [source])
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]


def test_a_scene_that_does_not_serve_leaves_nothing(tmp_path: Path, source_of: SourceOf) -> None:
    far = source_of(smooth_scene(0), (1000.0, 2000.0))
    with pytest.raises(BadArgument, match=r"^scene scene: 1000..2000 nm, allowed at most 120 nm less than 500..700"):
        made(tmp_path / "out", [far])
    wide = source_of(smooth_scene(0))
    with pytest.raises(BadArgument, match=r"^scene scene: a line of 60000 bands x 70 columns, allowed at most"):
        made(tmp_path / "out", [wide], sensor_of({"bands": 60_000}), n_columns=70)
    assert not (tmp_path / "out").exists()


TOML = """
name = "desk"
[[detectors]]
first = 500
last = 700
bands = 5
fwhm = 8
snr = 200
full_well = 200000
[counts]
depth = 12
"""


def called(arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["linerwkv", *arguments.split()])
    with pytest.raises(SystemExit) as stop:
        guarded(lambda: simulate)
    said = capsys.readouterr()
    return int(str(stop.value.code)), said.out, said.err


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a sensor and two scenes of an unknown range."""
    monkeypatch.chdir(tmp_path)
    Path("desk.toml").write_text(TOML)
    Path("scenes").mkdir()
    for seed in range(2):
        np.save(f"scenes/s{seed}.npy", smooth_scene(seed))
    return tmp_path


def test_the_command(desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    line = "desk.toml scenes -o out --range 400 800 --lines 30"
    code, out, err = called(line, capsys, monkeypatch)
    assert (code, out) == (0, "out: 2 scenes made, 0 there already\n")
    assert err == (
        "linerwkv: note: scenes/s0.npy and 1 others: wavelengths assumed, 400..800 nm spread evenly over the bands\n"
    )
    code, out, _ = called(f"{line} --json", capsys, monkeypatch)
    found = json.loads(out)
    assert [scene["made"] for scene in found["scenes"]] == [False, False]
    assert found["scenes"][0]["lines"] == 30
    code, out, _ = called("desk.toml out/manifest.json -o second --lines 4", capsys, monkeypatch)
    assert (code, out) == (0, "second: 2 scenes made, 0 there already\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("none scenes -o out", "sensor none: not found, allowed a TOML file or emit, enmap, hypso1, prisma"),
        ("none.toml scenes -o out", "sensor none.toml: No such file or directory"),
        ("desk.toml none.hdr -o out", "scene none: none.hdr not found"),
        ("desk.toml scenes -o out", "scene s0: scenes/s0.npy: no wavelengths, allowed a header with them, "),
        ("desk.toml scenes scenes -o out --range 400 800", "two scenes are named s0: give their folder, or a manifest"),
        ("desk.toml . -o scenes/s0.npy --range 400 800", "output scenes/s0.npy cannot be written: File exists"),
        ("desk.toml scenes -o out --range 400 800 --set colour=1", "sensor desk.toml, --set colour=1: key colour: "),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: str, said: str, desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = called(arguments, capsys, monkeypatch)
    lines = [line for line in err.splitlines() if "note:" not in line]
    assert (code, out, len(lines)) == (EXIT_BAD_INPUT, "", 1)
    assert lines[0].startswith(f"linerwkv: {said}")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "option", ["--range 800 400", "--range nan 800", "--scale inf", "--scale 2 --values radiance", "--lines 0"]
)
def test_wrong_options(
    option: str, desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = called(f"desk.toml scenes -o out {option}", capsys, monkeypatch)
    assert code == EXIT_BAD_INPUT and "Error: " in err
    assert not Path("out").exists()


def test_the_detector_of_these_tests_serves_the_scenes() -> None:
    assert DETECTOR["first"] >= 400 and DETECTOR["last"] <= 800
