"""A power cut at the N-th step on the disk: what was not synced is torn or undone, and nothing runs after it."""

import os
from pathlib import Path
from typing import Any

import pytest


class PowerCut(BaseException):
    """Nothing catches it."""


class CutDisk:
    """Writes, syncs, names and removals below a folder are counted, and end at one of them for good.

    A file that was written and not synced keeps half of its bytes. A name that was given and not synced stays, or with
    `is_forgetful` is as it was before.
    """

    def __init__(self, folder: Path, at: int, *, is_forgetful: bool, patch: pytest.MonkeyPatch) -> None:
        """at: number of the first step that is not done; what is done after it raises, wherever it is."""
        self.folder, self.at, self.is_forgetful = folder, at, is_forgetful
        self.n_steps = 0
        self.is_cut = False
        self.not_synced: set[Path] = set()
        self.old_names: list[tuple[Path, bytes | None]] = []
        real = {name: getattr(os, name) for name in ("fsync", "replace", "unlink", "mkdir", "write")}
        real_bytes = Path.write_bytes

        def fsync(fd: int) -> None:
            path = Path(f"/proc/self/fd/{fd}").readlink()
            self.step(path)
            real["fsync"](fd)
            self.not_synced.discard(path)
            self.old_names = [(one, old) for one, old in self.old_names if one.parent != path]

        def replace(source: Any, target: Any) -> None:
            source, target = Path(source), Path(target)
            self.step(target)
            self.old_names.append((target, target.read_bytes() if target.exists() else None))
            real["replace"](source, target)
            if source in self.not_synced:
                self.not_synced ^= {source, target}

        def write_bytes(path: Path, data: bytes) -> int:
            self.not_synced.add(path)
            try:
                self.step(path)
            except PowerCut:
                real_bytes(path, data)
                raise
            return real_bytes(path, data)

        def on_path(name: str) -> Any:
            def call(path: Any, *more: Any, **words: Any) -> None:
                self.step(Path(path))
                real[name](path, *more, **words)

            return call

        def write(fd: int, data: Any) -> int:
            self.step(None)
            return int(real["write"](fd, data))

        patch.setattr(Path, "write_bytes", write_bytes)
        for name, new in (("fsync", fsync), ("replace", replace), ("write", write)):
            patch.setattr(os, name, new)
        for name in ("unlink", "mkdir"):
            patch.setattr(os, name, on_path(name))

    def step(self, path: Path | None) -> None:
        """Count a step of the folder; the one that is due and all after it raise PowerCut."""
        is_inside = path is not None and (path == self.folder or self.folder in path.parents)
        if is_inside and self.n_steps == self.at:
            self.is_cut = True
        self.n_steps += is_inside
        if self.is_cut:
            raise PowerCut

    def lose(self) -> None:
        """What a cut costs, also one after the last step; called when the patches are undone."""
        for path in self.not_synced:
            if path.is_file():
                data = path.read_bytes()
                path.write_bytes(data[: len(data) // 2])
        for target, old in reversed(self.old_names if self.is_forgetful else []):
            if old is None:
                target.unlink(missing_ok=True)
            else:
                target.write_bytes(old)
