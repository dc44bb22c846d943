"""The environment of an executor as a place where modules of the runtime run."""

from pathlib import Path

from typing_extensions import override

from hil_tests.places.executor_setup import EXECUTORS
from hil_tests.places.place import Place, bare_environment
from hil_tests.places.tool import SetupFailed, run_tool


class OwnEnvironment(Place):
    """A `Place` with the libraries of one executor, for example `openvino`."""

    def __init__(self, name: str) -> None:
        """Raises SetupFailed (not set up yet)."""
        self.name = name
        self.python = EXECUTORS / name / "bin" / "python"
        if not self.python.exists():
            raise SetupFailed(f"executor {name} is not set up: run python -m hil_tests.places.executor_setup {name}")

    @override
    def command(self, module: str, *arguments: str | Path) -> list[str]:
        return [str(self.python), "-m", module, *map(str, arguments)]

    @override
    def environment(self) -> dict[str, str]:
        return bare_environment()

    def version(self, library: str) -> str:
        """Name and version of a library there. Raises SetupFailed."""
        words = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
        return f"{library} {run_tool([self.python, '-c', words, library], env=self.environment()).strip()}"
