"""Names of a part of a file, FILE:PART: a dataset of an HDF5 file, or one of the images of a product."""

from pathlib import Path

from runtime.errors import BadArgument


def split_name(path: Path) -> tuple[Path, str]:
    """File or folder, and the part of it; no part where there is a file of the whole name.

    Colons may stand in both: the longest name that is there is the file's. Raises BadArgument: nothing is there.
    """
    pieces = str(path).split(":")
    for n in range(len(pieces), 0, -1):
        name, part = ":".join(pieces[:n]), ":".join(pieces[n:])
        try:
            if name and Path(name).exists():
                return Path(name), part
        except OSError as error:
            raise BadArgument(f"{str(path)[:80]}...: {error.strerror}") from None
    raise BadArgument(f"{path} not found")
