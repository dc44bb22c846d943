"""A package adapted to scenes: never worse than its start, resumable to the byte, its scenes on record."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from export.coded_scene import check_restored, stream_of
from export.finetune_command import finetune
from export.finetune_report import warning
from export.integer_package import integer_package_parts
from export.package_files import write_package
from export.package_worth import worse
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from runtime.cell.flight_package import SHIPPED_FLOAT, IntegerPackage, open_integer_package
from runtime.cell.signature import SIGNATURE
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines
from runtime.codec.network_choice import NetworkUse
from runtime.errors import BadArgument
from runtime.executors.executors import make_executor
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import Scene
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from tests.model.conftest import smooth_scene
from tests.quantize.test_dequantized import quantized

SHORT = ("--epochs", 2, "--batches", 20, "--calibration-batches", 1)
OTHER = "others/c.npy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package, `start`, of a network that is worse than nothing, and scenes of different numbers of bands."""
    folder = tmp_path_factory.mktemp("mission")
    torch.manual_seed(0)
    network = FlightNetwork(FlightConfig(group=2, features=6, spectral_features=16))
    with torch.no_grad():
        network.taps.bias.add_(torch.randn_like(network.taps.bias))
    cell = quantized(network, 7, 1)
    write_package(integer_package_parts(cell, "start", {"commit": "none"}, {"weight_bits": 7}), folder / "start")
    for name, shape in {"a": (96, 8, 40), "b": (24, 3, 170), "short": (7, 4, 24), "narrow": (32, 4, 4)}.items():
        np.save(folder / f"{name}.npy", smooth_scene(len(name), shape))
    np.save(folder / "broken.npy", smooth_scene(1) + 0.5)
    (folder / "others").mkdir()
    np.save(folder / OTHER, smooth_scene(5, (20, 5, 30)))
    return folder


