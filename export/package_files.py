"""The files of a package put on disk, as a folder or as one zip."""

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal input gives an equal file


def write_package(parts: dict[str, bytes], target: Path) -> None:
    """Write a folder, or one zip where the name ends in .zip; all of it or nothing. Replaces a package of that name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".zip":
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), data)
        temporary.replace(target)
        return
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    folder.chmod(0o755)
    for name, data in parts.items():
        (folder / name).write_bytes(data)
    if target.exists():
        shutil.rmtree(target)
    folder.replace(target)
