"""This machine as a `Target` for meters alone: programs of ours run in a folder, nothing is deployed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from typing_extensions import override

from hil_tests.places.place import bare_environment
from hil_tests.targets.target import Target, TargetFailed
from runtime.errors import BadArgument
from runtime.whole_output import replacing


class ThisMachine(Target):
    """The machine that this runs on; `folder` is there already."""

    name = "this machine"
    label = "measured"

    def __init__(self, folder: Path, through: Sequence[str] = ()) -> None:
        """through: the command that starts programs, if not the system alone."""
        self.root = folder
        self.through = list(through)
        self.folder = PurePosixPath(folder)

    @override
    def bring_up(self) -> None:
        """It runs."""

    @override
    def deploy(self, wheel: Path) -> None:
        """Raises BadArgument: meters need no runtime."""
        raise BadArgument(f"{wheel.name} is not deployed to this machine; it is a target for meters alone")

    @override
    def put(self, local: Path, remote: str) -> None:
        """Files only."""
        self._copy(local, self.root / remote)

    @override
    def fetch(self, remote: str, local: Path) -> None:
        self._copy(self.root / remote, local)

    def _copy(self, source: Path, copy: Path) -> None:
        try:
            with replacing(copy) as partial:
                shutil.copyfile(source, partial)
        except BadArgument as error:
            raise TargetFailed(str(error)) from None

    @override
    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.through, sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env=bare_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @override
    def shell(self, words: Sequence[str], *, seconds: float = 60.0, variables: Mapping[str, str] | None = None) -> str:
        try:
            done = subprocess.run(
                list(words), cwd=self.root, env={**os.environ, **(variables or {})}, timeout=seconds, check=True,
                capture_output=True, text=True, errors="replace",
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise TargetFailed(f"{words[0]}: {error}") from None
        return done.stdout

    @override
    def reset(self) -> None:
        """Nothing runs between calls."""

    @override
    def close(self) -> None:
        """Nothing is held."""
