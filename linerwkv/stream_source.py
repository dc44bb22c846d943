"""What a stream is read from: a path, a file object, or a URL by fsspec, of which only needed ranges are fetched."""

import os
from pathlib import Path
from typing import Any, BinaryIO, cast

from runtime.errors import BadArgument, one_line
from runtime.extras import needed_for

Source = str | os.PathLike[str] | BinaryIO


def is_url(source: object) -> bool:
    """Whether a text names a file that fsspec reads, such as s3://bucket/scene.lrwk."""
    return isinstance(source, str) and "://" in source


def name_of(source: Source) -> str:
    """For messages."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", type(source).__name__))


def open_source(source: Source, storage_options: dict[str, Any] | None = None) -> BinaryIO:
    """A binary file that can be read anywhere; a file object is given back as it is.

    storage_options: of fsspec's file system. Raises BadArgument: not there, cannot be read anywhere, or a URL without
    fsspec.
    """
    if isinstance(source, str) and is_url(source):
        return open_url(source, storage_options or {})
    if storage_options:
        raise BadArgument(f"{name_of(source)}: storage options of no URL, allowed with one that fsspec reads")
    if isinstance(source, str | os.PathLike):
        try:
            return Path(source).open("rb")
        except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
            raise BadArgument(f"{name_of(source)}: {getattr(error, 'strerror', None) or error}") from error
    if not source.seekable():
        raise BadArgument(f"{name_of(source)}: cannot be read from any place on; linerwkv.Decoder takes a pipe")
    return source


def open_url(url: str, storage_options: dict[str, Any]) -> BinaryIO:
    """A file that fetches exactly what is read of it. Raises BadArgument."""
    with needed_for(f"{url}: a URL", "ground"):
        from fsspec.core import url_to_fs
    try:
        system, path = url_to_fs(url, **storage_options)
        file = cast(BinaryIO, system.open(path, "rb", cache_type="none"))
        file.seek(0, os.SEEK_END)  # of a server without ranges this is a ValueError
        file.seek(0)
        return file
    except (OSError, ValueError, ImportError) as error:
        raise BadArgument(f"{url}: {one_line(error)}") from error
