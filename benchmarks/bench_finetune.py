"""What fine-tunings on the first half of one scene, or of two, gain on the second halves of both, of the same sensor.

The start is the cross-validation model `unseen` of the shipped package, which has seen no scene of this sensor.
Lines of the second halves are in neither the training nor the choice between start and fine-tuned: that is made on the
last lines of the first half.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.record import SCENES, save
from export.finetuning import PACKAGE, RUN, FinetuneOptions, finetune_package
from export.package_worth import rates_of, stage_rates
from model.training.run_record import read_rows
from runtime.cell.flight_package import open_integer_package
from runtime.images.scene_reader import open_scene

NAMES = ("hyspecnet_dt4950_x03110438", "enmap_potsdam_a")
FOLDER = Path("runs/bench_finetune")
START = Path(__file__).parent / "cross_validation" / "unseen"
OPTIONS = FinetuneOptions()


def main() -> None:
    """Three fine-tunings, each measured on two scenes; a stopped run is resumed."""
    parent = open_integer_package(START)
    halves: dict[str, Any] = {}
    for name in NAMES:
        samples = open_scene(SCENES / f"{name}.hdr").samples
        cut = len(samples) // 2
        first = FOLDER / f"{name}.npy"
        first.parent.mkdir(parents=True, exist_ok=True)
        np.save(first, samples[:cut])
        halves[name] = samples[cut:].astype(np.int32)
    measured = {name: partial(np.asarray, half) for name, half in halves.items()}
    before = rates_of(parent, measured, "start")
    alone = stage_rates(measured)
    rows, minutes = [], {}
    for tuned_on in ([NAMES[0]], [NAMES[1]], list(NAMES)):
        label = " and ".join(tuned_on)
        output = FOLDER / "_".join(tuned_on)
        finetune_package(START, [FOLDER / f"{name}.npy" for name in tuned_on], output, OPTIONS, resume=True)
        minutes[label] = round(read_rows(output / RUN)[-1]["seconds"] / 60, 1)
        after = rates_of(open_integer_package(output / PACKAGE), measured, "fine-tuned")
        for name in halves:
            for stage, rates in before.items():
                rows.append(
                    {
                        "fine-tuned on the first half of": label,
                        "second half of": name,
                        "stage": stage,
                        "start": rates[name],
                        "fine-tuned": after[stage][name],
                        "gain": round(rates[name] - after[stage][name], 4),
                        "stage best without network": alone[name],
                    }
                )
    facts = {"package_sha256": parent.sha256.hex(), "options": vars(OPTIONS), "training_minutes": minutes}
    save("finetune", "python -m benchmarks.bench_finetune", rows, **facts)


if __name__ == "__main__":
    main()
