"""What a start of the command loads, and that memory is looked after once it has."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = """
import gc, sys
from runtime.commands import cli
sys.exit = print
cli.main()
print(gc.isenabled(), "onnxruntime" in sys.modules)
"""


@pytest.mark.parametrize(("words", "has_network"), [(("--predictor", "rls"), False), ((), True)])
def test_a_coder_without_a_network_starts_without_onnx_runtime(
    words: tuple[str, ...], has_network: bool, tmp_path: Path
) -> None:
    np.save(tmp_path / "line.npy", np.arange(12, dtype=np.int16).reshape(1, 3, 4))
    command = [sys.executable, "-c", PROGRAM, "compress", "line.npy", "line.lrwk", *words, "--threads", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"True {has_network}"


LIVE = """
import sys
from runtime.codec.coding_options import coding_options
from runtime.codec.opened_encoder import opened_encoder
from runtime.stream.image_description import ImageDescription
with opened_encoder(coding_options({"guard": "proof", "isolate": True}), ImageDescription(3, 4, 12, False)):
    print("onnxruntime" in sys.modules)
"""


def test_what_proves_a_segment_is_loaded_before_the_first_line() -> None:
    """Though a worker process runs the network."""
    done = subprocess.run([sys.executable, "-c", LIVE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
