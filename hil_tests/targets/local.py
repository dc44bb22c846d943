"""This machine as a target: the runtime from its wheel, in a folder of its own, never from the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from typing_extensions import override

from hil_tests.places.place import bare_environment
from hil_tests.places.prepared_folder import STAMP, is_prepared, replaced
from hil_tests.targets.target import Target, TargetFailed
from hil_tests.targets.transfer import file_sha256
from runtime.errors import BadArgument
from runtime.output_checks import check_folder
from runtime.whole_output import replacing, replacing_folder

SECONDS_TO_END = 5.0
MARK = ".linerwkv-target"
"""A file of the folder that a local target has for itself."""


class LocalTarget(Target):
    """This machine. Libraries are those of the interpreter; what is deployed is in `folder` and stays there."""

    def __init__(
        self,
        *,
        name: str,
        folder: Path,
        label: str = "measured",
        python: str = sys.executable,
        processors: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`python`: the interpreter, with the runtime's libraries; none is touched before `bring_up`."""
        self.name = name
        self.label = label
        self.root = folder.resolve()
        self.folder = PurePosixPath(self.root)
        self.python = python
        self.processors = tuple(processors)
        self.variables = dict(variables or {})
        self.site: Path | None = None
        self.children: list[subprocess.Popen[bytes]] = []

    @override
    def bring_up(self) -> None:
        """End what an earlier use left, and see that Python and the processors are there."""
        self.reset()
        missing = sorted(set(self.processors) - os.sched_getaffinity(0))
        if missing:
            raise TargetFailed(f"{self.name}: processor {missing[0]} is not there for us to pin to")
        try:
            check_folder(self.root, is_target)
            self.root.mkdir(parents=True, exist_ok=True)
            (self.root / MARK).touch()
        except OSError as error:
            raise TargetFailed(f"{self.name}: {self.root}: {error.strerror}") from None
        except BadArgument as error:
            raise TargetFailed(f"{self.name}: {error}") from None
        self.shell([self.python, "--version"])

    @override
    def deploy(self, wheel: Path) -> None:
        """A wheel of Python alone is unpacked; another one gets compiled kernels of its own."""
        identity = file_sha256(wheel)
        site = self.root / f"site-{identity[:12]}"
        if not is_prepared(site, identity):
            for old in self.root.glob("site-*"):
                shutil.rmtree(old, ignore_errors=True)
            try:
                with replaced(site, identity) as unfinished, zipfile.ZipFile(wheel) as archive:
                    archive.extractall(unfinished)
            except (OSError, zipfile.BadZipFile) as error:
                raise TargetFailed(f"{self.name}: {wheel.name} does not unpack: {error}") from None
        self.site = site

    def environment(self) -> dict[str, str]:
        """What the runtime runs with: its own site first, one thread for every library."""
        if self.site is None:
            raise TargetFailed(f"{self.name}: no runtime is deployed")
        own = {"PYTHONPATH": str(self.site), "NUMBA_CACHE_DIR": f"{self.site}-numba", **self.variables}
        return bare_environment(**own)

    @override
    def put(self, local: Path, remote: str) -> None:
        self.copy(local, self.root / remote)

    @override
    def fetch(self, remote: str, local: Path) -> None:
        self.copy(self.root / remote, local)

    def copy(self, source: Path, wanted: Path) -> None:
        """A file or folder under a new name, whole or not at all."""
        try:
            wanted.parent.mkdir(parents=True, exist_ok=True)
            if wanted.is_dir() != source.is_dir():
                remove(wanted)
            if source.is_dir():
                with replacing_folder(wanted, lambda _: True) as folder:  # all in the root is ours
                    shutil.copytree(source, folder, dirs_exist_ok=True)
            else:
                with replacing(wanted) as part:
                    shutil.copyfile(source, part)
        except (OSError, BadArgument) as error:
            raise TargetFailed(f"{self.name}: {source.name} to {wanted}: {error}") from None

    @override
    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        pinned = ["taskset", "-c", ",".join(map(str, self.processors))] if self.processors else []
        words = [*pinned, self.python, "-m", module, *arguments]
        try:
            child = subprocess.Popen(
                words, cwd=self.root, env=self.environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise TargetFailed(f"{self.name}: {words[0]}: {error.strerror}") from None
        self.children = [*(one for one in self.children if one.poll() is None), child]
        return child

    @override
    def shell(self, words: Sequence[str], *, seconds: float = 60.0, variables: Mapping[str, str] | None = None) -> str:
        try:
            done = subprocess.run(
                list(words), cwd=self.root, env={**bare_environment(), **(variables or {})}, timeout=seconds,
                stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True, errors="replace",
            )  # fmt: skip
        except OSError as error:
            raise TargetFailed(f"{self.name}: {words[0]}: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise TargetFailed(f"{self.name}: {words[0]}: not ended in {seconds:g} s") from None
        if done.returncode != 0:
            raise TargetFailed(f"{self.name}: {words[0]}: exit code {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

    @override
    def reset(self) -> None:
        """Kill what we started."""
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait(SECONDS_TO_END)
        self.children = []

    @override
    def close(self) -> None:
        """What is deployed stays for the next time."""
        self.reset()


def is_target(folder: Path) -> bool:
    """Whether a local target made the folder, by its mark, or before there was one by the runtime deployed there."""
    return (folder / MARK).is_file() or any(folder.glob(f"site-*/{STAMP}"))


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, where it is there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
