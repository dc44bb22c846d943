"""Packages with one thing changed and the hashes renewed."""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from export.integer_package import integer_package_parts
from runtime.cell.flight_package import SHIPPED
from runtime.cell.integer_cell import CellShape
from tests.reference.random_cell import random_cell

Parts = dict[str, bytes]
SHAPE = CellShape(4, 8, 2, 1, 5, 2)


def shipped_parts(folder: Path = SHIPPED) -> Parts:
    """The files of a shipped package."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@functools.cache
def made_once() -> Parts:
    """An int8 package of a random cell."""
    return integer_package_parts(random_cell(SHAPE, 1), "random", {}, {})


def random_parts() -> Parts:
    """Its files, free to be changed."""
    return dict(made_once())


def manifest_of(parts: Parts) -> dict[str, Any]:
    """The manifest, free to be changed."""
    manifest: dict[str, Any] = json.loads(parts["manifest.json"])
    return manifest


def sealed(parts: Parts, manifest: dict[str, Any] | None = None) -> Parts:
    """The parts with a manifest that names their present hashes."""
    found = manifest or manifest_of(parts)
    found["parts"] = {name: hashlib.sha256(parts[name]).hexdigest() for name in found["parts"] if name in parts}
    return {**parts, "manifest.json": json.dumps(found).encode()}
