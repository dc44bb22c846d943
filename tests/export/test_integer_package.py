"""A package of arithmetic int8-v1: its bytes, its recorded lines, and the steps from the integers to the package."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from click.testing import CliRunner

from export.commands import export
from export.conformance import recorded_sequence
from export.integer_evaluation import evaluate_step, initial_state
from export.integer_package import integer_package_parts
from export.package_files import write_package
from export.shared_weights import WEIGHTS
from model.network.flight_config import FlightConfig
from quantize.integers_folder import write_integers
from runtime.cell.flight_inputs import LINE_FEATURES
from runtime.cell.integer_cell import CellShape, IntegerCell, cell_from_tensors, unpack_tensors
from runtime.errors import BadArgument
from tests.export.test_integer_graph import random_lines, run_tiles
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell

SHAPE = CellShape(8, 2, 1, 2)


@pytest.fixture(scope="module")
def cell() -> IntegerCell:
    return random_cell(SHAPE, 1)


@pytest.fixture(scope="module")
def parts(cell: IntegerCell) -> dict[str, bytes]:
    return integer_package_parts(cell, "test", {"commit": "none"}, {"weight_bits": 8})


def quantized(cell: IntegerCell, folder: Path) -> Path:
    folder.mkdir()
    config = FlightConfig.from_dict(dict(cell.shape.__dict__))
    write_integers(folder, cell, config, {"name": "cell", "data": {"manifest": "abc"}, "weight_bits": 8})
    return folder


@pytest.mark.parametrize("shape", [CellShape(8, 1, 2, 0), CellShape(12, 3, 1, 2)], ids=str)
def test_the_evaluation_equals_the_reference_in_any_tiling(shape: CellShape) -> None:
    cell = random_cell(shape, 2)
    lines = random_lines(30, 5, 7, 3)
    for tile in (1, 2, 5):
        state, expected = initial_state(cell, 5, 7), int8_cell.initial_state(cell, 5, 7)
        bands = {spec.name: state[spec.name] for spec in shape.states() if not spec.is_per_band}
        for line in lines:
            wanted, expected = int8_cell.step(cell, line["line_features"], line["band_features"], expected)
            context = bands
            for z in range(0, 5, tile):
                rows = slice(z, z + tile)
                rows_state = {name: state[name][rows] for name in expected} | context
                taps, after = evaluate_step(cell, line["line_features"][rows], line["band_features"][rows], rows_state)
                np.testing.assert_array_equal(taps, wanted[rows])
                context = {name: after[name] for name in bands}
                for name in expected:
                    state[name][rows] = after[name]
        for name, values in expected.items():
            np.testing.assert_array_equal(state[name], values)


def test_the_recorded_lines_follow_from_the_reference(cell: IntegerCell) -> None:
    recorded = recorded_sequence(cell)
    n_lines, n_bands, n_columns = recorded.taps.shape[:3]
    state = int8_cell.initial_state(cell, n_bands, n_columns)
    for y in range(n_lines):
        taps, state = int8_cell.step(cell, recorded.line_features[y], recorded.band_features[y], state)
        np.testing.assert_array_equal(recorded.taps[y], taps)
    for name, values in state.items():
        np.testing.assert_array_equal(recorded.states[name], values)
    assert len(np.unique(recorded.line_features[:6])) > 100  # the scene uses the range of its inputs


def test_the_cells_of_a_package_pass_its_recorded_lines(parts: dict[str, bytes], cell: IntegerCell) -> None:
    manifest = json.loads(parts["manifest.json"])
    recorded = unpack_tensors(parts["conformance.bin"], manifest["conformance"]["tensors"])
    lines = [
        {name: recorded[name][y] for name in ("line_features", "band_features")}
        for y in range(manifest["conformance"]["n_lines"])
    ]
    for name, tile in (("line_step", manifest["tile_bands"]), ("band_step", 1)):
        options = onnxruntime.SessionOptions()
        options.add_external_initializers_from_files_in_memory([WEIGHTS], [parts[WEIGHTS]], [len(parts[WEIGHTS])])
        session = onnxruntime.InferenceSession(parts[manifest["cells"][name]], options)
        taps, state = run_tiles(cell, session, lines, tile)
        np.testing.assert_array_equal(taps, recorded["taps"])
        for state_name in (spec.name for spec in SHAPE.states() if spec.is_per_band):
            np.testing.assert_array_equal(state[state_name], recorded[state_name])


def test_the_manifest_tells_everything(parts: dict[str, bytes], cell: IntegerCell) -> None:
    manifest = json.loads(parts["manifest.json"])
    assert manifest["arithmetic"] == "int8-v1"
    assert CellShape.from_dict(manifest["architecture"]) == SHAPE
    assert max(manifest["largest_sums"].values()) < 1 << 24
    assert [state["name"] for state in manifest["states"]] == [state.name for state in SHAPE.states()]
    assert manifest["parts"] == {
        name: hashlib.sha256(data).hexdigest() for name, data in sorted(parts.items()) if name != "manifest.json"
    }
    tensors = unpack_tensors(parts["integers.bin"], manifest["integers"]["tensors"])
    again = cell_from_tensors(SHAPE, tensors)
    for name, tensor in cell.tensors().items():
        np.testing.assert_array_equal(again.tensors()[name], tensor)


def test_equal_input_gives_equal_bytes_and_weights_are_stored_once(parts: dict[str, bytes], cell: IntegerCell) -> None:
    assert integer_package_parts(cell, "test", {"commit": "none"}, {"weight_bits": 8}) == parts
    n_weights = sum(layer.weight.size + layer.bias.size for layer in cell.layers.values())
    assert 4 * n_weights < len(parts[WEIGHTS]) < 4 * n_weights + 64 * 2 * len(cell.layers)
    for name in ("line_step.onnx", "band_step.onnx"):
        model = onnx.load_from_string(parts[name])
        assert [tensor.name for tensor in model.graph.initializer if len(tensor.raw_data) >= 64] == []


def test_export_takes_the_folder_of_quantize(cell: IntegerCell, tmp_path: Path) -> None:
    folder = quantized(cell, tmp_path / "quantized")
    result = CliRunner().invoke(export, [str(folder), "-o", str(tmp_path / "package"), "--json"])
    assert result.exit_code == 0, result.output
    manifest = json.loads(result.output)
    assert (manifest["name"], manifest["training"]["data"]) == ("cell", {"manifest": "abc"})
    assert len(manifest["training"]["commit"]) in (40, len("unknown"))
    assert manifest["quantization"] == {"weight_bits": 8, "name": "cell"}
    files = {file.name for file in (tmp_path / "package").iterdir()}
    assert files == {"manifest.json", *manifest["parts"]}


def test_export_writes_what_compilers_take(cell: IntegerCell, tmp_path: Path) -> None:
    folder = quantized(cell, tmp_path / "quantized")
    outputs = ["--accelerator", str(tmp_path / "dense"), "--qonnx", str(tmp_path / "dense.qonnx")]
    arguments = ["-o", str(tmp_path / "package"), *outputs, "--columns", "16", "--activation", "int8"]
    result = CliRunner().invoke(export, [str(folder), *arguments])
    assert result.exit_code == 0, result.output
    description = json.loads((tmp_path / "dense" / "accelerator.json").read_text())
    assert (description["activation"], description["n_bands"], description["n_columns"]) == ("int8", 4, 16)
    for entry in description["subgraphs"]:
        model = onnx.load(tmp_path / "dense" / entry["file"])
        assert [value.name for value in model.graph.input] == list(entry["inputs"])
    whole = onnx.load(tmp_path / "dense.qonnx")
    assert {entry.domain for entry in whole.opset_import} == {"", "qonnx.custom_op.general"}
    refused = CliRunner().invoke(export, [str(tmp_path), *arguments]).exception
    assert isinstance(refused, BadArgument)


def test_a_damaged_folder_is_refused(cell: IntegerCell, tmp_path: Path) -> None:
    folder = quantized(cell, tmp_path / "quantized")
    record = json.loads((folder / "integers.json").read_text())
    (folder / "integers.json").write_text(json.dumps(record | {"tensors": 7}))
    arguments = [str(folder), "-o", str(tmp_path / "package")]
    assert isinstance(CliRunner().invoke(export, arguments).exception, BadArgument)
    (folder / "integers.bin").unlink()
    assert isinstance(CliRunner().invoke(export, arguments).exception, BadArgument)
    assert not (tmp_path / "package").exists()


def test_fixed_shapes_and_zip(cell: IntegerCell, tmp_path: Path) -> None:
    fixed = integer_package_parts(cell, "fixed", {}, {}, n_bands=6, n_columns=7)
    model = onnx.load_from_string(fixed["line_step.onnx"])
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == [6, 7, LINE_FEATURES]
    assert json.loads(fixed["manifest.json"])["tile_bands"] == 6
    write_package(fixed, tmp_path / "fixed.zip")
    assert (tmp_path / "fixed.zip").is_file()
