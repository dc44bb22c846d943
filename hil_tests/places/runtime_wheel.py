"""The wheel of the runtime alone: what a target gets, the same bytes for the same source."""

import base64
import hashlib
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from hil_tests.places.place import REPOSITORY
from hil_tests.places.runtime_wheels import PROJECT, runtime_requirements
from runtime.whole_output import replacing

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
GROUPS = ("linerwkv.commands", "linerwkv.executors")
TAG = "py3-none-any"
WHEEL = f"Wheel-Version: 1.0\nGenerator: linerwkv\nRoot-Is-Purelib: true\nTag: {TAG}\n"


def runtime_files() -> dict[str, bytes]:
    """Content of every file of the runtime by its path in the wheel, sorted."""
    folder = REPOSITORY / "runtime"
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(REPOSITORY)): path.read_bytes() for path in paths}


def entry_points(project: dict[str, Any]) -> str:
    """The project's commands that the runtime alone has."""
    scripts, groups = project["scripts"], project["entry-points"]
    tables = {"console_scripts": scripts, **{group: groups[group] for group in GROUPS}}
    parts = []
    for name, entries in tables.items():
        kept = [f"{key} = {value}" for key, value in entries.items() if value.startswith("runtime.")]
        parts += [f"[{name}]", *kept, ""] if kept else []
    return "\n".join(parts)


def build_runtime_wheel(folder: Path) -> Path:
    """Write the wheel into a folder and return its path. Raises SetupFailed outside a checkout, BadArgument."""
    requirements = runtime_requirements()
    project = tomllib.loads(PROJECT.read_text())["project"]
    name, version = project["name"], project["version"]
    information = f"{name}-{version}.dist-info"
    metadata = [
        "Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {project['description']}",
        f"Requires-Python: {project['requires-python']}", *(f"Requires-Dist: {line}" for line in requirements), "",
    ]  # fmt: skip
    files = runtime_files()
    files[f"{information}/METADATA"] = "\n".join(metadata).encode()
    files[f"{information}/WHEEL"] = WHEEL.encode()
    files[f"{information}/entry_points.txt"] = entry_points(project).encode()
    record = f"{information}/RECORD"
    files[record] = "".join([*(record_row(path, data) for path, data in files.items()), f"{record},,\n"]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-{TAG}.whl"
    with replacing(wheel) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, FIXED_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return wheel


def record_row(path: str, data: bytes) -> str:
    """A row of RECORD: path, digest, size."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"
