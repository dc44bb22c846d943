"""From a checkpoint to integers on disk, as a user calls it; and what calibration and report say."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.scenes.scene_list import load_scenes
from model.training.lightning_module import LineRwkvTraining
from model.training.train import load_checkpoint
from model.training.training_config import TrainingConfig
from quantize.calibration import choose_exponents, layer_statistics, output_errors, saturated_shares
from quantize.commands import quantize_command
from quantize.finetune import load_quantized
from quantize.flight_layers import quantized_layers, quantized_network, take_weights
from quantize.integers import exact_network, integer_cell
from quantize.integers_folder import read_integers
from quantize.pipeline import QuantizeOptions, calibration_crops
from quantize.recipe import SHIPPED_RECIPE, recipe_values
from quantize.sensitivity import EVERYTHING, losses, middle
from runtime.errors import BadArgument
from tests.model.conftest import scene_folder, smooth_scene, tiny_config  # noqa: F401  # fixtures


@pytest.fixture
def flight_config(tiny_config: TrainingConfig) -> TrainingConfig:  # noqa: F811  # the fixture
    schedule = replace(tiny_config.schedule, epochs=1, final_epochs=0, loss="rate")
    data = replace(tiny_config.data, crop_lines=8)
    return replace(tiny_config, name="flight", network=FlightConfig(group=3, features=6), schedule=schedule, data=data)


def saved(config: TrainingConfig) -> Path:
    """The checkpoint of a network that was not trained."""
    torch.manual_seed(0)
    path = Path(config.output).parent / f"{config.name}.ckpt"
    state = {"hyper_parameters": {"config": config.to_dict()}, "state_dict": LineRwkvTraining(config, []).state_dict()}
    torch.save(state, path)
    return path


@pytest.fixture
def checkpoint(flight_config: TrainingConfig) -> Path:
    return saved(flight_config)


def run(*arguments: Any) -> dict[str, Any]:
    result = CliRunner().invoke(quantize_command, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output.splitlines()[-1])
    return found


SHIPPED = recipe_values(SHIPPED_RECIPE)
SHORT = ("--epochs", 2, "--batches", 2, "--calibration-batches", 1)


def test_integers_report_and_run_are_written(checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / "int8"
    printed = run(checkpoint, "-o", output, "--validation-lines", 12, *SHORT)
    report = json.loads((output / "report.json").read_text())
    assert printed["bits_per_sample"] == report["bits_per_sample"]
    assert list(report["bits_per_sample"]) == ["float", "int8", "float fine-tuned", "int8 fine-tuned"]
    assert all(abs(loss) < 0.05 for loss in report["loss_by_rounding"].values())
    cell, description = read_integers(output)
    assert [row["layer"] for row in report["layers"]] == list(cell.layers)
    assert max(row["largest_sum"] for row in report["layers"]) < 1 << 24
    assert {"taps", "blocks.0.memory", EVERYTHING} < set(report["cost_alone"])
    assert description["provenance"]["weight_bits"] == 7 and description["architecture"]["preset"] == "flight"
    tuned = integer_cell(load_quantized(output / "qat" / "last.ckpt").network)  # type: ignore[arg-type]  # it is one
    if report["written"] == "int8 fine-tuned":
        for name, tensor in tuned.tensors().items():
            np.testing.assert_array_equal(tensor, cell.tensors()[name], err_msg=name)
    assert "## What costs most" in (output / "report.md").read_text()
    for path in (output / "integers.json", output / "report.json"):
        assert str(tmp_path) not in path.read_text()


def test_a_fine_tuning_stopped_and_resumed_equals_one_that_was_not(checkpoint: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(checkpoint, "-o", whole, *SHORT)
    run(checkpoint, "-o", parts, *SHORT, "--max-minutes", 0)
    with pytest.raises(BadArgument, match="weight_bits is 7, not 8: cannot resume"):
        run(checkpoint, "-o", parts, *SHORT, "--resume", "--weight-bits", 8)
    run(checkpoint, "-o", parts, *SHORT, "--resume")
    one, other = (load_quantized(folder / "qat" / "last.ckpt").state_dict() for folder in (whole, parts))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    assert json.loads((whole / "report.json").read_text()) == json.loads((parts / "report.json").read_text()) | {
        "options": json.loads((whole / "report.json").read_text())["options"]
    }


def test_fine_tuning_moves_weights_and_leaves_rates(checkpoint: Path, tmp_path: Path) -> None:
    run(checkpoint, "-o", tmp_path / "int8", *SHORT)
    before = load_checkpoint(checkpoint)[0].network.state_dict()
    after = load_quantized(tmp_path / "int8" / "qat" / "last.ckpt").network.state_dict()
    assert torch.equal(before["blocks.0.memory.rate"], after["blocks.0.memory.rate"])
    assert all(not torch.equal(before[name], after[name]) for name in before if name.endswith("weight"))


def test_the_shipped_recipe_is_the_default(checkpoint: Path, scene_folder: Path, tmp_path: Path) -> None:  # noqa: F811
    output = tmp_path / "int7"
    report = run(checkpoint, "-o", output, "--manifest", scene_folder / "manifest.json")
    assert report["written"] == "int8"
    cell, description = read_integers(output)
    assert max(np.abs(layer.weight.astype(int)).max() for layer in cell.layers.values()) == 63
    assert not (output / "qat").exists()
    found = description["provenance"]["options"]
    assert {name: found[name] for name in SHIPPED} == SHIPPED


def test_options_come_before_the_recipe_and_it_before_the_defaults(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("weight_bits = 8\nseed = 3")
    run(checkpoint, "-o", tmp_path / "out", "--recipe", tmp_path / "own.toml", "--seed", 4)
    found = read_integers(tmp_path / "out")[1]["provenance"]["options"]
    assert (found["weight_bits"], found["seed"], found["epochs"]) == (8, 4, 0)


@pytest.mark.parametrize(("batch_size", "n_batches"), [(1, 32), (3, 11), (32, 1), (40, 1)])
def test_a_calibration_sees_as_many_crops_whatever_the_batch(
    flight_config: TrainingConfig,
    batch_size: int,
    n_batches: int,
) -> None:
    config = replace(flight_config, data=replace(flight_config.data, batch_size=batch_size))
    crops = calibration_crops(config, load_scenes(config.data, "train"), QuantizeOptions())
    assert [len(batch.target) for batch in crops] == [batch_size] * n_batches


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.ckpt",), "checkpoint missing.ckpt not found"),
        (("{checkpoint}", "--weight-bits", 5), "key weight_bits: found 5, allowed 6, 7, 8"),
        (("{checkpoint}", "--epochs", -1), "key epochs: found -1, allowed int at least 0"),
        (("{checkpoint}", "--learning-rate", 0), "key learning_rate: found 0.0, allowed finite number above 0"),
        (("{checkpoint}", "--manifest", "nothing.json"), "scene manifest nothing.json"),
    ],
)
def test_bad_arguments_are_one_line(arguments: tuple[Any, ...], message: str, checkpoint: Path, tmp_path: Path) -> None:
    given = [checkpoint if argument == "{checkpoint}" else argument for argument in arguments]
    with pytest.raises(BadArgument, match=message) as caught:
        run(*given, "-o", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_only_a_float_flight_checkpoint_is_taken(
    tiny_config: TrainingConfig,  # noqa: F811  # the fixture
    checkpoint: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(BadArgument, match="is not of the flight preset"):
        run(saved(tiny_config), "-o", tmp_path / "out")
    run(checkpoint, "-o", tmp_path / "int8", *SHORT)
    tuned = tmp_path / "int8" / "qat" / "last.ckpt"
    with pytest.raises(BadArgument, match="is quantized already"):
        run(tuned, "-o", tmp_path / "out")
    with pytest.raises(BadArgument, match="its weights are not those of a float network"):
        load_checkpoint(tuned)
    with pytest.raises(BadArgument, match="is not of a fine-tuning"):
        load_quantized(checkpoint)
    garbage = tmp_path / "garbage.ckpt"
    garbage.write_bytes(b"no checkpoint")
    with pytest.raises(BadArgument, match="cannot be read"):
        run(garbage, "-o", tmp_path / "out")


def test_damaged_integers_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / "int8"
    run(checkpoint, "-o", output, "--epochs", 0)
    block = bytearray((output / "integers.bin").read_bytes())
    block[0] ^= 1
    (output / "integers.bin").write_bytes(block)
    with pytest.raises(BadArgument, match=r"is not what integers\.json describes"):
        read_integers(output)
    (output / "integers.json").write_text("{}")
    with pytest.raises(BadArgument, match="no integers of a quantized network"):
        read_integers(output)
    with pytest.raises(BadArgument, match="no integers of a quantized network"):
        read_integers(tmp_path / "nowhere")


def test_calibration_never_chooses_the_worse_exponent(checkpoint: Path) -> None:
    module, config = load_checkpoint(checkpoint)
    network = module.network
    assert isinstance(network, FlightNetwork) and isinstance(config.network, FlightConfig)
    crops = calibration_crops(config, load_scenes(config.data, "train"), QuantizeOptions(seed=1, calibration_batches=2))
    with torch.no_grad():
        for parameter in network.parameters():  # one weight far above the others: clipping it can pay
            parameter.view(-1)[0] *= 3
    statistics = layer_statistics(network, crops, 0)
    quantized = quantized_network(config.network)
    take_weights(quantized, network.state_dict())
    rows = {name: torch.cat(found.rows) for name, found in statistics.items()}
    with torch.no_grad():
        before = {name: output_errors(layer, rows[name]) for name, layer in quantized_layers(quantized)}
        n_finer = choose_exponents(quantized, statistics)
        for name, layer in quantized_layers(quantized):
            after = output_errors(layer, rows[name])
            assert bool((after <= before[name]).all())
            assert int((after < before[name]).sum()) == n_finer[name]
    assert sum(n_finer.values()) > 0
    cell = integer_cell(quantized)
    shares = saturated_shares(exact_network(cell), crops)
    assert set(shares) == set(statistics)
    assert all(low >= 0 and high >= 0 and low + high <= 1 for low, high in shares.values())
    for name, found in statistics.items():
        assert found.n == rows[name].shape[0] * len(cell.layers[name].bias)
        assert shares[name][0] == pytest.approx(found.at_low / found.n, abs=0.1)


def test_each_part_is_measured_alone_and_all_are_on_afterwards(checkpoint: Path) -> None:
    module, config = load_checkpoint(checkpoint)
    assert isinstance(config.network, FlightConfig)
    quantized = quantized_network(config.network)
    take_weights(quantized, module.network.state_dict())
    cell = integer_cell(quantized)
    crop = middle(smooth_scene(9, (50, 120, 60)).astype(np.int32))
    assert crop.shape == (33, 96, 48)
    small = np.ascontiguousarray(crop[:5, :4, :8])
    costs = losses(quantized, [small])
    assert len(costs) == len(cell.layers) + 1 + 3
    for name, tensor in integer_cell(quantized).tensors().items():
        np.testing.assert_array_equal(tensor, cell.tensors()[name])
