"""Tables that come with the package, called by their names: sensors, training configurations, recipes."""

from pathlib import Path

from runtime.errors import BadArgument

SUFFIX = ".toml"


def shipped_names(folder: Path) -> list[str]:
    """Names of the tables in a folder of the package."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))


def file_or_shipped(path: Path, folder: Path, where: str) -> Path:
    """The file at `path`, or where there is none the table of that name in `folder`. where: what errors call it.

    Raises BadArgument for a name, one without a suffix, that is neither.
    """
    if path.is_file() or path.suffix:
        return path
    if str(path) in (names := shipped_names(folder)):
        return folder / f"{path}{SUFFIX}"
    raise BadArgument(f"{where}: not found, allowed a TOML file or {', '.join(names)}")
