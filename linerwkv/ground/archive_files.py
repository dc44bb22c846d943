"""Files of an archive, by path or URL: which version of a file it is, and a local file to read it from."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from linerwkv.stream_source import is_url, open_source
from runtime.errors import BadArgument, one_line

Identity = list[list[Any]]
CHANGED = ("mtime", "LastModified", "last_modified", "ETag", "etag", "created")
"""What fsspec's file systems say of when or as what a file was written."""


def place_of(source: str) -> str:
    """A URL, or an absolute path, which means the same in every process of a machine."""
    return source if is_url(source) else str(Path(source).absolute())


def identity_of(files: Sequence[str]) -> Identity:
    """Name, bytes and time of each file, which are others when it was written again. Raises BadArgument."""
    found = []
    for name in files:
        if is_url(name):
            found.append([name, *url_identity(name)])
            continue
        try:
            status = Path(name).stat()
        except OSError as error:
            raise BadArgument(f"{name}: {error.strerror}") from error
        found.append([name, status.st_size, status.st_mtime_ns])
    return found


def url_identity(url: str) -> list[Any]:
    """Bytes, and what tells versions apart, as far as the file system says it. Raises BadArgument."""
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(url)
        known = system.info(path)
    except (OSError, ValueError, ImportError) as error:
        raise BadArgument(f"{url}: {one_line(error)}") from error
    return [known.get("size"), *(str(known[key]) for key in CHANGED if key in known)]


@contextlib.contextmanager
def local_file(source: str) -> Iterator[Path]:
    """The file itself, or a copy of what a URL names, until the end of the block. Raises BadArgument."""
    if not is_url(source):
        yield Path(source)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(source).name
        with open_source(source) as file, path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 24)
        yield path
