"""An exported package: ONNX Runtime equals PyTorch over 1000 lines, parts are checked, weights stored once."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from export.onnx_cell import OPSET
from export.package_files import write_package
from export.package_writer import package_parts
from export.shared_weights import WEIGHTS
from model.network.config import NetworkConfig
from model.network.network import LineRwkv
from runtime.cell.flight_package import NEXT, SHIPPED, FloatPackage, open_package, package_of_parts
from runtime.errors import BadArgument, Corrupt, ExecutorFailed, TooNew
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.float_network.predictor import NetworkPredictor, initial_states
from tests.model.network.test_network_properties import random_network, stepped
from tests.runtime.codec.coded_cube import SOURCES, decode, encode

CONFIG = NetworkConfig(features=8)


@pytest.fixture(scope="module")
def network() -> LineRwkv:
    return random_network(CONFIG, torch.float32)


@pytest.fixture(scope="module")
def parts(network: LineRwkv) -> dict[str, bytes]:
    return package_parts(network, "test", {"commit": "none", "data": "random"})


@pytest.fixture
def folder(parts: dict[str, bytes], tmp_path: Path) -> Path:
    write_package(parts, tmp_path / "package")
    return tmp_path / "package"


def run_lines(executor: ArrayExecutor, lines: np.ndarray, memory: Arrays, start: Arrays, tile: int) -> np.ndarray:
    """Corrections (Y - 1, Z, X); `memory` of lines is moved in place, every line begins with the states `start`."""
    n_bands, n_columns = lines.shape[1:]
    corrections = np.empty((len(lines) - 1, n_bands, n_columns), np.float32)
    for y in range(1, len(lines)):
        band = start
        for z in range(0, n_bands, tile):
            rows = slice(z, min(n_bands, z + tile))
            before = np.concatenate([np.zeros_like(lines[y, :1]), lines[y, :-1]])[rows]
            is_first = np.zeros((len(before), 1), np.float32)
            is_first[0] = z == 0
            inputs = {"line_before": lines[y - 1, rows], "band_before": before, "is_first_band": is_first}
            after = executor.run({**inputs, **{name: values[rows] for name, values in memory.items()}, **band})
            corrections[y - 1, rows] = after["correction"]
            for name, values in memory.items():
                values[rows] = after[name + NEXT]
            band = {name: after[name + NEXT] for name in band}
    return corrections


@pytest.mark.parametrize("tile", [1, 4])
def test_onnx_runtime_equals_pytorch_over_1000_lines(network: LineRwkv, folder: Path, tile: int) -> None:
    package = open_package(folder)
    assert isinstance(package, FloatPackage)
    generator = np.random.default_rng(0)
    lines = generator.standard_normal((1001, 4, 6)).astype(np.float32)
    memory, start = (initial_states(package, 4, 6, is_per_band=each) for each in (True, False))
    corrections = run_lines(OnnxRuntimeCell(package), lines, memory, start, tile)
    with torch.no_grad():
        expected = stepped(network, torch.from_numpy(lines), 4).numpy()
        line_state = network.initial_line_state(4, 6)
        for y in range(1, 1001):
            before = torch.from_numpy(np.concatenate([np.zeros_like(lines[y, :1]), lines[y, :-1]]))
            is_first = torch.tensor([[1.0], [0.0], [0.0], [0.0]])
            _, line_state, _ = network.step(
                torch.from_numpy(lines[y - 1]), before, is_first, line_state, network.initial_band_state(6)
            )
    # 1e-5 of the normalised range, which spans about 8 here; and 1e-4 of each state's largest value
    assert np.abs(corrections - expected).max() < 1e-5 * np.ptp(lines)
    for i, block in enumerate(line_state):
        for name, values in block._asdict().items():
            mine = memory[f"line_block{i}_{name}"]
            assert np.abs(mine - values.numpy()).max() <= 1e-4 * np.abs(values.numpy()).max(), name


def test_cells_are_sound_and_states_go_in_and_come_out(parts: dict[str, bytes]) -> None:
    manifest = json.loads(parts["manifest.json"])
    for cell in manifest["cells"].values():
        model = onnx.load_from_string(parts[cell])
        assert model.opset_import[0].version == OPSET == manifest["opset"]
        shapes = {}
        for value in (*model.graph.input, *model.graph.output):
            tensor = value.type.tensor_type
            shapes[value.name] = (tensor.elem_type, [d.dim_param or d.dim_value for d in tensor.shape.dim])
        for state in manifest["states"]:
            assert shapes[state["name"]] == shapes[state["name"] + "_next"]


def test_weights_are_stored_once(network: LineRwkv, parts: dict[str, bytes]) -> None:
    sizes = [4 * parameter.numel() for parameter in network.parameters()]
    assert sum(size for size in sizes if size >= 64) <= len(parts[WEIGHTS]) < 1.3 * sum(sizes)
    for cell in ("line_step.onnx", "band_step.onnx"):
        model = onnx.load_from_string(parts[cell])
        inline = [tensor for tensor in model.graph.initializer if len(tensor.raw_data) >= 64]
        assert inline == []
    assert not any(b"/" + name.encode() in data for data in parts.values() for name in ("site-packages", "tests"))


def test_folder_and_zip_are_the_same_package(parts: dict[str, bytes], folder: Path, tmp_path: Path) -> None:
    write_package(parts, tmp_path / "package.zip")
    zipped, unzipped = open_package(tmp_path / "package.zip"), open_package(folder)
    assert zipped.sha256 == unzipped.sha256
    data = encode(SOURCES["smooth"], zipped)
    np.testing.assert_array_equal(decode(data, unzipped), SOURCES["smooth"])


def test_a_shipped_package_is_found_by_its_name_where_no_file_has_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_package(Path("flight")).sha256 == open_package(SHIPPED).sha256
    folder.rename(tmp_path / "flight")
    assert open_package(Path("flight")).manifest["name"] == "test"
    for name in ("other", "sub/flight"):
        with pytest.raises(BadArgument, match=f"package {name} not found"):
            open_package(Path(name))


def test_static_shapes(network: LineRwkv, tmp_path: Path) -> None:
    static = package_parts(network, "static", {}, n_bands=6, n_columns=7)
    write_package(static, tmp_path / "static")
    model = onnx.load_from_string(static["line_step.onnx"])
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == [6, 7]
    package = open_package(tmp_path / "static")
    np.testing.assert_array_equal(decode(encode(SOURCES["smooth"], package), package), SOURCES["smooth"])


def changed_manifest(folder: Path, **values: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, **values}))


def test_damaged_packages_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="not found"):
        open_package(tmp_path / "nowhere")
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[100] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(weights))
    with pytest.raises(Corrupt, match=r"part weights.bin has sha256"):
        open_package(folder)
    (folder / WEIGHTS).unlink()
    with pytest.raises(Corrupt, match=r"part weights.bin is missing"):
        open_package(folder)
    changed_manifest(folder, format_version=4)
    with pytest.raises(TooNew, match="format version 4, this release reads up to 3"):
        open_package(folder)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(Corrupt, match=r"manifest.json: key format_version: found null, allowed int"):
        open_package(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(Corrupt, match=r"manifest.json is missing"):
        open_package(folder)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04broken")
    with pytest.raises(Corrupt, match="neither a folder nor a sound zip"):
        open_package(tmp_path / "broken.zip")


@pytest.mark.parametrize("change", ["absent", "of another shape"])
def test_a_cell_that_answers_otherwise_is_refused_by_its_output(parts: dict[str, bytes], change: str) -> None:
    broken = dict(parts)
    for name in ("line_step.onnx", "band_step.onnx"):
        model = onnx.load_from_string(parts[name])
        (last,) = (node for node in model.graph.node if "correction" in node.output)
        last.output[:] = ["inner"]
        model.graph.output[0].name = "other" if change == "absent" else "correction"
        where = onnx.helper.make_node("Concat", ["inner", "inner"], [model.graph.output[0].name], axis=0)
        model.graph.node.append(where)
        del model.graph.output[0].type.tensor_type.shape.dim[:]
        model.graph.output[0].type.tensor_type.ClearField("shape")
        broken[name] = model.SerializeToString()
    manifest = json.loads(parts["manifest.json"])
    manifest["parts"] = {name: hashlib.sha256(broken[name]).hexdigest() for name in manifest["parts"]}
    package = package_of_parts(Path("package"), {**broken, "manifest.json": json.dumps(manifest).encode()})
    assert isinstance(package, FloatPackage)
    predictor = NetworkPredictor(package, OnnxRuntimeCell(package), 0, 65535)
    line, mapped = np.zeros((4, 6), np.int32), np.zeros((4, 6), np.int32)
    state = predictor.encode_line(line, None, mapped)
    with pytest.raises(ExecutorFailed, match=r"output correction is (missing|float32 of shape)"):
        predictor.encode_line(line, state, mapped)


def test_an_arithmetic_of_an_older_release_is_named_with_the_way_on(folder: Path) -> None:
    changed_manifest(folder, format_version=2, arithmetic="int8-v1")
    with pytest.raises(BadArgument, match=r"arithmetic int8-v1 is of an older release, .* by linerwkv export"):
        open_package(folder)


def test_a_later_arithmetic_is_named(folder: Path) -> None:
    changed_manifest(folder, arithmetic="int4-v9")
    with pytest.raises(TooNew, match="'int4-v9'"):
        open_package(folder)
