"""What fine-tunings on the first half of one scene, or of two, gain on the second halves of both, of the same sensor.

The start is the cross-validation model `unseen` of the package `flight`, or `unseen-large` of `flight-large`: they have
seen no scene of these sensors.
Lines of the second halves are in neither the training nor the choice between start and fine-tuned: that is made on the
last lines of the first half.

    python -m benchmarks.bench_finetune [unseen-large]
"""

from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.harness.record import SCENES, save
from export.finetuning import PACKAGE, RUN, FinetuneOptions, finetune_package
from export.package_worth import rates_of, stage_rates
from model.training.run_record import read_rows
from runtime.cell.flight_package import open_integer_package
from runtime.images.scene_reader import open_scene

NAMES = ("hyspecnet_dt4950_x03110438", "enmap_potsdam_a")
FOLDER = Path("runs/bench_finetune")
STARTS = Path(__file__).parent / "cross_validation"
OPTIONS = FinetuneOptions()


@click.command()
@click.argument("name", default="unseen")
def main(name: str) -> None:
    """Three fine-tunings, each measured on two scenes; a stopped run is resumed."""
    start, folder = STARTS / name, FOLDER / name
    parent = open_integer_package(start)
    halves: dict[str, Any] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for scene in NAMES:
        samples = open_scene(SCENES / f"{scene}.hdr").samples
        cut = len(samples) // 2
        np.save(folder / f"{scene}.npy", samples[:cut])
        halves[scene] = samples[cut:].astype(np.int32)
    measured = {scene: partial(np.asarray, half) for scene, half in halves.items()}
    before = rates_of(parent, measured, "start")
    alone = stage_rates(measured)
    rows, minutes = [], {}
    for tuned_on in ([NAMES[0]], [NAMES[1]], list(NAMES)):
        label = " and ".join(tuned_on)
        output = folder / "_".join(tuned_on)
        finetune_package(start, [folder / f"{scene}.npy" for scene in tuned_on], output, OPTIONS, resume=True)
        minutes[label] = round(read_rows(output / RUN)[-1]["seconds"] / 60, 1)
        after = rates_of(open_integer_package(output / PACKAGE), measured, "fine-tuned")
        for scene in halves:
            for stage, rates in before.items():
                rows.append(
                    {
                        "fine-tuned on the first half of": label,
                        "second half of": scene,
                        "stage": stage,
                        "start": rates[scene],
                        "fine-tuned": after[stage][scene],
                        "gain": round(rates[scene] - after[stage][scene], 4),
                        "stage best without network": alone[scene],
                    }
                )
    facts = {"package_sha256": parent.sha256.hex(), "options": vars(OPTIONS), "training_minutes": minutes}
    result = f"finetune{name.removeprefix('unseen').replace('-', '_')}"
    save(result, f"python -m benchmarks.bench_finetune {name}", rows, **facts)


if __name__ == "__main__":
    main()
