"""Where and of what a benchmark was run: the head of every committed result."""

import platform
import subprocess
from pathlib import Path
from typing import Any

import numba
import numpy as np
import onnxruntime

from model.training.machine import processor

ROOT = Path(__file__).parents[2]


def head() -> dict[str, Any]:
    """Machine, library versions and commit."""
    return {
        "machine": platform.machine(),
        "processor": processor(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "onnxruntime": onnxruntime.__version__,
        "commit": git("rev-parse", "--short", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else ""),
    }


def git(*arguments: str) -> str:
    """The output of a git command, empty outside a repository."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
