"""Signed packages to replace the one that flies, and the key that is trusted."""

import shutil
from pathlib import Path
from typing import NamedTuple

from runtime.cell.flight_package import SHIPPED, SHIPPED_LARGE
from runtime.cell.signing import sign_package, write_keys


class NewPackages(NamedTuple):
    """On the machine that flies."""

    larger: Path
    same: Path
    """That which flies from the start on."""
    trust: Path


def made_packages(folder: Path) -> NewPackages:
    """Both shipped packages, signed by a key of this flight. Raises BadArgument: no library for signatures."""
    key, trust = write_keys(folder / "ground", "flight trial")
    paths = {source: folder / f"signed_{source.name}" for source in (SHIPPED_LARGE, SHIPPED)}
    for source, path in paths.items():
        shutil.copytree(source, path)
        sign_package(path, key)
    return NewPackages(paths[SHIPPED_LARGE], paths[SHIPPED], trust)
