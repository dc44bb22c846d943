"""What is known of every golden file: what it shows, who wrote it, its sha256, and what must come back from it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runtime.checked_table import checked_table, json_table, read_file
from runtime.whole_output import replacing

FOLDER = Path(__file__).parent
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Writer:
    """What wrote files."""

    release: str
    stream_version: int
    commit: str
    """The last one then that changed the runtime."""
    runtime: str
    """Git's hash of the folder runtime/, which stays true where commits are put together later."""


@dataclass(frozen=True)
class Restored:
    """What comes back, as `decompress` gives it; what there is not is left out of the file."""

    shape: list[int]
    """Lines, bands, columns."""
    sample_type: str
    samples: str
    """sha256 of raw little-endian BIL lines, those that are missing zero."""
    metadata: str | None = None
    """sha256 of their JSON, keys in order, no blanks."""
    records: str | None = None
    """sha256 of the same of a list of [line, hexadecimal digits of its record]."""
    missing: list[list[int]] = field(default_factory=list)
    """First and last lines of runs."""
    missing_from: int | None = None


@dataclass(frozen=True)
class GoldenStream:
    """A file of streams/."""

    shows: str
    options: dict[str, Any]
    """As a command line has them."""
    sha256: str
    writer: str
    restored: Restored
    packages: list[str] = field(default_factory=list)
    """Names of golden packages that it needs."""
    is_salvaged: bool = False
    """Whether it is damaged, so that only salvage reads it."""


@dataclass(frozen=True)
class GoldenPackage:
    """A file of packages/."""

    shows: str
    sha256: str
    writer: str
    identity: str
    """sha256 of the package's own manifest, by which streams name it."""


@dataclass(frozen=True)
class Manifest:
    """All files by their names without suffix."""

    writers: dict[str, Writer] = field(default_factory=dict)
    packages: dict[str, GoldenPackage] = field(default_factory=dict)
    streams: dict[str, GoldenStream] = field(default_factory=dict)

    def to_json(self) -> str:
        """A line for each entry, in the order of their names."""
        tables = []
        for name in ("writers", "packages", "streams"):
            entries = sorted(getattr(self, name).items())
            lines = [f'  "{key}": {json.dumps(dict(filled(asdict(entry))))}' for key, entry in entries]
            tables.append(f' "{name}": {{\n' + ",\n".join(lines) + "\n }")
        return "{\n" + ",\n".join(tables) + "\n}\n"


def filled(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values that say something."""
    for name, value in values.items():
        if name == "restored":
            yield name, dict(filled(value))
        elif value not in (None, [], False):
            yield name, value


def stream_path(folder: Path, name: str) -> Path:
    """Where a stream lies."""
    return folder / "streams" / f"{name}.lrwk"


def package_path(folder: Path, name: str) -> Path:
    """Where a package lies."""
    return folder / "packages" / f"{name}.zip"


def read_manifest(folder: Path = FOLDER) -> Manifest:
    """That of a folder; an empty one where there is none. Raises BadArgument."""
    path = folder / MANIFEST
    if not path.exists():
        return Manifest()
    where = f"golden streams {path}"
    return checked_table(Manifest, json_table(read_file(path, where).decode(), where), where)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Equal entries give equal bytes."""
    with replacing(folder / MANIFEST) as unfinished:
        unfinished.write_text(manifest.to_json())
