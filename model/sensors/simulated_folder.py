"""A folder of simulated scenes with a manifest to train from; what is there already is not made again.

`start.json` names the scenes before any is written, so that a run that was stopped may go on; `manifest.json` has those
that are whole, with all that was asked for.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.scenes.scene_list import from_manifest
from model.sensors.scene_source import SceneSource
from model.sensors.simulated_scene import DTYPE, Simulation, write_scene
from runtime.checked_table import json_table
from runtime.codec.compression import atomic_file
from runtime.errors import BadArgument, one_line
from runtime.output_checks import check_outputs
from runtime.stream.image_description import LARGEST_LINE_SAMPLES
from runtime.whole_output import writing

MANIFEST, START = "manifest.json", "start.json"
VERSION = 1
"""Of what a simulation makes: one more whenever the same request gives other bytes."""
FARTHEST_BEYOND_NM = 120.0
"""Of a band beyond the range of the scene, whose last band's reflectance it sees."""


def simulate_scenes(
    simulation: Simulation, sources: list[SceneSource], folder: Path, done: Callable[[int], object]
) -> list[dict[str, Any]]:
    """Make the scenes that are not there yet; entries of all that were asked for, `made` where it was now.

    done: is called with numbers of lines as they are there. Raises BadArgument; nothing is written before all scenes
    and the folder were found to serve.
    """
    names = {f"{source.name}_{simulation.sensor.name}": source for source in sources}
    for source in sources:
        check_scene(simulation, source)
    entries, started = earlier_entries(folder), started_names(folder)
    check_there(simulation, names, folder, started)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / START, {"scenes": sorted({*started, *names})})
    found = []
    for name, source in names.items():
        asked = asked_for(simulation, source)
        identity = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        entry = entries.get(name, {})
        is_there = entry.get("identity") == identity and is_whole(entry, folder)
        if is_there:
            done(simulation.frames(source)[0])
        else:
            write_scene(simulation, source, folder, name, done)
            entry = entry_of(simulation, source, folder, name) | {"identity": identity, "asked": asked}
            entries[name] = entry
            write_json(folder / MANIFEST, list(entries.values()))
        found.append(entry | {"made": not is_there})
    return found


def check_scene(simulation: Simulation, source: SceneSource) -> None:
    """Raise BadArgument for lines too long, and where the sensor sees too far beyond the scene's wavelengths."""
    n_bands, n_columns = simulation.sensor.n_bands, simulation.frames(source)[1]
    if n_bands * n_columns > LARGEST_LINE_SAMPLES:
        line = f"a line of {n_bands} bands x {n_columns} columns"
        raise BadArgument(f"scene {source.name}: {line}, allowed at most {LARGEST_LINE_SAMPLES} samples")
    seen, centres = simulation.sensor.centres, source.centres.centres
    beyond = max(centres[0] - seen.min(), seen.max() - centres[-1])
    if beyond > FARTHEST_BEYOND_NM:
        raise BadArgument(
            f"scene {source.name}: {centres[0]:.0f}..{centres[-1]:.0f} nm, allowed at most {FARTHEST_BEYOND_NM:.0f} nm "
            f"less than {seen.min():.0f}..{seen.max():.0f} of sensor {simulation.sensor.name} at each end"
        )


def check_there(simulation: Simulation, names: dict[str, SceneSource], folder: Path, started: set[str]) -> None:
    """Raise BadArgument where an output is an input, or a file that no run like this one began."""
    for name in names.keys() - started:
        for file in simulation.names(name):
            if (folder / file).exists():
                raise BadArgument(f"output {folder} holds {file} of another origin, allowed a folder without it")
    outputs = [folder / file for name in names for file in simulation.names(name)]
    inputs = [file for source in names.values() for file in source.files]
    check_outputs([*outputs, folder / MANIFEST, folder / START], inputs)


def earlier_entries(folder: Path) -> dict[str, dict[str, Any]]:
    """Of the manifest in the folder, by name. Raises BadArgument for one that this command did not write."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    entries = {entry["name"]: {**entry, "path": str(Path(entry["path"]).name)} for entry in from_manifest(path)}
    if not all(isinstance(entry.get("identity"), str) for entry in entries.values()):
        raise BadArgument(f"output {folder} holds {MANIFEST} of another origin, allowed a folder without it")
    return entries


def started_names(folder: Path) -> set[str]:
    """Scenes that runs into this folder began. Raises BadArgument for a file that is none of ours."""
    path = folder / START
    if not path.exists():
        return set()
    try:
        names = json_table(path.read_text(), str(path)).get("scenes")
    except (OSError, UnicodeDecodeError) as error:
        raise BadArgument(f"{path}: {one_line(error)}") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadArgument(f"output {folder} holds {START} of another origin, allowed a folder without it")
    return set(names)


def asked_for(simulation: Simulation, source: SceneSource) -> dict[str, Any]:
    """All that decides the bytes of a scene."""
    centres = source.centres.centres
    return {
        "version": VERSION,
        **asdict(simulation),
        "scene": source.name,
        "scene_sha256": source.sha256(),
        "scene_line_range": list(source.lines) if source.lines else None,
        "scene_wavelengths": "assumed, spread evenly" if source.centres.spread else "stated",
        "scene_range": [float(centres[0]), float(centres[-1])],
    }


def entry_of(simulation: Simulation, source: SceneSource, folder: Path, name: str) -> dict[str, Any]:
    """What the manifest says of a scene that is whole, as model/scenes/scene_list.py reads it and more.

    Its group is that of the source, so that what is made of one scene never trains and validates.
    """
    sensor, files = simulation.sensor, simulation.names(name)
    (n_lines, n_columns), frames = simulation.image(source), simulation.frames(source)
    return {
        "name": name, "path": files[0], "split": source.split, "group": source.group,
        "sensor": f"simulated {sensor.name}", "lines": n_lines, "bands": sensor.n_bands, "columns": n_columns,
        "dtype": DTYPE.name, "depth": sensor.counts.depth,
        "frames": {"lines": frames[0], "columns": frames[1], "record_bytes": sensor.record.bytes},
        "files": {file: (folder / file).stat().st_size for file in files},
    }  # fmt: skip


def is_whole(entry: dict[str, Any], folder: Path) -> bool:
    """Whether the files of an entry are there, each with the size that it had."""
    sizes = entry.get("files")
    if not isinstance(sizes, dict):
        return False
    paths = {folder / name: size for name, size in sizes.items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())


def write_json(path: Path, values: Any) -> None:
    """Write a file, whole or not at all. Raises BadArgument."""
    with atomic_file(path) as file:
        file.write(json.dumps(values, indent=1).encode() + b"\n")
