"""A benchmark's result as JSON and as a page, with the machine and the commit that made it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness.page import page
from hil_tests.findings.provenance import head, table

RESULTS = Path(__file__).parents[1] / "results"
SCENES = Path(__file__).parents[3] / "shared" / "scenes"


def best_of_5(work: Callable[[], Any]) -> float:
    """The smallest thread CPU time of five runs, in s, after one run that compiles."""
    work()
    times = []
    for _ in range(5):
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return min(times)


def save(name: str, command: str, rows: list[dict[str, Any]], **facts: Any) -> None:
    """Write results/NAME.json and results/NAME.md, and print the table."""
    RESULTS.mkdir(exist_ok=True)
    record = {"command": command, **head(), **facts, "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(page(name, record))
    print(table(rows))
