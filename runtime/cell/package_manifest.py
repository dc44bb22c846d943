"""The manifest of a package: its values are held against their kinds, and it names every file that is used."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from runtime.cell.integer_cell import ARITHMETIC
from runtime.cell.package_files import FILE_NAME, MANIFEST
from runtime.checked_table import checked_value, json_table, shown
from runtime.errors import BadArgument, Corrupt, TooNew

FORMAT_VERSION, FLOAT_FORMAT_VERSION = 3, 1
FLOAT = "float32"
CELLS = {FLOAT: ("line_step", "band_step"), ARITHMETIC: ("line_step",)}
"""The graphs of a package, by its arithmetic."""
OLDER = ("int8-v1",)
"""Arithmetics of releases before, which no code runs any more."""
LARGEST_MANIFEST_BYTES = 1 << 22
LARGEST_DEVIATION = 1 << 17

FileName = Annotated[str, Meta(pattern=FILE_NAME, description="plain file name")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 in 64 digits")]
Name = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}$", description="text of one line")]
Size = Annotated[int, Meta(ge=1, le=1 << 16)]
Sample = Annotated[int, Meta(ge=-(1 << 16), le=1 << 16)]
Deviation = Annotated[int, Meta(ge=1, le=LARGEST_DEVIATION)]
KINDS: dict[str, Any] = {
    "name": Name, "parts": dict[FileName, Sha256], "weights": FileName, "n_bands": Size | None,
    "n_columns": Size | None,
}  # fmt: skip
INTEGER_KINDS: dict[str, Any] = {
    "architecture": dict[str, Any], "integers.file": FileName, "integers.tensors": list[dict[str, Any]],
    "conformance.file": FileName, "conformance.tensors": list[dict[str, Any]],
}  # fmt: skip
FLOAT_KINDS: dict[str, Any] = {
    "base": Literal["mean", "line", "spectral"], "normalisation.kind": Literal["first-line", "constants"],
    "states": Annotated[list[dict[str, Any]], Meta(max_length=1 << 10)],
}  # fmt: skip
CONSTANTS_KINDS: dict[str, Any] = {
    "normalisation.mean": Annotated[list[Sample], Meta(min_length=1)],
    "normalisation.scale": Annotated[list[Deviation], Meta(min_length=1)],
}
USED, USED_BY_INTEGERS = ("weights",), ("integers.file", "conformance.file")


def read_manifest(path: Path, text: bytes) -> dict[str, Any]:
    """The checked manifest of the package at `path`. Raises BadArgument (of an older release), Corrupt or TooNew."""
    where = f"package {path}: {MANIFEST}"
    if len(text) > LARGEST_MANIFEST_BYTES:
        raise Corrupt(f"{where}: {len(text)} bytes, allowed {LARGEST_MANIFEST_BYTES}")
    try:
        manifest = json_table(text.decode(), where)
        version = checked_value(int, manifest.get("format_version"), where, "format_version")
    except (BadArgument, UnicodeDecodeError) as error:
        raise Corrupt(str(error) if isinstance(error, BadArgument) else f"{where}: text that is not UTF-8") from None
    arithmetic = checked_arithmetic(path, version, manifest.get("arithmetic"))
    cells = {f"cells.{name}": FileName for name in CELLS[arithmetic]}
    kinds = KINDS | cells | (INTEGER_KINDS if arithmetic == ARITHMETIC else FLOAT_KINDS)
    try:
        check_kinds(manifest, kinds, where)
        if arithmetic == FLOAT and manifest["normalisation"]["kind"] == "constants":
            check_kinds(manifest, CONSTANTS_KINDS, where)
            mean, scale = (len(manifest["normalisation"][key]) for key in ("mean", "scale"))
            if mean != scale:
                raise Corrupt(
                    f"{where}: key normalisation: {mean} means, {scale} scales, allowed one of each for a band"
                )
    except BadArgument as error:
        raise Corrupt(str(error)) from None
    for key in (*cells, *USED, *(USED_BY_INTEGERS if arithmetic == ARITHMETIC else ())):
        if value_at(manifest, key) not in manifest["parts"]:
            raise Corrupt(f"{where}: key parts: found no {value_at(manifest, key)}, which {key} names")
    return manifest


def checked_arithmetic(path: Path, version: int, arithmetic: Any) -> str:
    """The arithmetic. Raises TooNew, or BadArgument, for a package of a release after, or before, this one."""
    if not 1 <= version <= FORMAT_VERSION:
        raise TooNew(f"package {path}: format version {version}, this release reads up to {FORMAT_VERSION}")
    if arithmetic in OLDER:
        older = f"package {path}: arithmetic {arithmetic} is of an older release, this one runs {ARITHMETIC}"
        raise BadArgument(f"{older}: make it again by linerwkv export")
    if arithmetic not in (FLOAT, ARITHMETIC):
        found = repr(arithmetic) if isinstance(arithmetic, str) else shown(arithmetic)
        raise TooNew(f"package {path}: arithmetic {found[:100]}, this release runs {ARITHMETIC!r}")
    return str(arithmetic)


def value_at(manifest: dict[str, Any], key: str) -> Any:
    """The value of a dotted key, None where there is none."""
    found: Any = manifest
    for name in key.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def check_kinds(manifest: dict[str, Any], kinds: dict[str, Any], where: str) -> None:
    """Raise BadArgument where the value of a key is of another kind."""
    for key, kind in kinds.items():
        checked_value(kind, value_at(manifest, key), where, key)


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
