"""A package of arithmetic int8-v2: its bytes, its recorded lines, and the steps from the integers to the package."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from click.testing import CliRunner

from export.commands import export
from export.conformance import recorded_bands, recorded_sequence
from export.integer_evaluation import evaluate_line_part, evaluate_spectral_part, initial_state
from export.integer_package import integer_package_parts
from export.package_files import write_package
from export.shared_weights import WEIGHTS
from model.network.flight_config import FlightConfig
from quantize.integers_folder import write_integers
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES
from runtime.cell.integer_cell import CellShape, IntegerCell, cell_from_tensors, unpack_tensors
from runtime.errors import BadArgument
from tests.export.test_integer_graph import random_lines, run_tiles
from tests.reference import int8_cell
from tests.reference.random_cell import random_cell

SHAPE = CellShape(group=4, features=8, line_convolutions=2, line_blocks=1, spectral_features=5, band_convolutions=2)


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


@pytest.mark.parametrize("shape", [CellShape(1, 8, 1, 2, 4, 0), CellShape(3, 12, 3, 1, 6, 2)], ids=str)
def test_the_evaluation_equals_the_reference_in_any_tiling(shape: CellShape) -> None:
    cell = random_cell(shape, 2)
    n_bands, n_columns, generator = 7, 5, np.random.default_rng(4)
    lines, n_groups = random_lines(shape.group, 30, n_bands, n_columns, 3), shape.groups(n_bands)
    for tile in (1, 2, n_groups):
        state, expected = initial_state(cell, n_groups, n_columns), int8_cell.initial_state(cell, n_bands, n_columns)
        for line in lines:
            wanted, expected = int8_cell.line_part(cell, line["line_features"], line["levels"], expected)
            for n in range(0, n_groups, tile):
                groups = slice(n, n + tile)
                before = {name: values[groups] for name, values in state.items()}
                inputs = line["line_features"][groups], line["levels"][groups]
                contexts, after = evaluate_line_part(cell, *inputs, before)
                np.testing.assert_array_equal(contexts, wanted[groups])
                for name in expected:
                    state[name][groups] = after[name]
            band_features = generator.integers(-127, 128, (n_bands, n_columns, BAND_FEATURES))
            taps = evaluate_spectral_part(cell, wanted, band_features)
            np.testing.assert_array_equal(taps, int8_cell.spectral_part(cell, wanted, band_features))
        for name, values in expected.items():
            np.testing.assert_array_equal(state[name], values)


def test_the_recorded_lines_follow_from_the_reference(cell: IntegerCell) -> None:
    recorded = recorded_sequence(cell)
    n_lines, n_bands, n_columns = recorded.taps.shape[:3]
    state = int8_cell.initial_state(cell, n_bands, n_columns)
    for y in range(n_lines):
        contexts, state = int8_cell.line_part(cell, recorded.line_features[y], recorded.levels[y], state)
        np.testing.assert_array_equal(recorded.contexts[y], contexts)
        taps = int8_cell.spectral_part(cell, contexts, recorded.band_features[y])
        np.testing.assert_array_equal(recorded.taps[y], taps)
    for name, values in state.items():
        np.testing.assert_array_equal(recorded.states[name], values)
    assert len(np.unique(recorded.line_features[:6])) > 100  # the scene uses the range of its inputs
    assert not recorded.levels[:6, -1, :, LEVELS * (n_bands % SHAPE.group) :].any()  # no bands there


@pytest.mark.parametrize("group", range(1, 17))
def test_recorded_lines_have_full_groups_and_one_that_is_not(group: int) -> None:
    n_bands = recorded_bands(group)
    assert 8 <= n_bands <= 24 and n_bands > group
    assert n_bands % group or group == 1


def test_the_graph_of_a_package_passes_its_recorded_lines(parts: dict[str, bytes], cell: IntegerCell) -> None:
    manifest = json.loads(parts["manifest.json"])
    assert manifest["cells"] == {"line_step": "line_step.onnx"}
    recorded = unpack_tensors(parts["conformance.bin"], manifest["conformance"]["tensors"])
    n_lines = manifest["conformance"]["n_lines"]
    lines = [{name: recorded[name][y] for name in ("line_features", "levels")} for y in range(n_lines)]
    options = onnxruntime.SessionOptions()
    options.add_external_initializers_from_files_in_memory([WEIGHTS], [parts[WEIGHTS]], [len(parts[WEIGHTS])])
    session = onnxruntime.InferenceSession(parts["line_step.onnx"], options)
    for tile in (1, 2):
        contexts, state = run_tiles(cell, session, lines, tile)
        np.testing.assert_array_equal(contexts, recorded["contexts"])
        for spec in SHAPE.states():
            np.testing.assert_array_equal(state[spec.name], recorded[spec.name])


def test_the_manifest_tells_everything(parts: dict[str, bytes], cell: IntegerCell) -> None:
    manifest = json.loads(parts["manifest.json"])
    assert manifest["arithmetic"] == "int8-v2"
    assert manifest["format_version"] == 3
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
    layers = [cell.layers[spec.name] for spec in SHAPE.line_layers()]
    n_weights = sum(layer.weight.size + layer.bias.size for layer in layers)
    assert 4 * n_weights - 64 * len(layers) < len(parts[WEIGHTS]) < 4 * n_weights + 64 * 2 * len(layers)
    model = onnx.load_from_string(parts["line_step.onnx"])
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
    arguments = ["-o", str(tmp_path / "package"), *outputs, "--bands", "5", "--columns", "16", "--activation", "int8"]
    result = CliRunner().invoke(export, [str(folder), *arguments])
    assert result.exit_code == 0, result.output
    description = json.loads((tmp_path / "dense" / "accelerator.json").read_text())
    assert (description["activation"], description["n_groups"], description["n_columns"]) == ("int8", 2, 16)
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
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == [2, 7, 4 * LINE_FEATURES]
    assert [d.dim_value for d in model.graph.input[1].type.tensor_type.shape.dim] == [2, 1, 4 * LEVELS]
    assert json.loads(fixed["manifest.json"])["n_bands"] == 6
    write_package(fixed, tmp_path / "fixed.zip")
    assert (tmp_path / "fixed.zip").is_file()
