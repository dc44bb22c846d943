"""A trial (hil_tests/accelerators/trial.py) in an environment of its own, and the program that made it."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hil_tests.places.place import Place
from hil_tests.places.tool import run_tool
from runtime.cell.flight_package import IntegerPackage


def own_json(place: Place, module: str, *arguments: str | Path) -> Any:
    """What a module of ours writes to the file that `--output` names, run in a place. Raises SetupFailed."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "found.json"
        run_tool(place.command(module, *arguments, "--output", output), env=place.environment())
        return json.loads(output.read_text())


def own_trial(place: Place, package: IntegerPackage, executor: str, tiles: tuple[int, ...] = ()) -> dict[str, Any]:
    """What `trial` finds of an executor in a place."""
    timed = [word for tile in tiles for word in ("--tile", str(tile))]
    source = package.source.resolve()
    found: dict[str, Any] = own_json(place, "hil_tests.accelerators.trial", source, "--executor", executor, *timed)
    return found


def equal_row(found: dict[str, Any]) -> dict[str, str]:
    """The findings of a trial as a row: groups of a tile, and what came of the recorded lines."""
    lines = found["recorded_lines"].items()
    return {"executor": found["provider"], **{f"tiles of {tile}": finding for tile, finding in lines}}
