"""The files of a package, a folder or one zip, read into memory with their sizes bounded before a byte is unpacked."""

import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from runtime.errors import BadArgument, Corrupt

MANIFEST = "manifest.json"
FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""A plain name: no folder, no mark that a library takes for a place in memory."""
LARGEST_FILES = 64
LARGEST_BYTES = 1 << 28
"""Of all files together. The shipped packages have less than 1 MiB, the largest cell that is allowed about 130 MiB."""
LARGEST_EXPANSION = 200
"""Bytes of all files for a byte of their zip."""
LARGEST_DIRECTORY = 1 << 16
"""Bytes of a zip's central directory, which `zipfile` reads whole."""
END_OF_DIRECTORY, END_OF_DIRECTORY_64 = b"PK\5\6", b"PK\6\7"
UNSOUND = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    ValueError,
)  # fmt: skip


def read_parts(path: Path) -> dict[str, bytes]:
    """All files of a package folder or zip by name. Raises BadArgument (not found) or Corrupt."""
    try:
        if path.is_dir():
            return folder_parts(path)
        if not path.is_file():
            raise BadArgument(f"package {path} not found")
        return zip_parts(path)
    except UNSOUND as error:
        raise Corrupt(f"package {path} is neither a folder nor a sound zip: {error}") from error
    except OSError as error:
        raise BadArgument(f"package {path}: {error.strerror or error}") from error


def folder_parts(path: Path) -> dict[str, bytes]:
    """The regular files of a folder; what lies in folders below it is no part."""
    sizes: dict[str, int] = {}
    for file in path.iterdir():
        if file.is_file():
            sizes[file.name] = file.stat().st_size
            check_sizes(path, sizes.values())
    parts = {}
    for name in sorted(sizes):
        with (path / name).open("rb") as opened:
            parts[name] = opened.read(sizes[name] + 1)
        if len(parts[name]) != sizes[name]:
            raise Corrupt(f"package {path}: part {name} changes while it is read")
    return parts


def zip_parts(path: Path) -> dict[str, bytes]:
    """The files of a zip."""
    check_directory(path)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        check_sizes(path, (entry.file_size for entry in entries))
        n_bytes, allowed = sum(entry.file_size for entry in entries), LARGEST_EXPANSION * path.stat().st_size
        if n_bytes > allowed:
            raise Corrupt(f"package {path}: files of {n_bytes} bytes, allowed {allowed} in a zip of this size")
        names = [entry.filename for entry in entries]
        for entry in entries:
            if names.count(entry.filename) > 1:
                raise Corrupt(f"package {path}: part {entry.filename[:100]!r} is there twice")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Corrupt(
                    f"package {path}: part {entry.filename[:100]!r} is of method {entry.compress_type}, allowed 0, 8"
                )
        return {entry.filename: entry_bytes(archive, entry) for entry in entries}


def entry_bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one file. `ZipFile.read` would unpack all that is there, then cut it to the size that is said."""
    with archive.open(entry) as part:
        return part.read(entry.file_size)


def check_sizes(path: Path, sizes: Iterable[int]) -> None:
    """Raise Corrupt where there are too many files, or too many bytes in them."""
    found = list(sizes)
    if len(found) > LARGEST_FILES:
        raise Corrupt(f"package {path}: more than {LARGEST_FILES} files, which is the most that is allowed")
    if sum(found) > LARGEST_BYTES:
        raise Corrupt(f"package {path}: files of {sum(found)} bytes, allowed {LARGEST_BYTES}")


def check_directory(path: Path) -> None:
    """Raise Corrupt where the central directory of a zip is larger than LARGEST_DIRECTORY, or there is none."""
    with path.open("rb") as file:
        n_bytes = file.seek(0, 2)
        file.seek(max(0, n_bytes - (1 << 16) - 22 - 20))
        tail = file.read((1 << 16) + 22 + 20)
    at = tail.rfind(END_OF_DIRECTORY)
    if at < 0 or at + 22 > len(tail):
        raise Corrupt(f"package {path} is neither a folder nor a sound zip: it has no directory")
    (size,) = struct.unpack_from("<L", tail, at + 12)
    if size > LARGEST_DIRECTORY or tail[max(0, at - 20) :].startswith(END_OF_DIRECTORY_64):
        raise Corrupt(f"package {path}: a zip directory of {size} bytes, allowed {LARGEST_DIRECTORY}, no zip64")
