"""Where a module of the runtime runs: this interpreter, another environment, an emulated machine."""

import os
import sys
from pathlib import Path
from typing import Protocol

from typing_extensions import override

REPOSITORY = Path(__file__).parents[2]


class Place(Protocol):
    """An interpreter that can import the runtime of this repository and sees the files of this machine."""

    name: str

    def command(self, module: str, *arguments: str | Path) -> list[str]:
        """What to run for `python -m module arguments` in this place, for `subprocess`."""

    def environment(self) -> dict[str, str]:
        """The environment variables to run it with."""


def bare_environment(**more: str) -> dict[str, str]:
    """The variables of this process without those that would lead another interpreter to the wrong libraries.

    One thread for every library, so that a test takes one core.
    """
    foreign = ("PYTHON", "LD_", "VIRTUAL_ENV", "NUMBA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONNOUSERSITE": "1", **threads, **more}


class Here(Place):
    """The interpreter that runs this."""

    name = "here"

    @override
    def command(self, module: str, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", module, *map(str, arguments)]

    @override
    def environment(self) -> dict[str, str]:
        return bare_environment()
