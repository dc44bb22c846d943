"""Where and of what a figure was measured: the head of every committed result, and its rows as a table."""

import platform
import subprocess
from importlib.metadata import version
from typing import Any

import numba
import numpy as np

from hil_tests.places.place import REPOSITORY
from runtime.target.target_counters import processor

MOST_COLUMNS = 8
"""Of a table that is read on a page."""


def head() -> dict[str, Any]:
    """Machine, library versions and commit."""
    return {
        "machine": platform.machine(),
        "processor": processor(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "onnxruntime": version("onnxruntime"),
        "commit": git("rev-parse", "--short", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else ""),
    }


def git(*arguments: str) -> str:
    """The output of a git command, empty outside a repository."""
    return subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    ).stdout.strip()


def tables(rows: list[dict[str, Any]]) -> str:
    """As `table`, in several of at most MOST_COLUMNS where there are more; each begins with what tells rows apart."""
    names = list(rows[0])
    if len(names) <= MOST_COLUMNS:
        return table(rows)
    n_keys = next((n for n in range(1, MOST_COLUMNS) if is_key(rows, names[:n])), 1)
    room = MOST_COLUMNS - n_keys
    keys, others = names[:n_keys], names[n_keys:]
    n_tables = -(-len(others) // room)
    size = -(-len(others) // n_tables)
    parts = [others[i : i + size] for i in range(0, len(others), size)]
    return "\n\n".join(table([{name: row[name] for name in (*keys, *part)} for row in rows]) for part in parts)


def is_key(rows: list[dict[str, Any]], names: list[str]) -> bool:
    """Whether no two rows are alike in these columns."""
    return len({tuple(str(row[name]) for name in names) for row in rows}) == len(rows)


def table(rows: list[dict[str, Any]]) -> str:
    """Rows with equal keys as a Markdown table; floats with four digits that matter."""

    def text(value: Any) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(text(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines)
