"""A flight package adapted to the scenes of a mission: converted to float, trained, quantized, compared.

The flight runtime decides on held-out lines, with the adaptive stage that is used in flight. Where the package that the
fine-tuning started from is better, or equal, the new package has its integers.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm

from export.coded_scene import Samples, check_restored, stream_of
from export.commands import working_commit
from export.finetune_report import markdown
from export.integer_package import integer_package_parts
from export.package_files import check_package_name, write_package
from export.start_record import record_start
from model.network.flight_network import FlightNetwork
from model.scenes.data_config import DataConfig
from model.scenes.held_out import write_split
from model.scenes.scene import Scene
from model.training.lightning_module import LineRwkvTraining
from model.training.time_limit import TimeLimit
from model.training.train import checked_scenes, fit, stored_checkpoint
from model.training.training_config import Rate, ScheduleConfig, Seed, TrainingConfig
from quantize.dequantized import float_network, weight_bits
from quantize.integers import flight_config, integer_cell
from quantize.pipeline import QuantizeOptions, calibrated, mean, versions
from quantize.report import write_report
from runtime.cell.flight_package import IntegerPackage, open_integer_package, package_of_parts
from runtime.cell.integer_cell import CellShape, IntegerCell
from runtime.checked_table import AtLeast1
from runtime.executors.executors import make_executor
from runtime.output_checks import check_outputs
from runtime.stream.kinds import AdaptiveStage

START, TUNED = "start", "fine-tuned"
FLIGHT_STAGE = AdaptiveStage.BEST
STAGES = (AdaptiveStage.NONE, FLIGHT_STAGE)
RUN, SCENES, PACKAGE = "run", "scenes.json", "package"


@dataclass(frozen=True)
class FinetuneOptions:
    """What a run of `finetune` may choose."""

    epochs: AtLeast1 = 20
    batches: AtLeast1 = 50
    """Of an epoch."""
    learning_rate: Rate = 3e-3
    """At the first step; it falls linearly to a fiftieth."""
    seed: Seed = 0
    held_out_lines: AtLeast1 = 64
    """Of a scene, at most."""
    calibration_batches: AtLeast1 = 8


def finetune_package(
    start: Path,
    sources: list[Path],
    output: Path,
    options: FinetuneOptions,
    *,
    resume: bool = False,
    max_minutes: float | None = None,
) -> dict[str, Any]:
    """Write `output`/package and what led to it; returns the report.

    sources: scene files, manifests, folders. With `resume` a stopped training continues as if it had not stopped.
    `max_minutes` ends the training early, after a whole epoch. Raises LineRwkvError.
    """
    limits: list[Callback] = [TimeLimit(60 * max_minutes)] if max_minutes is not None else []
    parent = open_integer_package(start)
    config = mission_config(parent.cell.shape, output, options)
    check_package_name(output / PACKAGE)
    check_outputs([Path(config.data.manifest)], sources)
    write_split(sources, config.data, options.held_out_lines)
    training, held_out = checked_scenes(config)
    origin = {
        "parent": {"name": parent.manifest["name"], "sha256": parent.sha256.hex()},
        "scenes": [scene_record(scene) for scene in training + held_out],
        "options": asdict(options),
    }
    record_start(output, origin, resume=resume)

    lightning.seed_everything(options.seed, verbose=False)
    module = LineRwkvTraining(config, held_out)
    module.network.load_state_dict(float_network(parent.cell).state_dict())
    last = fit(config, module, training, limits, resume=resume)
    network = module.network.cpu().eval().requires_grad_(False)
    assert isinstance(network, FlightNetwork)
    bits = weight_bits(parent.cell)
    quantization = QuantizeOptions(bits, seed=options.seed, calibration_batches=options.calibration_batches)
    cell = integer_cell(calibrated(network, config, training, quantization).network)

    record = {**origin, "epochs_done": stored_checkpoint(last)["epoch"] + 1, "data": plain_data(config.data)}
    target = output / PACKAGE
    lines = {scene.name: np.asarray(scene.samples).astype(np.int32) for scene in held_out}
    tuned = packaged(target, cell, record, bits, TUNED)
    rates = {START: rates_of(parent, lines, START), TUNED: rates_of(tuned, lines, TUNED)}
    decisive = {name: mean(found[FLIGHT_STAGE.name.lower()]) for name, found in rates.items()}
    written = min(decisive, key=decisive.__getitem__)  # of equal ones the start
    package = tuned if written == TUNED else packaged(target, parent.cell, record, bits, START)
    executor = make_executor(package)
    for samples in lines.values():
        check_restored(package, stream_of(package, executor, samples, FLIGHT_STAGE), samples)
    write_package(package.parts, target)
    report = {
        **record,
        "package_sha256": package.sha256.hex(),
        "written": written,
        "bits_per_sample": rates,
        "gain": decisive[START] - decisive[written],
    }
    write_report(output, report, markdown(report))
    return report


def mission_config(shape: CellShape, output: Path, options: FinetuneOptions) -> TrainingConfig:
    """The training run: crops of a size for CPUs, the loss `staged`, five validations during the run."""
    return TrainingConfig(
        RUN,
        flight_config(shape),
        DataConfig(str(output / SCENES), cache=str(output / "scene_cache"), crop_columns=36),
        ScheduleConfig(
            options.epochs,
            options.batches,
            learning_rate=options.learning_rate,
            final_learning_rate=options.learning_rate / 50,
            weight_decay=0.0,
            loss="staged",
            seed=options.seed,
            validate_every=max(1, options.epochs // 5),
        ),
        str(output),
    )


def scene_record(scene: Scene) -> dict[str, Any]:
    """What the package says of a scene: its lines, and the sha256 of their samples in C order, little-endian."""
    digest = hashlib.sha256()
    for line in scene.samples:
        digest.update(np.ascontiguousarray(line, line.dtype.newbyteorder("<")).tobytes())
    return {"name": scene.name, "split": scene.split, "shape": list(scene.shape), "sha256": digest.hexdigest()}


def plain_data(data: DataConfig) -> dict[str, Any]:
    """How crops were cut, without places on this machine."""
    return {name: value for name, value in asdict(data).items() if name not in ("manifest", "cache", "packages")}


def packaged(target: Path, cell: IntegerCell, record: dict[str, Any], bits: int, written: str) -> IntegerPackage:
    """The package of a cell, not on disk yet."""
    training = {"commit": working_commit(), **record}
    quantization = {"weight_bits": bits, "written": written, "versions": versions()}
    package = package_of_parts(target, integer_package_parts(cell, target.parent.name, training, quantization))
    assert isinstance(package, IntegerPackage)
    return package


def rates_of(package: IntegerPackage, lines: dict[str, Samples], what: str) -> dict[str, dict[str, float]]:
    """Bits per sample by stage and scene, in the flight runtime, after the self-test."""
    executor = make_executor(package)
    rates: dict[str, dict[str, float]] = {stage.name.lower(): {} for stage in STAGES}
    for name, samples in tqdm(lines.items(), desc=f"code with {what}", unit="scene", disable=None, leave=False):
        for stage in STAGES:
            size = len(stream_of(package, executor, samples, stage))
            rates[stage.name.lower()][name] = 8 * size / samples.size
    return rates
