"""A machine that the runtime is accepted on, as the few verbs that every kind of it has."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from runtime.errors import LineRwkvError


class TargetFailed(LineRwkvError):
    """The target does not do what was asked: it does not start, the link is gone, a command ended with an error."""


class Target(Protocol):
    """A board, or what replaces one. Nothing is known of its state before `bring_up`.

    name: of the board file. folder: where our files are on it; relative paths of commands are seen from there.
    label: what a figure from it may be called, `measured`, `emulated` or `simulated`.
    """

    name: str
    label: str
    folder: PurePosixPath

    def bring_up(self) -> None:
        """From any state, off and hung included, to one where commands run and `folder` exists. Raises TargetFailed."""

    def deploy(self, wheel: Path) -> None:
        """Install this wheel of the runtime; what it needs is there already, or is installed from wheels.

        Raises TargetFailed.
        """

    def put(self, local: Path, remote: str) -> None:
        """Copy a file or folder into `folder` under the name `remote`, whole or not at all. Raises TargetFailed."""

    def fetch(self, remote: str, local: Path) -> None:
        """Copy a file of `folder` here, whole or not at all. Raises TargetFailed."""

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """`python -m module arguments` on the target, with the environment and pinning of the board file.

        A local process that has the command's standard streams (pipes) and exit code; ending it ends the command.
        """

    def shell(self, words: Sequence[str], *, seconds: float = 60.0, variables: Mapping[str, str] | None = None) -> str:
        """What a command of the target's own system prints. Raises TargetFailed: not 0, or not ended in time."""

    def reset(self) -> None:
        """End everything that runs on the target, by its power switch where there is one; `bring_up` comes next."""

    def close(self) -> None:
        """Give the target back, as it was found where that can be."""
