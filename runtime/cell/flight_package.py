"""A flight package: the ONNX cells, their weights and a manifest, in a folder or one zip (docs/formats/package.md)."""

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.cell.conformance import Conformance
from runtime.cell.integer_base import Base
from runtime.cell.integer_cell import ARITHMETIC, CellShape, IntegerCell, cell_from_tensors, unpack_tensors
from runtime.cell.state_spec import StateSpec
from runtime.errors import BadArgument, Corrupt, TooNew

FORMAT_VERSION = 2
MANIFEST = "manifest.json"
NEXT = "_next"  # appended to a state's name for its output
LARGEST_PART_BYTES = 1 << 30
PACKAGES = Path(__file__).parents[1] / "packages"
SHIPPED = PACKAGES / "flight"
SHIPPED_FLOAT = PACKAGES / "small"


@dataclass(frozen=True)
class FlightPackage:
    """What a package says, checked against its own checksums."""

    source: Path
    sha256: bytes  # Of the manifest, which names the sha256 of every part: the identity that streams carry. 32 bytes.
    manifest: dict[str, Any]
    parts: dict[str, bytes] = field(repr=False)

    @property
    def arithmetic(self) -> str:
        """`int8-v1`: the same predictions everywhere. `float32`: repeatable on one machine only."""
        return str(self.manifest["arithmetic"])


@dataclass(frozen=True)
class FloatPackage(FlightPackage):
    """A network in float32."""

    states: tuple[StateSpec, ...]
    base: Base


@dataclass(frozen=True)
class IntegerPackage(FlightPackage):
    """A network in int8-v1."""

    cell: IntegerCell  # The integers that both cells are made of
    conformance: Conformance  # Recorded lines that every executor must reproduce


def read_parts(path: Path) -> dict[str, bytes]:
    """All files of a package folder or zip by name."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()}
    if not path.is_file():
        raise BadArgument(f"package {path} not found")
    try:
        with zipfile.ZipFile(path) as archive:
            too_large = [entry.filename for entry in archive.infolist() if entry.file_size > LARGEST_PART_BYTES]
            if too_large:
                raise Corrupt(f"package {path}: part {too_large[0]} is larger than {LARGEST_PART_BYTES} bytes")
            return {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise Corrupt(f"package {path} is neither a folder nor a sound zip: {error}") from error


def check_identity(path: Path, expected: bytes, manifest: bytes) -> None:
    """Raise Corrupt where the manifest, as bytes, is not the one with this sha256."""
    found = hashlib.sha256(manifest).digest()
    if found != expected:
        raise Corrupt(f"package {path}: {MANIFEST} has sha256 {found.hex()[:12]}..., wanted {expected.hex()[:12]}...")


def check_parts(path: Path, manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    """Raise Corrupt where a part is missing or does not have the sha256 of the manifest."""
    for name, expected in manifest["parts"].items():
        if name not in parts:
            raise Corrupt(f"package {path}: part {name} is missing")
        found = hashlib.sha256(parts[name]).hexdigest()
        if found != expected:
            raise Corrupt(f"package {path}: part {name} has sha256 {found[:12]}..., manifest says {expected[:12]}...")


def open_package(path: Path) -> FlightPackage:
    """Read and check a package; the name of a shipped one stands for it where nothing lies at that path.

    Raises BadArgument (not found), Corrupt or TooNew.
    """
    shipped = PACKAGES / path.name
    is_shipped = path == Path(path.name) and not path.exists() and shipped.is_dir()
    source = shipped if is_shipped else path
    return package_of_parts(source, read_parts(source))


def open_integer_package(path: Path) -> IntegerPackage:
    """An int8 package. Raises BadArgument for a float one, and what `open_package` raises."""
    package = open_package(path)
    if not isinstance(package, IntegerPackage):
        raise BadArgument(f"package {path} is of arithmetic {package.arithmetic}, allowed {ARITHMETIC}")
    return package


def package_of_parts(path: Path, parts: dict[str, bytes]) -> FlightPackage:
    """Check the files of a package, which lie or will lie at `path`. Raises Corrupt or TooNew."""
    if MANIFEST not in parts:
        raise Corrupt(f"package {path}: {MANIFEST} is missing")
    try:
        manifest = json.loads(parts[MANIFEST])
        version = manifest["format_version"]
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise TooNew(f"package {path}: format version {version}, this release reads up to {FORMAT_VERSION}")
        if manifest["arithmetic"] not in ("float32", ARITHMETIC):
            raise TooNew(f"package {path}: arithmetic {manifest['arithmetic']!r}, this release runs {ARITHMETIC!r}")
        check_parts(path, manifest, parts)
        for cell in ("line_step", "band_step"):
            parts[manifest["cells"][cell]]
        identity = hashlib.sha256(parts[MANIFEST]).digest()
        if manifest["arithmetic"] == ARITHMETIC:
            return integer_package(path, identity, manifest, parts)
        states = tuple(StateSpec(dtype="float32", **state) for state in manifest["states"])
        if manifest["normalisation"]["kind"] not in ("first-line", "constants"):
            raise ValueError(f"normalisation {manifest['normalisation']['kind']!r}")
        return FloatPackage(path, identity, manifest, parts, states, Base(manifest["base"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Corrupt(f"package {path}: {MANIFEST} is not sound: {type(error).__name__} {error}") from None


def integer_package(path: Path, identity: bytes, manifest: dict[str, Any], parts: dict[str, bytes]) -> IntegerPackage:
    """The int8-v1 form of a checked package. Raises Corrupt, KeyError, TypeError or ValueError."""
    integers, recorded = manifest["integers"], manifest["conformance"]
    try:
        cell = cell_from_tensors(
            CellShape.from_dict(manifest["architecture"]), unpack_tensors(parts[integers["file"]], integers["tensors"])
        )
        conformance = Conformance.from_tensors(cell.shape, unpack_tensors(parts[recorded["file"]], recorded["tensors"]))
    except Corrupt as error:
        raise Corrupt(f"package {path}: {error}") from None
    return IntegerPackage(path, identity, manifest, parts, cell, conformance)
