"""From a float checkpoint to the integers of the cell: calibrate, fine-tune, measure, write."""

import hashlib
import importlib.metadata
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import lightning
import numpy as np
import torch

from model.batches.batches import WHOLE
from model.batches.flight_batches import FlightBatch, FlightBatches, FlightPlan
from model.evaluation import flight_evaluate
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.scenes.scene import Scene
from model.scenes.scene_list import load_scenes
from model.training.train import load_checkpoint, say, stored_checkpoint
from model.training.training_config import Amount, Rate, Seed, TrainingConfig
from quantize.calibration import LayerStatistics, choose_exponents, layer_statistics, saturated_shares
from quantize.coded_rate import coded_size
from quantize.finetune import RUN, finetune, finetuning_config
from quantize.flight_layers import WEIGHT_BITS, quantized_network, take_weights
from quantize.integers import exact_network, integer_cell
from quantize.integers_folder import write_integers
from quantize.report import REPORTS, markdown, write_report
from quantize.report_rows import layer_rows, memory_rows
from quantize.sensitivity import losses, middle, set_all
from runtime.cell.integer_cell import ARITHMETIC, IntegerCell
from runtime.checked_table import AtLeast0, AtLeast1
from runtime.errors import BadArgument
from runtime.output_checks import check_files

CALIBRATION_EPOCH = 1 << 20
"""Crops that no training draws."""
CALIBRATION_CROPS = 32
SENSITIVITY_SCENES = 2
UNROUNDED = {"int8": "float", "int8 fine-tuned": "float fine-tuned"}
"""Whose weights are whose: a fine-tuning also continues the training, which says nothing about the rounding."""


@dataclass(frozen=True)
class QuantizeOptions:
    """What a run of `quantize` may choose."""

    weight_bits: int = 7
    """8 is the finest that the cell allows; accelerators need 7 or 6."""
    epochs: AtLeast0 = 0
    """Of fine-tuning; 0: none."""
    batches: AtLeast1 = 50
    """Of an epoch."""
    learning_rate: Rate = 3e-4
    """At the first step; it falls linearly to a fiftieth."""
    seed: Seed = 0
    max_minutes: Amount | None = None
    """Of fine-tuning."""
    calibration_batches: AtLeast1 | None = None
    """Of the training; None: as many as have CALIBRATION_CROPS crops."""
    validation_lines: AtLeast0 = 0
    """Lines of each validation scene that are coded; 0: all."""
    manifest: Path | None = None
    """Scenes instead of those of the checkpoint."""
    resume: bool = False

    def __post_init__(self) -> None:
        """Refuse bits that no layer has."""
        if self.weight_bits not in WEIGHT_BITS:
            raise BadArgument(f"weight_bits: found {self.weight_bits}, allowed {', '.join(map(str, WEIGHT_BITS))}")


def quantize(checkpoint: Path, output: Path, options: QuantizeOptions) -> dict[str, Any]:
    """Write integers, report and fine-tuning run of a float flight checkpoint into `output`; returns the report.

    Of the integers before and after fine-tuning, those with the lower mean rate are written. Raises BadArgument.
    """
    network, config = flight_checkpoint(checkpoint)
    source = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    data = replace(config.data, manifest=str(options.manifest or config.data.manifest), check=False)
    config = replace(config, data=data)
    training, validation = load_scenes(data, data.train_split), load_scenes(data, data.validation_split)
    torch.set_num_threads(config.schedule.threads)
    lightning.seed_everything(options.seed, verbose=False)
    check_files(output, REPORTS, "integers.json")
    output.mkdir(parents=True, exist_ok=True)

    quantized, statistics, crops, n_finer = calibrated(network, config, training, options)
    assert isinstance(config.network, FlightConfig)
    cells = {"int8": integer_cell(quantized)}
    scenes = {scene.name: scene_samples(scene, options) for scene in validation}
    lines = config.data.crop_lines
    rates = {"float": float_rates(network, scenes, lines)}
    say(f"float: {mean(rates['float']):.4f} bits/sample")
    rates["int8"] = cell_rates(cells["int8"], scenes, lines)
    say(f"INT8 without fine-tuning: {mean(rates['int8']):.4f} bits/sample")
    middles = [middle(scene) for scene in list(scenes.values())[:SENSITIVITY_SCENES]]
    costs = losses(quantized, middles)

    if options.epochs:
        schedule = finetuning_config(
            config,
            output,
            epochs=options.epochs,
            batches=options.batches,
            learning_rate=options.learning_rate,
            seed=options.seed,
        )
        tuned = finetune(
            schedule,
            quantized.state_dict(),
            options.weight_bits,
            training,
            source=source,
            resume=options.resume,
            max_minutes=options.max_minutes,
        )
        cells["int8 fine-tuned"] = integer_cell(tuned)
        set_all(tuned, weights=False, outputs=False)
        rates["float fine-tuned"] = float_rates(tuned, scenes, lines)
        rates["int8 fine-tuned"] = cell_rates(cells["int8 fine-tuned"], scenes, lines)
        say(f"INT8 with fine-tuning: {mean(rates['int8 fine-tuned']):.4f} bits/sample")

    chosen = min(cells, key=lambda name: mean(rates[name]))
    cell = cells[chosen]
    report = {
        "checkpoint": checkpoint.name,
        "checkpoint_sha256": source,
        "name": config.name,
        "arithmetic": ARITHMETIC,
        "architecture": config.network.to_dict(),
        "options": plain_options(options),
        "versions": versions(),
        "bits_per_sample": rates,
        "written": chosen,
        "loss": {name: rates[chosen][name] - rates["float"][name] for name in scenes},
        "loss_by_rounding": {name: rates[chosen][name] - rates[UNROUNDED[chosen]][name] for name in scenes},
        "cost_alone": costs,
        "layers": layer_rows(network, statistics, cell, n_finer, saturated_shares(exact_network(cell), crops)),
        "memories": memory_rows(cell),
    }
    record = {name: report[name] for name in ("checkpoint", "checkpoint_sha256", "name", "options", "versions")}
    training_data = {**asdict(config.data), "manifest": Path(config.data.manifest).name}
    del training_data["cache"], training_data["packages"]  # places on this machine
    provenance = {**record, "weight_bits": options.weight_bits, "written": chosen, "data": training_data,
                  "schedule": asdict(config.schedule), "fine_tuning": RUN if options.epochs else None}  # fmt: skip
    write_integers(output, cell, config.network, provenance)
    write_report(output, report, markdown(report))
    return report


