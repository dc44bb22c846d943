"""Bytes on their way to a board and back: what they are checked by, and folders as one file."""

import contextlib
import hashlib
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def archived(folder: Path) -> Iterator[Path]:
    """The content of a folder as one tar file, which vanishes at the end of the block."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "folder.tar"
        with tarfile.open(path, "w") as archive:
            for entry in sorted(folder.iterdir()):
                archive.add(entry, entry.name)
        yield path
