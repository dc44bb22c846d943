"""ONNX Runtime keeps and sends no records of its use where this package has imported it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil_tests.places.place import REPOSITORY

SESSION = """
import {first}
import onnxruntime
onnxruntime.InferenceSession("runtime/packages/flight/line_step.onnx", providers=["CPUExecutionProvider"])
"""


@pytest.mark.parametrize("first", ["runtime.executors.provider", "linerwkv", "hil_tests.findings.provenance"])
def test_nothing_is_written_to_the_home(first: str, tmp_path: Path) -> None:
    kept = {name: one for name, one in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    words = [sys.executable, "-c", SESSION.format(first=first)]
    subprocess.run(words, cwd=REPOSITORY, env={**kept, "HOME": str(tmp_path)}, check=True)
    assert not list(tmp_path.rglob("*onnxruntime*")) and not list(tmp_path.rglob("Microsoft"))
