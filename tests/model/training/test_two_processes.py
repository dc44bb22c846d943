"""Two processes train as one process with the doubled batch does."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch

from model.training.train import train
from model.training.training_config import TrainingConfig
from tests.model.training.test_training import curve, weights

PROGRAM = """
import json, sys
from model.training.train import train
from model.training.training_config import TrainingConfig
train(TrainingConfig.from_dict(json.loads(sys.argv[1])))
"""


def test_two_processes_equal_one_with_the_doubled_batch(tiny_config: TrainingConfig, tmp_path: Path) -> None:
    data = replace(tiny_config.data, batch_size=4, final_batch_size=2)
    schedule = replace(tiny_config.schedule, accelerator="cpu")
    one = train(replace(tiny_config, name="one", data=data, schedule=schedule))
    two = replace(tiny_config, name="two", schedule=replace(schedule, devices=2))
    (tmp_path / "program.py").write_text(PROGRAM)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(tmp_path / "program.py")]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, *launch, json.dumps(two.to_dict())],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    last = Path(two.output) / "two" / "last.ckpt"
    for row, other in zip(curve(one), curve(last), strict=True):
        # the same float32 numbers, averaged in another order
        assert abs(float(row["loss"]) / float(other["loss"]) - 1) < 1e-5
        assert abs(float(row["bits_per_sample"]) - float(other["bits_per_sample"])) < 0.01
    for name, tensor in weights(one).items():
        # Adam divides by the size of a gradient, which lifts the rounding of the small ones
        assert torch.allclose(tensor, weights(last)[name], atol=1e-3), name
