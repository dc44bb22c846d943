"""A flight package: ONNX cells, their weights and a manifest, in a folder or one zip (docs/formats/package.md)."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runtime.cell.cell_graph import FLOAT_NODES, FLOAT_OPERATORS, INTEGER_OPERATORS, NODES_OF_A_LAYER, check_graph
from runtime.cell.conformance import Conformance
from runtime.cell.integer_base import Base
from runtime.cell.integer_cell import ARITHMETIC, CellShape, IntegerCell, cell_from_tensors, unpack_tensors
from runtime.cell.package_files import MANIFEST, read_parts
from runtime.cell.package_manifest import CELLS, check_parts, read_manifest
from runtime.cell.signature import read_trust, signer_of
from runtime.cell.state_spec import StateSpec
from runtime.checked_table import checked_table
from runtime.errors import BadArgument, Corrupt, LineRwkvError

NEXT = "_next"  # appended to a state's name for its output
PACKAGES = Path(__file__).parents[1] / "packages"
SHIPPED = PACKAGES / "flight"
SHIPPED_LARGE = PACKAGES / "flight-large"
SHIPPED_FLOAT = PACKAGES / "small"
ALL_SHIPPED = (SHIPPED, SHIPPED_LARGE, SHIPPED_FLOAT)
FORMER = PACKAGES / "former"
"""Those that were shipped under the same names before, HASH.zip as in a store: streams name them for ever."""


@dataclass(frozen=True)
class FlightPackage:
    """What a package says, checked against its own checksums."""

    source: Path
    sha256: bytes  # Of the manifest, which names the sha256 of every part: the identity that streams carry. 32 bytes.
    manifest: dict[str, Any]
    parts: dict[str, bytes] = field(repr=False)
    """The manifest and the files that it names, no other."""
    signer: str | None = field(default=None, kw_only=True)
    """Name of the trusted key that signed it, where a trust file was given."""

    @property
    def arithmetic(self) -> str:
        """`int8-v2`: the same predictions everywhere. `float32`: repeatable on one machine only."""
        return str(self.manifest["arithmetic"])

    @property
    def graphs(self) -> dict[str, str]:
        """The files of its graphs by what they are: `line_step`, in a float package `band_step`, too."""
        return graph_files(self.manifest)


@dataclass(frozen=True)
class FloatPackage(FlightPackage):
    """A network in float32."""

    states: tuple[StateSpec, ...]
    base: Base


@dataclass(frozen=True)
class IntegerPackage(FlightPackage):
    """A network in int8-v2."""

    cell: IntegerCell  # The integers that the graph and the spectral part are made of
    conformance: Conformance  # Recorded lines that every executor, and every machine, must reproduce


def graph_files(manifest: dict[str, Any]) -> dict[str, str]:
    """As `FlightPackage.graphs`, of a checked manifest."""
    return {name: manifest["cells"][name] for name in CELLS[manifest["arithmetic"]]}


def open_package(path: Path, trust: Path | None = None) -> FlightPackage:
    """Read and check a package; the name of a shipped one stands for it where nothing lies at that path.

    trust: a file of public keys (docs/formats/package.md); a package that none of them signed is refused before a
    value of it is read. Raises BadArgument (not found, not trusted, of an older release), Corrupt or TooNew.
    """
    is_shipped = path in [Path(shipped.name) for shipped in ALL_SHIPPED] and not path.exists()
    source = PACKAGES / path if is_shipped else path
    keys = None if trust is None else read_trust(trust)
    parts = read_parts(source)
    signer = None if keys is None else signer_of(source, parts, keys)
    return replace(package_of_parts(source, parts), signer=signer)


def shipped_packages(identities: Collection[bytes], trust: Path | None = None) -> list[FlightPackage]:
    """Those of the shipped packages that have one of the identities, 32 bytes each. Raises as `open_package`."""
    if trust is not None:
        read_trust(trust)  # a file that is none is told also where it is not needed
    there = shipped_identities() if identities else {}
    return [open_package(path, trust) for path, identity in there.items() if identity in identities]


def shipped_identities() -> dict[Path, bytes]:
    """Of the shipped packages that are there, former ones too, by their places; nothing else of them is read."""
    there = [path for path in ALL_SHIPPED if (path / MANIFEST).is_file()]
    former = {path: bytes.fromhex(path.stem) for path in sorted(FORMER.glob("*.zip"))}
    return {path: hashlib.sha256((path / MANIFEST).read_bytes()).digest() for path in there} | former


def open_integer_package(path: Path, trust: Path | None = None) -> IntegerPackage:
    """An int8 package. Raises BadArgument for a float one, and what `open_package` raises."""
    package = open_package(path, trust)
    if not isinstance(package, IntegerPackage):
        raise BadArgument(f"package {path} is of arithmetic {package.arithmetic}, allowed {ARITHMETIC}")
    return package


def package_of_parts(path: Path, parts: dict[str, bytes]) -> FlightPackage:
    """Check the files of a package, which lie or will lie at `path`. Raises what `read_manifest` raises."""
    if MANIFEST not in parts:
        raise Corrupt(f"package {path}: {MANIFEST} is missing")
    manifest = read_manifest(path, parts[MANIFEST])
    check_parts(path, manifest, parts)
    used = {name: parts[name] for name in (MANIFEST, *manifest["parts"])}
    identity = hashlib.sha256(parts[MANIFEST]).digest()
    try:
        if manifest["arithmetic"] == ARITHMETIC:
            return integer_package(path, identity, manifest, used)
        check_cells(manifest, used, FLOAT_OPERATORS, FLOAT_NODES)
        states = tuple(
            checked_table(StateSpec, state, MANIFEST, f"states[{index}]", dtype="float32")
            for index, state in enumerate(manifest["states"])
        )
        return FloatPackage(path, identity, manifest, used, states, Base(manifest["base"]))
    except LineRwkvError as error:
        raise Corrupt(f"package {path}: {error}") from None


def integer_package(path: Path, identity: bytes, manifest: dict[str, Any], parts: dict[str, bytes]) -> IntegerPackage:
    """The int8-v2 form of a checked package. Raises Corrupt."""
    integers, recorded = (manifest[key] for key in ("integers", "conformance"))
    shape = CellShape.from_dict(manifest["architecture"])
    check_cells(manifest, parts, INTEGER_OPERATORS, NODES_OF_A_LAYER * len(shape.line_layers()))
    cell = cell_from_tensors(shape, unpack_tensors(parts[integers["file"]], integers["tensors"]))
    conformance = Conformance.from_tensors(cell.shape, unpack_tensors(parts[recorded["file"]], recorded["tensors"]))
    return IntegerPackage(path, identity, manifest, parts, cell, conformance)


def check_cells(manifest: dict[str, Any], parts: dict[str, bytes], operators: frozenset[str], most_nodes: int) -> None:
    """Raise Corrupt where a graph holds what no cell does."""
    weights = manifest["weights"]
    for name in graph_files(manifest).values():
        try:
            check_graph(parts[name], operators, most_nodes, (weights, len(parts[weights])))
        except Corrupt as error:
            raise Corrupt(f"graph {name}: {error}") from None
