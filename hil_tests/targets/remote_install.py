"""The runtime's libraries on a board without package index: asked for by name, sent as unpacked wheels."""

import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from hil_tests.places.runtime_wheels import install_for, runtime_requirements

MISSING = """
import importlib.metadata, sys
for name in sys.argv[1:]:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        print(name)
"""
MACHINE = "import platform; print(platform.machine(), *platform.python_version_tuple()[:2])"


class Board(Protocol):
    """What is needed of the target."""

    python: str

    def environment(self) -> dict[str, str]:
        """What Python runs with there."""

    def shell(self, words: Sequence[str], *, seconds: float = ..., variables: dict[str, str] | None = ...) -> str:
        """What a command there prints, as of a `Target`."""


def missing_libraries(board: Board, site: str) -> list[str]:
    """The runtime's libraries that neither Python's own folders nor `site` have there; the user's do not count."""
    names = [re.split(r"[<>=!~ ]", line)[0] for line in runtime_requirements()]
    variables = {**board.environment(), "PYTHONPATH": site}
    return board.shell([board.python, "-c", MISSING, *names], seconds=300, variables=variables).split()


@contextlib.contextmanager
def libraries_for(board: Board) -> Iterator[Path]:
    """A folder of the libraries for the board's processor and Python; it vanishes at the end of the block.

    Raises SetupFailed or NotAvailable: no such wheels, no package index from here.
    """
    machine, major, minor = board.shell([board.python, "-c", MACHINE]).split()
    with tempfile.TemporaryDirectory() as scratch:
        install_for(machine, f"{major}.{minor}", Path(scratch) / "site")
        yield Path(scratch) / "site"
