"""What a run started from, kept in its folder, so that a different run cannot resume it."""

import json
from pathlib import Path
from typing import Any

from quantize.report import REPORTS
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument
from runtime.output_checks import check_files

START_RECORD = "start.json"


def record_start(output: Path, start: dict[str, Any], *, resume: bool) -> None:
    """Write start.json in `output`. Raises BadArgument where `resume` would continue a run that started from others."""
    path = output / START_RECORD
    if resume and path.is_file():
        before = json.loads(path.read_bytes())
        for name, value in start.items():
            if before.get(name) != value:
                raise BadArgument(f"{output} started with other {name}: cannot resume")
    check_files(output, REPORTS, START_RECORD)
    output.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(json.dumps(start, indent=1).encode() + b"\n")
