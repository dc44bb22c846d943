"""A flight package adapted to the scenes of a mission: converted to float, trained, quantized, compared.

The flight runtime decides on held-out lines, with the adaptive stage that is used in flight. Where the package that the
fine-tuning started from is better, or equal, the new package is that one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from lightning.pytorch.callbacks import Callback

from export.coded_scene import check_restored, stream_of
from export.commands import working_commit
from export.finetune_report import markdown
from export.integer_package import integer_package_parts
from export.other_scenes import first_lines, other_scenes
from export.package_files import check_package_name, write_package
from export.package_worth import BEST, FLIGHT_STAGE, STAGES, Scenes, rates_of, stage_rates, worse, worth
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
from runtime.cell.package_files import read_parts
from runtime.cell.signature import SIGNATURE
from runtime.checked_table import AtLeast1
from runtime.executors.executors import make_executor
from runtime.output_checks import check_outputs
from runtime.stream.kinds import AdaptiveStage

START, TUNED = "start", "fine-tuned"
MATRIX_SHARE, WEIGHT_DECAY = 5, 0.25
RUN, SCENES, PACKAGE = "run", "scenes.json", "package"


@dataclass(frozen=True)
class FinetuneOptions:
    """What a run of `finetune` may choose."""

    epochs: AtLeast1 = 20
    batches: AtLeast1 = 50
    """Of an epoch."""
    learning_rate: Rate = 3e-3
    """At the first step; it falls linearly to a fiftieth. Muon's, of the matrices, is MATRIX_SHARE times as much."""
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
    others: Sequence[Path] = (),
    packages: Sequence[Path] = (),
    resume: bool = False,
    max_minutes: float | None = None,
) -> dict[str, Any]:
    """Write `output`/package and what led to it; returns the report.

    sources: scene files, manifests, folders. others: such scenes of other kinds, on which it is measured only; none:
    the demo's. packages: that streams among them need, beside the start and the shipped ones. With `resume` a stopped
    training continues as if it had not stopped. `max_minutes` ends the training early, after a whole epoch. Raises
    LineRwkvError.
    """
    limits: list[Callback] = [TimeLimit(60 * max_minutes)] if max_minutes is not None else []
    parent = open_integer_package(start)
    config = mission_config(parent.cell.shape, output, options, [str(parent.source), *map(str, packages)])
    check_package_name(output / PACKAGE)
    check_outputs([Path(config.data.manifest)], [*sources, *others])
    write_split(sources, config.data, options.held_out_lines)
    training, held_out = checked_scenes(config)
    compared = other_scenes(others, config.data, training + held_out, options.held_out_lines)
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
    candidates = {START: parent, TUNED: packaged(target, cell, record, bits)}
    own = {scene.name: partial(first_lines, scene) for scene in held_out}
    found = {"own": measured(candidates, own, STAGES), "others": measured(candidates, compared, (FLIGHT_STAGE,))}
    decisive = {name: mean(rates[BEST]) for name, rates in found["own"]["bits_per_sample"].items()}
    written = min(decisive, key=decisive.__getitem__)  # of equal ones the start
    package = candidates[written]
    executor = make_executor(package)
    for samples_of in own.values():
        samples = samples_of()
        check_restored(package, stream_of(package, executor, samples, FLIGHT_STAGE), samples)
    write_package(signed_parts(parent) if package is parent else package.parts, target)
    report = {
        **record,
        "package_sha256": package.sha256.hex(),
        "written": written,
        "gain": decisive[START] - decisive[written],
        **found,
        "others_are": "given" if others else "none given: the demo's synthetic scene",
        "others_worse": worse(found["others"]["worth"][START], found["others"]["worth"][written]),
    }
    write_report(output, report, markdown(report))
    return report


def measured(
    candidates: dict[str, IntegerPackage], scenes: Scenes, stages: tuple[AdaptiveStage, ...]
) -> dict[str, Any]:
    """What start and fine-tuned package take on scenes, what the stage takes without them, and what they are worth."""
    alone = stage_rates(scenes)
    rates = {name: rates_of(package, scenes, name, stages) for name, package in candidates.items()}
    return {
        "stage_alone": alone,
        "bits_per_sample": rates,
        "worth": {name: worth(alone, found) for name, found in rates.items()},
    }


def mission_config(shape: CellShape, output: Path, options: FinetuneOptions, packages: list[str]) -> TrainingConfig:
    """The training run: crops of a size for CPUs, the loss `staged`, five validations during the run."""
    return TrainingConfig(
        RUN,
        flight_config(shape),
        DataConfig(str(output / SCENES), cache=str(output / "scene_cache"), packages=packages, crop_columns=36),
        ScheduleConfig(
            options.epochs,
            options.batches,
            optimizer="muon",
            matrix_rate=MATRIX_SHARE * options.learning_rate,
            learning_rate=options.learning_rate,
            final_learning_rate=options.learning_rate / 50,
            weight_decay=WEIGHT_DECAY,
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


def packaged(target: Path, cell: IntegerCell, record: dict[str, Any], bits: int) -> IntegerPackage:
    """The package of a fine-tuned cell, not on disk yet."""
    training = {"commit": working_commit(), **record}
    quantization = {"weight_bits": bits, "written": TUNED, "versions": versions()}
    package = package_of_parts(target, integer_package_parts(cell, target.parent.name, training, quantization))
    assert isinstance(package, IntegerPackage)
    return package


def signed_parts(package: IntegerPackage) -> dict[str, bytes]:
    """The files of a package on disk, with its signature if it has one."""
    return package.parts | {name: data for name, data in read_parts(package.source).items() if name == SIGNATURE}
