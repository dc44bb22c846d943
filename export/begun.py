"""What a run began with, kept in its folder, so that another one is not taken for its continuation."""

import json
from pathlib import Path
from typing import Any

from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument

BEGUN = "begun.json"


def begin(output: Path, begun: dict[str, Any], *, resume: bool) -> None:
    """Note in `output` what the run begins with. Raises BadArgument where it would go on with another one."""
    path = output / BEGUN
    if resume and path.is_file():
        before = json.loads(path.read_bytes())
        for name, value in begun.items():
            if before.get(name) != value:
                raise BadArgument(f"{output} began with other {name}: cannot resume")
    output.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(json.dumps(begun, indent=1).encode() + b"\n")
