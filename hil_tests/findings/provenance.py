"""Where and of what a figure was measured: the head of every committed result, and its rows as a table."""

import platform
import subprocess
from typing import Any

import numba
import numpy as np
import onnxruntime

from hil_tests.places.place import REPOSITORY
from runtime.target.target_counters import processor


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
    return subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    ).stdout.strip()


def table(rows: list[dict[str, Any]]) -> str:
    """Rows with equal keys as a Markdown table; floats with four digits that matter."""

    def text(value: Any) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(text(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines)
