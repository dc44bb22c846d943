"""What an output may not be: a file that is read, or a folder and files that were there and are not ours."""

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from runtime.errors import BadArgument

PIPE = Path("-")
"""Standard input or output."""


def files_of(path: Path) -> list[Path]:
    """A file, or the files of a folder."""
    return list(path.iterdir()) if path.is_dir() else [path]


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raise BadArgument where an output is a file that is read too, by whatever name or link, or is named twice.

    `-` is a standard stream, which may be a file.
    """
    read = {found: path for path in inputs if (found := file_identity(path, 0)) is not None}
    names: set[Path] = set()
    for output in outputs:
        if (found := file_identity(output, 1)) in read:
            raise BadArgument(f"output {output} is the input {read[found]}, allowed another file")
        if output != PIPE and output.resolve() in names:
            raise BadArgument(f"output {output} is given twice, allowed two files")
        names.add(output.resolve())


def file_identity(path: Path, standard: int) -> tuple[int, int] | None:
    """Device and number of a regular file; None for what is none. standard: the descriptor that `-` stands for."""
    try:
        status = os.fstat(standard) if path == PIPE else path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def check_folder(path: Path, is_ours: Callable[[Path], bool]) -> None:
    """Raise BadArgument unless `path` is a new name, an empty folder, or one that `is_ours` says was written before."""
    there = path.resolve()
    if there.exists() and not there.is_dir():
        raise BadArgument(f"output {path} cannot be written: a file has this name")
    if Path.cwd().is_relative_to(there):
        raise BadArgument(f"output {path} is the current folder or around it, allowed another")
    found = next(iter(sorted(one.name for one in there.iterdir())), None) if there.is_dir() else None
    if found is not None and not is_ours(there):
        raise BadArgument(
            f"output {path} holds other files ({found}), allowed a new or empty folder, or an older output"
        )


def check_files(folder: Path, names: Iterable[str], mark: str) -> None:
    """Raise BadArgument where a file to be written into a folder is there, and no run like this one has made it.

    mark: a pattern of names, of a file that such a run writes before all of the others.
    """
    found = [name for name in names if (folder / name).exists()]
    if found and not any(folder.glob(mark)):
        raise BadArgument(f"output {folder} holds {found[0]} of another origin, allowed a folder without it")
