"""The libraries that the runtime needs, for any machine, from the wheels of the package index."""

import sys
import tomllib
from pathlib import Path
from typing import Any

from hil_tests.places.place import REPOSITORY
from hil_tests.places.tool import SetupFailed, run_tool

PROJECT = REPOSITORY / "pyproject.toml"
CONSTRAINTS = REPOSITORY / "constraints.txt"
TAGS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
AARCH64_PYTHON = "3.11"  # Debian's, where the processor is emulated
PIP_OPTIONS = ("--quiet", "--disable-pip-version-check", "--no-input", "--timeout", "20", "--retries", "3")


def project() -> dict[str, Any]:
    """The table `project` of pyproject.toml. Raises SetupFailed."""
    try:
        found: dict[str, Any] = tomllib.loads(PROJECT.read_text())["project"]
    except FileNotFoundError:
        raise SetupFailed(f"{PROJECT} is not there: run this in a checkout of the project") from None
    return found


def runtime_requirements() -> list[str]:
    """What pyproject.toml says that the base install needs."""
    dependencies: list[str] = project()["dependencies"]
    return dependencies


def board_requirements() -> list[str]:
    """The same, and what a recorder needs to take a signed package."""
    return [*runtime_requirements(), *project()["optional-dependencies"]["sign"]]


def wheel_recipe() -> str:
    """What decides which wheels are installed."""
    return "\n".join([*board_requirements(), CONSTRAINTS.read_text()])


def pip(python: Path | str, *arguments: str | Path, constrained: bool = True) -> None:
    """Run pip, with the project's constraints unless said otherwise. Raises SetupFailed or NotAvailable."""
    constraints = ("-c", CONSTRAINTS) if constrained else ()
    run_tool([python, "-m", "pip", *arguments, *PIP_OPTIONS, *constraints])


def install_for(machine: str, python: str, site: Path) -> None:
    """Unpack the runtime's libraries for another machine into `site`.

    `machine` as Linux names it (aarch64, x86_64), `python` its version (3.11). Raises SetupFailed or NotAvailable.
    """
    platform = [word for tag in TAGS for word in ("--platform", f"{tag}_{machine}")]
    pip(
        sys.executable, "install", "--target", site, "--only-binary=:all:", *platform,
        "--python-version", python, "--implementation", "cp", "--no-compile",
        *board_requirements(),
    )  # fmt: skip
