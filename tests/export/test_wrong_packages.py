"""Packages that were rebuilt wrong, with right hashes: `linerwkv verify` names what differs."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from export.integer_package import integer_package_parts
from export.package_files import write_package
from runtime.cell.flight_package import IntegerPackage, open_package
from runtime.cell.integer_cell import CellShape, pack_tensors, unpack_tensors
from runtime.commands.cli import cli
from runtime.errors import Corrupt
from runtime.executors.executors import make_executor
from tests.reference.random_cell import random_cell

PYTORCH = "quantize.torch_executor:load_eager"
ONNXRUNTIME = "onnxruntime"
SPECTRAL = "spectral part"
PARTS = ["manifest.json", "weights.bin", "integers.bin", "conformance.bin", "line_step.onnx"]

Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def parts() -> Parts:
    return integer_package_parts(random_cell(CellShape(1, 8, 2, 1, 5, 2), 1), "test", {}, {})


def hashed(parts: Parts) -> Parts:
    """The parts with a manifest that names their present hashes."""
    manifest = json.loads(parts["manifest.json"])
    manifest["parts"] = {name: hashlib.sha256(parts[name]).hexdigest() for name in manifest["parts"]}
    return {**parts, "manifest.json": json.dumps(manifest).encode()}


def verify(parts: Parts, folder: Path, executor: str) -> Result:
    write_package(parts, folder / "package")
    return CliRunner().invoke(cli, ["verify", str(folder / "package"), "--executor", executor, "--json"])


def rows(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.output)["rows"]
    return found


def wrong_weight(parts: Parts) -> Parts:
    """One weight of the graphs is larger by its unit."""
    weights = bytearray(parts["weights.bin"])
    initializer = max(onnx.load_from_string(parts["line_step.onnx"]).graph.initializer, key=lambda t: len(t.dims))
    place = {entry.key: entry.value for entry in initializer.external_data}
    values = np.frombuffer(weights, np.float32, int(place["length"]) // 4, int(place["offset"]))
    values[values != 0] *= 2
    return {**parts, "weights.bin": bytes(weights)}


def wrong_graph(parts: Parts, change: Callable[[onnx.NodeProto], None], operator: str) -> Parts:
    """The graph with its last node of this operator changed."""
    model = onnx.load_from_string(parts["line_step.onnx"])
    change([node for node in model.graph.node if node.op_type == operator][-1])
    return {**parts, "line_step.onnx": model.SerializeToString()}


def without_floor(parts: Parts) -> Parts:
    """The contexts are not rounded down: a Clip without bounds gives what it takes."""

    def change(node: onnx.NodeProto) -> None:
        node.op_type = "Clip"

    return wrong_graph(parts, change, "Floor")


def wrong_integers(parts: Parts, name: str, index: int, add: int) -> Parts:
    """One number of the integers is another."""
    table = json.loads(parts["manifest.json"])["integers"]["tensors"]
    tensors = unpack_tensors(parts["integers.bin"], table)
    tensors[name].flat[index] += add
    return {**parts, "integers.bin": pack_tensors(tensors)[0]}


def wrong_recording(parts: Parts, name: str) -> Parts:
    """One recorded number is another."""
    table = json.loads(parts["manifest.json"])["conformance"]["tensors"]
    tensors = unpack_tensors(parts["conformance.bin"], table)
    tensors[name][3, 4, 5, 1] += 1
    return {**parts, "conformance.bin": pack_tensors(tensors)[0]}


WRONG: dict[str, tuple[Callable[[Parts], Parts], tuple[str, ...]]] = {
    "weights of the graph": (wrong_weight, (ONNXRUNTIME,)),
    "no Floor": (without_floor, (ONNXRUNTIME,)),
    "an integer weight": (lambda parts: wrong_integers(parts, "blocks.0.mix.weight", 3, 1), (PYTORCH,)),
    "an integer scale": (lambda parts: wrong_integers(parts, "context.shift", 0, 1), (PYTORCH,)),
    "a rate": (lambda parts: wrong_integers(parts, "blocks.0.exponent", 0, -1), (PYTORCH,)),
    "a weight of the spectral part": (lambda parts: wrong_integers(parts, "decoder.weight", 3, 1), (SPECTRAL,)),
    "a scale of the spectral part": (lambda parts: wrong_integers(parts, "taps.shift", 0, 1), (SPECTRAL,)),
    "the recorded contexts": (
        lambda parts: wrong_recording(parts, "contexts"), (ONNXRUNTIME, PYTORCH, SPECTRAL),
    ),
    "the recorded taps": (lambda parts: wrong_recording(parts, "taps"), (SPECTRAL,)),
}  # fmt: skip
"""Name: what is wrong, and what it leads astray; the rest is built from parts that are right."""


@pytest.mark.parametrize("executor", [ONNXRUNTIME, PYTORCH])
def test_a_right_package_is_equal(parts: Parts, tmp_path: Path, executor: str) -> None:
    result = verify(hashed(parts), tmp_path, executor)
    assert result.exit_code == 0, result.output
    assert {row["finding"] for row in rows(result)} == {"equal"}
    assert {row["tile"] for row in rows(result)} == {"1", "8", "all", ""}


def test_onnx_runtime_is_held_in_every_setting(parts: Parts, tmp_path: Path) -> None:
    found = {(row["setting"], row["tile"]) for row in rows(verify(parts, tmp_path, ONNXRUNTIME))}
    settings = {f"1 thread, {level} graph optimisation" for level in ("no", "basic", "extended", "all")}
    settings.add("2 threads, all graph optimisation")
    of_the_executor = {(setting, tile) for setting in settings for tile in ("1", "8", "all")}
    assert found == of_the_executor | {("compiled on this machine", "")}


@pytest.mark.parametrize("executor", [ONNXRUNTIME, PYTORCH])
@pytest.mark.parametrize("name", WRONG)
def test_verify_names_what_differs(name: str, executor: str, parts: Parts, tmp_path: Path) -> None:
    change, astray = WRONG[name]
    wrong = hashed(change(parts))
    assert wrong != hashed(parts)
    result = verify(wrong, tmp_path, executor)
    is_right = executor not in astray and SPECTRAL not in astray
    assert result.exit_code == (0 if is_right else 1), result.output
    for row in rows(result):
        is_wrong = (SPECTRAL if row["executor"] == SPECTRAL else executor) in astray
        assert row["is_equal"] == (not is_wrong)
        assert ("expected" in row["finding"]) == is_wrong
    package = open_package(tmp_path / "package")
    if is_right:
        make_executor(package, executor)
        return
    with pytest.raises(Corrupt, match="failed the self-test"):
        make_executor(package, executor)


@pytest.mark.parametrize("name", PARTS[1:])
def test_one_wrong_byte_in_any_part_is_refused_by_its_hash(name: str, parts: Parts, tmp_path: Path) -> None:
    package = tmp_path / "package"
    write_package(parts, package)
    generator = np.random.default_rng(len(name))
    for place in (0, len(parts[name]) - 1, *generator.integers(0, len(parts[name]), 20)):
        damaged = bytearray(parts[name])
        damaged[place] ^= 1 << int(generator.integers(8))
        (package / name).write_bytes(damaged)
        with pytest.raises(Corrupt, match=f"part {name} has sha256"):
            open_package(package)
    assert set(PARTS) == set(parts)


def test_another_manifest_is_another_package(parts: Parts, tmp_path: Path) -> None:
    """The manifest has no hash beside it: its own is the identity that streams carry."""
    write_package(parts, tmp_path / "package")
    before = open_package(tmp_path / "package")
    shutil.copytree(tmp_path / "package", tmp_path / "other")
    text = parts["manifest.json"].replace(b'"name": "test"', b'"name": "tesu"', 1)
    (tmp_path / "other" / "manifest.json").write_bytes(text)
    other = open_package(tmp_path / "other")
    assert isinstance(other, IntegerPackage)
    assert other.sha256 != before.sha256
