"""Which rate a trained checkpoint reaches on every real scene, by the real coder: python -m ... runs/NAME/best.ckpt."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.harness.record import SCENES, save
from model.evaluation.networks import coded_size, count_macs
from model.network.network import count_parameters
from model.training.run_record import read_rows
from model.training.train import load_checkpoint
from runtime.images.scene_reader import open_scene


def main() -> None:
    """One row a scene; the NEON plots are small and of one site, and are given as their mean."""
    checkpoint = Path(sys.argv[1])
    module, config = load_checkpoint(checkpoint)
    network = module.network.eval()
    rows: list[dict[str, Any]] = []
    plots: list[float] = []
    for entry in tqdm(json.loads((SCENES / "MANIFEST.json").read_text()), disable=None):
        samples = np.asarray(open_scene(SCENES / entry["path"]).samples, np.int32)
        rate = coded_size(network, samples, 64).bits_per_sample
        if entry["name"].startswith("neon_mlbs"):
            plots.append(rate)
        else:
            rows.append({"scene": entry["name"], "split": entry["split"], "bits per sample": rate})
    rows.append({"scene": f"neon_mlbs (mean of {len(plots)})", "split": "train", "bits per sample": np.mean(plots)})
    epochs = read_rows(checkpoint.parent)
    facts = {
        "parameters": count_parameters(network),
        "macs_per_sample": count_macs(network),
        "epochs": len(epochs),
        "training_hours": round(epochs[-1]["seconds"] / 3600, 2),
    }
    command = f"python -m benchmarks.bench_checkpoint runs/{config.name}/{checkpoint.name}"
    save(f"checkpoint_{config.name}", command, rows, **facts)


if __name__ == "__main__":
    main()