def run(*arguments: Any) -> dict[str, Any]:
    result = CliRunner().invoke(finetune, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def tuned(folder: Path) -> Path:
    """A run to its end."""
    output = folder / "whole" / "mission"
    run(
        folder / "start", folder / "a.npy", folder / "b.npy", "-o", output, *SHORT, "--learning-rate", 0.01,
        "--others", folder / "others",
    )  # fmt: skip
    return output


def integers_of(package: IntegerPackage) -> dict[str, list[Any]]:
    return {name: tensor.tolist() for name, tensor in package.cell.tensors().items()}


def test_the_package_passes_its_self_test_and_restores_a_scene(tuned: Path) -> None:
    package = open_integer_package(tuned / "package")
    samples = smooth_scene(9, (9, 5, 12)).astype(np.int32)
    stream = stream_of(package, make_executor(package), samples, AdaptiveStage.BEST)
    check_restored(package, stream, samples)


def test_it_gains_and_says_where_it_comes_from(folder: Path, tuned: Path) -> None:
    start, package = open_integer_package(folder / "start"), open_integer_package(tuned / "package")
    report = json.loads((tuned / "report.json").read_text())
    assert report["written"] == "fine-tuned" and report["gain"] > 0
    assert report["package_sha256"] == package.sha256.hex()
    assert integers_of(package) != integers_of(start)
    training = package.manifest["training"]
    assert training["parent"] == {"name": "start", "sha256": start.sha256.hex()}
    assert [scene["name"] for scene in training["scenes"]] == ["a[0:72]", "b[0:18]", "a[72:96]", "b[18:24]"]
    assert set(report["own"]["bits_per_sample"]["start"]["best"]) == {"a[72:96]", "b[18:24]"}
    assert (training["epochs_done"], training["options"]["epochs"]) == (2, 2)
    assert str(folder) not in json.dumps(package.manifest)
    assert max(np.abs(layer.weight.astype(int)).max() for layer in package.cell.layers.values()) <= 63  # of 7 bits


def test_worth_is_what_the_stage_alone_takes_more(folder: Path, tuned: Path) -> None:
    report = json.loads((tuned / "report.json").read_text())
    package = open_integer_package(tuned / "package")
    samples = np.load(folder / OTHER).astype(np.int32)
    options = CodingOptions(predictor=PredictorKind.RLS)
    sizes = [compress_lines(iter(samples), describe(Scene(samples), None), tuned / "alone", options).n_bytes]
    sizes.append(len(stream_of(package, make_executor(package), samples, AdaptiveStage.BEST)))
    others = report["others"]
    assert report["others_are"] == "given" and list(others["stage_alone"]) == ["c"]
    assert others["worth"]["fine-tuned"]["c"] == pytest.approx(8 * (sizes[0] - sizes[1]) / samples.size)
    for found in (others, report["own"]):
        for name, alone in found["stage_alone"].items():
            for what, rates in found["bits_per_sample"].items():
                assert found["worth"][what][name] == alone - rates["best"][name]
    gains = [
        report["own"]["worth"]["fine-tuned"][name] - worth for name, worth in report["own"]["worth"]["start"].items()
    ]
    assert report["gain"] == pytest.approx(np.mean(gains))
    text = (tuned / "report.md").read_text()
    assert "worth, start" in text and "| c |" in text


def test_steps_that_move_nothing_leave_the_package_as_it_was(folder: Path) -> None:
    arguments = map(str, (folder / "start", folder / "a.npy", "-o", folder / "still", *SHORT, "--learning-rate", 1e-30))
    result = CliRunner().invoke(finetune, list(arguments), catch_exceptions=False)
    lines = result.output.splitlines()[-3:]
    assert lines[0] == f"{folder / 'still' / 'package'}: nothing gained: the package is that of the start"
    assert lines[2].startswith("worth on others (none given: the demo's synthetic scene): start ")
    report = json.loads((folder / "still" / "report.json").read_text())
    assert report["written"] == "start" and report["gain"] == 0 and report["others_worse"] == {}
    for found in (report["own"], report["others"]):
        assert found["bits_per_sample"]["start"] == found["bits_per_sample"]["fine-tuned"]
    start, package = open_integer_package(folder / "start"), open_integer_package(folder / "still" / "package")
    assert package.sha256 == start.sha256 and package.parts == start.parts  # its streams decode with either
    assert "Written: nothing gained" in (folder / "still" / "report.md").read_text()


def test_a_signed_start_that_is_kept_keeps_its_signature(folder: Path, tmp_path: Path) -> None:
    signed = shutil.copytree(folder / "start", tmp_path / "signed")
    (signed / SIGNATURE).write_text("of someone")
    (signed / "README.md").write_text("of nobody")
    run(signed, folder / "b.npy", "-o", tmp_path / "out", *SHORT, "--learning-rate", 1e-30, "--others", folder / OTHER)
    assert (tmp_path / "out" / "package" / SIGNATURE).read_text() == "of someone"
    assert not (tmp_path / "out" / "package" / "README.md").exists()


def test_others_that_get_worse_are_one_line() -> None:
    lost = worse({"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.0}, {"a": 0.05, "b": 0.25, "c": 0.1, "d": -0.0001})
    assert list(lost) == ["c", "a"]
    said = warning(lost)
    assert said is not None
    assert said.startswith("other scenes get worse: c by 0.2000 bits/sample and 1 more; give scenes of all")
    assert warning({}) is None


def test_streams_train_the_next_package(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An archive coded with the start, in both names of streams, gives the package that its images give."""
    images, archive = tmp_path / "images", tmp_path / "archive"
    for place in (images, archive):
        place.mkdir()
    options = CodingOptions(package=folder / "start", network=NetworkUse.ALWAYS)
    for name, suffix in (("a", ".lrwk"), ("b", ".lrwkv")):
        samples = np.load(folder / f"{name}.npy")
        shutil.copy(folder / f"{name}.npy", images)
        compress_lines(iter(samples), describe(Scene(samples), None), archive / f"{name}{suffix}", options)
    reports = []
    for place in (images, archive):
        output = tmp_path / place.name / "mission"
        reports.append(run(folder / "start", place, "-o", output, *SHORT, "--others", folder / OTHER))
    assert reports[0]["own"] == reports[1]["own"]
    assert reports[0]["package_sha256"] == reports[1]["package_sha256"]


def test_a_stream_of_another_package_asks_for_it(folder: Path, tuned: Path, tmp_path: Path) -> None:
    samples = np.load(folder / "b.npy")
    options = CodingOptions(package=tuned / "package", network=NetworkUse.ALWAYS)
    compress_lines(iter(samples), describe(Scene(samples), None), tmp_path / "b.lrwk", options)
    arguments = (folder / "start", tmp_path / "b.lrwk", "-o", tmp_path / "out", *SHORT, "--others", folder / OTHER)
    with pytest.raises(BadArgument, match=r"scene b: .*b.lrwk: .*needs the flight package .*; --package gives it$"):
        run(*arguments)
    report = run(*arguments, "--package", tuned / "package")
    assert str(tmp_path) not in json.dumps(open_integer_package(tmp_path / "out" / "package").manifest)
    assert list(report["own"]["stage_alone"]) == ["b[18:24]"]


def test_a_run_stopped_and_resumed_writes_the_same_bytes(folder: Path, tuned: Path) -> None:
    scenes = (folder / "a.npy", folder / "b.npy")
    output = folder / "parts" / "mission"
    arguments = (folder / "start", *scenes, "-o", output, *SHORT, "--learning-rate", 0.01, "--others", folder / OTHER)
    assert run(*arguments, "--max-minutes", 0)["epochs_done"] == 1
    for name, other in {"options": ("--seed", 1), "scenes": ("--held-out-lines", 3)}.items():
        with pytest.raises(BadArgument, match=f"started with other {name}: cannot resume"):
            run(*arguments, *other, "--resume")
    for _ in range(2):  # and once more when there is nothing left to do
        resumed = run(*arguments, "--resume")
        assert resumed["package_sha256"] == open_integer_package(tuned / "package").sha256.hex()


def test_a_validation_split_is_kept(folder: Path, tmp_path: Path) -> None:
    entries = [{"name": "a", "path": str(folder / "a.npy"), "split": "train"}]
    entries += [{"name": "b", "path": str(folder / "b.npy"), "split": "validation"}]
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    others = ("--others", folder / OTHER)
    report = run(
        folder / "start", tmp_path / "manifest.json", "-o", tmp_path / "out", *SHORT, "--held-out-lines", 9, *others
    )
    assert list(report["own"]["bits_per_sample"]["start"]["none"]) == ["b"]
    found = json.loads((tmp_path / "out" / "scenes.json").read_text())
    assert [(entry["name"], entry["split"], entry.get("line_range")) for entry in found] == [
        ("a", "train", None),
        ("b", "validation", [0, 9]),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "a.npy"), "package .*nowhere not found"),
        ((SHIPPED_FLOAT, "a.npy"), "is of arithmetic float32, allowed int8-v2"),
        (("start", "nothing.npy"), "nothing.npy not found"),
        (("start", "short.npy"), "scene short: 7 lines of 24 columns, allowed at least 8 of 5"),
        (("start", "narrow.npy"), "scene narrow: 32 lines of 4 columns, allowed at least 8 of 5"),
        (("start", "broken.npy"), "samples are not whole numbers"),
        (("start", "a.npy", "a.npy"), "two scenes are named a"),
        (("start", "start"), "start has no scene in split 'train'"),
        (("start", "a.npy", "--others", "nothing.npy"), "nothing.npy not found"),
        (
            ("start", "a.npy", "--others", "a.npy"),
            "other scene a is one of the mission, allowed those that do not train",
        ),
        (("start", "a.npy", "--others", OTHER, "--others", OTHER), "two other scenes are named c"),
        (("start", "a.npy", "--epochs", 0), "key epochs: found 0, allowed int at least 1"),
        (("start", "a.npy", "--learning-rate", -1), "key learning_rate: found -1.0, allowed finite number above 0"),
    ],
)
def test_bad_arguments_are_one_line(arguments: tuple[Any, ...], message: str, folder: Path, tmp_path: Path) -> None:
    names = ("nowhere", "start")
    given = [folder / a if str(a).endswith(".npy") or a in names else a for a in arguments]
    with pytest.raises(BadArgument, match=message) as caught:
        run(*given, "-o", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "package").exists()
