"""Packages with changed manifests and parts whose hashes are right: opened, or refused in one line."""

import hashlib
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from runtime.cell.flight_package import SHIPPED, SHIPPED_FLOAT, package_of_parts
from runtime.cell.package_files import MANIFEST, read_parts
from runtime.errors import LineRwkvError
from tests.fuzz.stream_mutations import EXTREMES, Random

VALUES: list[Any] = [None, "", "x", [], {}, True, -1, 2.5, "../x", 1 << 40, [1, 2], {"a": 1}, float("nan"), *EXTREMES]


@cache
def sound_package(path: Path) -> dict[str, bytes]:
    """The files of a shipped package."""
    return read_parts(path)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value inside of JSON."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def change_manifest(manifest: Any, random: Random) -> None:
    """A value is replaced, left out, or moved elsewhere."""
    ways = places(manifest)
    *outer, last = ways[random.integers(len(ways))]
    holder = manifest
    for key in outer:
        holder = holder[key]
    kind = random.integers(4)
    if kind == 0:
        del holder[last]
    elif kind == 1 and isinstance(holder[last], int):
        holder[last] = holder[last] + int(random.integers(-2, 3))
    else:
        holder[last] = VALUES[random.integers(len(VALUES))]


def hostile_package(random: Random) -> dict[str, bytes]:
    """The files of a package with one or two changes, every hash right."""
    parts = dict(sound_package(SHIPPED if random.integers(3) else SHIPPED_FLOAT))
    manifest = json.loads(parts[MANIFEST])
    names = sorted(manifest["parts"])
    for _ in range(random.integers(1, 3)):
        if random.integers(3):
            change_manifest(manifest, random)
            continue
        name = names[random.integers(len(names))]
        data = bytearray(parts[name])
        start = int(random.integers(len(data) + 1))
        data[start : start + int(random.integers(9))] = random.bytes(int(random.integers(9)))
        parts[name] = bytes(data)
        if isinstance(manifest.get("parts"), dict) and name in manifest["parts"]:
            manifest["parts"][name] = hashlib.sha256(parts[name]).hexdigest()
    parts[MANIFEST] = json.dumps(manifest).encode()
    return parts


def check_package(parts: dict[str, bytes]) -> Counter[str]:
    """Hold a package against the law; how it ended."""
    try:
        package_of_parts(Path("hostile"), parts)
    except LineRwkvError as error:
        assert str(error) and "\n" not in str(error)
        return Counter({"package: refused": 1})
    return Counter({"package: done": 1})
