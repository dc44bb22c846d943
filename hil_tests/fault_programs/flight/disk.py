"""A disk for recordings that can be filled and emptied: in memory where that may be mounted, else a quota."""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

QUOTA_BYTES = 1 << 30
FILLER = "0000.lrwk"
"""Counted by the quota as a recording, and older than all of them; with holes, so that it takes nothing."""


class Disk:
    """A context manager: `folder` is there within it, and gone after it where it was mounted."""

    def __init__(self, folder: Path, size_mib: int) -> None:
        self.folder, self.size_mib = folder, size_mib
        self.is_mounted = False
        self.filler = folder / "filler"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        words = ["mount", "-t", "tmpfs", "-o", f"size={self.size_mib}m", "none", str(self.folder)]
        try:
            self.is_mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
        except OSError:
            self.is_mounted = False
        return self

    @property
    def kind(self) -> str:
        """What is filled."""
        return f"a disk of {self.size_mib} MiB in memory" if self.is_mounted else "a quota, as no disk may be mounted"

    @property
    def table(self) -> dict[str, Any]:
        """What the recorder's table `output` has more."""
        return {} if self.is_mounted else {"quota_bytes": QUOTA_BYTES, "when_full": "stop"}

    def fill(self) -> None:
        """Leave no room."""
        if not self.is_mounted:
            with (self.folder / FILLER).open("wb") as file:
                file.truncate(QUOTA_BYTES)
            return
        try:
            with self.filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))
        except OSError:
            return

    def empty(self) -> None:
        """Give the room back."""
        (self.filler if self.is_mounted else self.folder / FILLER).unlink()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)
