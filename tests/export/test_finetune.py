"""A package adapted to scenes: never worse than its start, resumable to the byte, its scenes on record."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from export.coded_scene import check_restored, stream_of
from export.finetune_command import finetune
from export.integer_package import integer_package_parts
from export.package_files import write_package
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from runtime.cell.flight_package import SHIPPED_FLOAT, IntegerPackage, open_integer_package
from runtime.errors import BadArgument
from runtime.executors.executors import make_executor
from runtime.stream.kinds import AdaptiveStage
from tests.model.conftest import smooth_scene
from tests.quantize.test_dequantized import quantized

SHORT = ("--epochs", 2, "--batches", 20, "--calibration-batches", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package, `start`, of a network that is worse than nothing, and scenes of different numbers of bands."""
    folder = tmp_path_factory.mktemp("mission")
    torch.manual_seed(0)
    network = FlightNetwork(FlightConfig(features=6))
    with torch.no_grad():
        network.taps.bias.add_(torch.randn_like(network.taps.bias))
    cell = quantized(network, 7, 1)
    write_package(integer_package_parts(cell, "start", {"commit": "none"}, {"weight_bits": 7}), folder / "start")
    for name, shape in {"a": (96, 8, 40), "b": (24, 1, 17), "short": (7, 4, 24), "narrow": (32, 4, 4)}.items():
        np.save(folder / f"{name}.npy", smooth_scene(len(name), shape))
    np.save(folder / "broken.npy", smooth_scene(1) + 0.5)
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
    run(folder / "start", folder / "a.npy", folder / "b.npy", "-o", output, *SHORT, "--learning-rate", 0.03)
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
    assert set(report["bits_per_sample"]["start"]["best"]) == {"a[72:96]", "b[18:24]"}
    assert (training["epochs_done"], training["options"]["epochs"]) == (2, 2)
    assert str(folder) not in json.dumps(package.manifest)
    assert max(np.abs(layer.weight.astype(int)).max() for layer in package.cell.layers.values()) <= 63  # of 7 bits


def test_steps_that_move_nothing_leave_the_integers(folder: Path) -> None:
    report = run(folder / "start", folder / "a.npy", "-o", folder / "still", *SHORT, "--learning-rate", 1e-30)
    assert report["written"] == "start" and report["gain"] == 0
    assert report["bits_per_sample"]["start"] == report["bits_per_sample"]["fine-tuned"]
    start, package = open_integer_package(folder / "start"), open_integer_package(folder / "still" / "package")
    assert integers_of(package) == integers_of(start)
    assert package.manifest["quantization"]["written"] == "start"


def test_a_run_stopped_and_resumed_writes_the_same_bytes(folder: Path, tuned: Path) -> None:
    scenes = (folder / "a.npy", folder / "b.npy")
    arguments = (folder / "start", *scenes, "-o", folder / "parts" / "mission", *SHORT, "--learning-rate", 0.03)
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
    report = run(folder / "start", tmp_path / "manifest.json", "-o", tmp_path / "out", *SHORT, "--held-out-lines", 9)
    assert list(report["bits_per_sample"]["start"]["none"]) == ["b"]
    found = json.loads((tmp_path / "out" / "scenes.json").read_text())
    assert [(entry["name"], entry["split"], entry.get("line_range")) for entry in found] == [
        ("a", "train", None),
        ("b", "validation", [0, 9]),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "a.npy"), "package .*nowhere not found"),
        ((SHIPPED_FLOAT, "a.npy"), "is of arithmetic float32, allowed int8-v1"),
        (("start", "nothing.npy"), "nothing.npy not found"),
        (("start", "short.npy"), "scene short: 7 lines of 24 columns, allowed at least 8 of 5"),
        (("start", "narrow.npy"), "scene narrow: 32 lines of 4 columns, allowed at least 8 of 5"),
        (("start", "broken.npy"), "samples are not whole numbers"),
        (("start", "a.npy", "a.npy"), "two scenes are named a"),
        (("start", "start"), "start has no scene in split 'train'"),
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