def flight_checkpoint(path: Path) -> tuple[FlightNetwork, TrainingConfig]:
    """The float network and its configuration. Raises BadArgument for another preset, or a fine-tuned checkpoint."""
    if "weight_bits" in stored_checkpoint(path)["hyper_parameters"]:
        raise BadArgument(f"checkpoint {path} is quantized already; give the float one")
    module, config = load_checkpoint(path)
    if not isinstance(module.network, FlightNetwork):
        raise BadArgument(f"checkpoint {path} is not of the flight preset, the only one that can be quantized")
    return module.network.eval().requires_grad_(False), config


class Calibrated(NamedTuple):
    """A Brevitas network, and what it was made by."""

    network: FlightNetwork
    statistics: dict[str, LayerStatistics]
    crops: list[FlightBatch]
    n_finer: dict[str, int]


def calibrated(
    network: FlightNetwork, config: TrainingConfig, training: list[Scene], options: QuantizeOptions
) -> Calibrated:
    """The Brevitas network of a float one, its units of weights chosen by what crops of the scenes show."""
    crops = calibration_crops(config, training, options)
    statistics = layer_statistics(network, crops, options.seed)
    quantized = quantized_network(network.config, options.weight_bits)
    take_weights(quantized, network.state_dict())
    return Calibrated(quantized, statistics, crops, choose_exponents(quantized, statistics))


def calibration_crops(config: TrainingConfig, training: list[Scene], options: QuantizeOptions) -> list[FlightBatch]:
    """Random crops of the training scenes."""
    data = config.data
    plan = FlightPlan(data.crop_lines, data.crop_bands, data.crop_columns, data.batch_size, data.flip_columns)
    n = options.calibration_batches or -(-CALIBRATION_CROPS // data.batch_size)
    batches = FlightBatches(training, plan, n, options.seed, CALIBRATION_EPOCH, WHOLE)
    return [batches[i] for i in range(n)]


def scene_samples(scene: Scene, options: QuantizeOptions) -> Any:
    """(Y, Z, X) int32, the lines that are coded."""
    return np.asarray(scene.samples[: options.validation_lines or None]).astype(np.int32)


def float_rates(network: FlightNetwork, scenes: dict[str, Any], segment_lines: int) -> dict[str, float]:
    """Bits per sample of each scene, in float."""
    coded = flight_evaluate.coded_size
    return {name: coded(network, scene, segment_lines).bits_per_sample for name, scene in scenes.items()}


def cell_rates(cell: IntegerCell, scenes: dict[str, Any], segment_lines: int) -> dict[str, float]:
    """Bits per sample of each scene, with the integers."""
    network = exact_network(cell)
    return {name: coded_size(network, scene, segment_lines).bits_per_sample for name, scene in scenes.items()}


def mean(rates: dict[str, float]) -> float:
    """Over the scenes."""
    return float(np.mean(list(rates.values())))


def versions() -> dict[str, str]:
    """Of the libraries that decide about integers."""
    return {name: importlib.metadata.version(name) for name in ("brevitas", "torch", "numpy")}


def plain_options(options: QuantizeOptions) -> dict[str, Any]:
    """For JSON; the manifest's path is reduced to its name."""
    return {**asdict(options), "manifest": options.manifest.name if options.manifest else None}
