"""A benchmark's result as JSON and as a table, with the machine and the commit that made it."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import onnxruntime

RESULTS = Path(__file__).parent / "results"
SCENES = Path(__file__).parents[2] / "shared" / "scenes"


def processor() -> str:
    """The processor's name as Linux tells it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def commit() -> str:
    """The commit of the working tree, marked where files differ from it."""
    run = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()


def machine() -> dict[str, str]:
    """What a figure depends on."""
    return {
        "processor": processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


@numba.njit(cache=True)
def reference_loop(n_steps: Any) -> Any:
    """A fixed chain of integer operations: the unit in which speeds on a noisy machine can be compared."""
    value = np.int64(1)
    for i in range(n_steps):
        value = (value * 6364136223846793005 + i) ^ (value >> 13)
    return value


def best_of_5(work: Callable[[], Any]) -> float:
    """The smallest thread CPU time of five runs, in s, after one run that compiles."""
    work()
    times = []
    for _ in range(5):
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return min(times)


def reference_seconds() -> float:
    """Thread CPU time of 10 million steps of the reference loop, best of 5."""
    return best_of_5(lambda: reference_loop(10_000_000))


def table(rows: list[dict[str, Any]]) -> str:
    """Rows with equal keys as a Markdown table; floats with four digits that matter."""

    def text(value: Any) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(text(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def save(name: str, command: str, rows: list[dict[str, Any]], **facts: Any) -> None:
    """Write results/NAME.json and results/NAME.md, and print the table."""
    RESULTS.mkdir(exist_ok=True)
    record = {"command": command, "commit": commit(), "machine": machine(), **facts, "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    told = {"command": command, "commit": record["commit"], **machine(), **facts}
    notes = "\n".join(f"- {key}: {value}" for key, value in told.items())
    (RESULTS / f"{name}.md").write_text(f"# {name}\n\n{notes}\n\n{table(rows)}\n")
    print(table(rows))
