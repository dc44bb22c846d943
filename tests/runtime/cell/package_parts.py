"""Packages with one thing changed and the hashes renewed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from runtime.cell.flight_package import SHIPPED

Parts = dict[str, bytes]


def shipped_parts(folder: Path = SHIPPED) -> Parts:
    """The files of a shipped package."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def manifest_of(parts: Parts) -> dict[str, Any]:
    """The manifest, free to be changed."""
    manifest: dict[str, Any] = json.loads(parts["manifest.json"])
    return manifest


def sealed(parts: Parts, manifest: dict[str, Any] | None = None) -> Parts:
    """The parts with a manifest that names their present hashes."""
    found = manifest or manifest_of(parts)
    found["parts"] = {name: hashlib.sha256(parts[name]).hexdigest() for name in found["parts"] if name in parts}
    return {**parts, "manifest.json": json.dumps(found).encode()}
