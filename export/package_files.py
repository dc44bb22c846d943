"""The files of a package put on disk, as a folder or as one zip."""

import zipfile
from pathlib import Path

from runtime.whole_output import replacing, replacing_folder

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal input gives an equal file


def write_package(parts: dict[str, bytes], target: Path) -> None:
    """Write a folder, or one zip where the name ends in .zip; all of it or nothing. Replaces a package of that name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".zip":
        with replacing(target) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), data)
        return
    with replacing_folder(target) as folder:
        for name, data in parts.items():
            (folder / name).write_bytes(data)
