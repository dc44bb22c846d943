"""The files of a package put on disk, as a folder or as one zip."""

import json
import zipfile
from pathlib import Path

from runtime.cell.signature import SIGNATURE
from runtime.output_checks import check_folder
from runtime.whole_output import replacing, replacing_folder

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal input gives an equal file
SUFFIX = ".zip"
MANIFEST, SUBGRAPHS = "manifest.json", "accelerator.json"


def listed_files(folder: Path) -> set[str]:
    """The names that a package, or a folder of sub-graphs, says it has; none where `folder` is neither."""
    for record in (MANIFEST, SUBGRAPHS):
        try:
            values = json.loads((folder / record).read_bytes())
            names = values["parts"] if record == MANIFEST else (graph["file"] for graph in values["subgraphs"])
            return {record, SIGNATURE, *names}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    return set()


def is_package(folder: Path) -> bool:
    """Whether a folder is a package, or one of sub-graphs, that was written here, and has nothing else in it."""
    listed = listed_files(folder)
    return all(one.name in listed and one.is_file() for one in folder.iterdir())


def check_package_name(target: Path) -> None:
    """Raise BadArgument where `write_package` would refuse the name, before the work that leads to it is done."""
    if target.suffix != SUFFIX:
        check_folder(target, is_package)


def write_package(parts: dict[str, bytes], target: Path) -> None:
    """Write a folder, or one zip where the name ends in .zip; all of it or nothing.

    Replaces a package of that name. Raises BadArgument where something else is there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == SUFFIX:
        with replacing(target) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), data)
        return
    with replacing_folder(target, is_package) as folder:
        for name, data in parts.items():
            (folder / name).write_bytes(data)
