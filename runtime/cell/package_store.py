"""Stores of flight packages by their SHA-256: a folder, or a URL by fsspec, with a file HASH.zip for each.

A folder HASH will do too. `LINERWKV_PACKAGES` names the places, with `;` between them; without it there is one, the
folder linerwkv/packages in the user's data folder. What a URL has is kept in the first folder when it is needed.
"""

import contextlib
import io
import os
import re
import threading
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from runtime.cell.flight_package import FlightPackage, open_package, shipped_identities, shipped_packages
from runtime.cell.package_files import LARGEST_BYTES, read_parts
from runtime.errors import BadArgument, Corrupt, LineRwkvError, one_line
from runtime.extras import needed_for
from runtime.whole_output import replacing

VARIABLE = "LINERWKV_PACKAGES"
SEPARATOR = ";"
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
FETCHING = threading.Lock()
NOT_THERE = 404
HASH = re.compile("[0-9a-f]{64}")
FEWEST_DIGITS = 8
"""Of a hash that a person names."""


def store_places() -> list[str]:
    """Folders and URLs, in the order in which they are looked at."""
    named = [one.strip() for one in os.environ.get(VARIABLE, "").split(SEPARATOR) if one.strip()]
    if named:
        return named
    data = os.environ.get("XDG_DATA_HOME", "")
    home = Path(data) if data and Path(data).is_absolute() else Path(os.path.expanduser("~"), ".local", "share")  # noqa: PTH111  # raises never
    return [str(home / "linerwkv" / "packages")]


def places_in_words() -> str:
    """Where packages are looked for, for errors."""
    return f"the shipped packages, {', '.join(store_places())}"


def known_packages(identities: Collection[bytes], trust: Path | None = None) -> list[FlightPackage]:
    """Those of the identities, 32 bytes each, that are shipped or in a store. Raises as `open_package`."""
    found = shipped_packages(identities, trust)
    for identity in sorted(set(identities) - {package.sha256 for package in found}):
        package = stored_package(identity, trust)
        found += [] if package is None else [package]
    return found


def stored_package(identity: bytes, trust: Path | None = None) -> FlightPackage | None:
    """The package of an identity in the first place that has it. Raises as `open_package`; Corrupt for another one."""
    name = identity.hex()
    for place in store_places():
        if is_url(place):
            path = fetched(place, name)
        else:
            path = next((one for one in (Path(place, f"{name}.zip"), Path(place, name)) if one.exists()), None)
        if path is not None:
            package = open_package(path, trust)
            if package.sha256 != identity:
                raise Corrupt(f"package {path}: it is {package.sha256.hex()}, which is not its name")
            return package
    return None


def is_url(place: str) -> bool:
    """Whether fsspec reads a place."""
    return "://" in place


def file_system(url: str) -> tuple[Any, str]:
    """Of fsspec, and the path there. Raises BadArgument."""
    with needed_for(f"package store {url}", "ground"):
        from fsspec.core import url_to_fs
    with reaching(url):
        system, path = url_to_fs(url)
        return system, path.rstrip("/")


@contextlib.contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn what fsspec and the libraries that it calls raise, whatever it is, into BadArgument, which names the URL."""
    try:
        yield
    except LineRwkvError:
        raise
    except Exception as error:
        raise BadArgument(f"package store {url}: {one_line(error)}") from error


def fetched(url: str, name: str) -> Path | None:
    """Where the file of a package lies after it was fetched, or was before; None: it is not there.

    Threads fetch one after another. Raises BadArgument; Corrupt where it is another package.
    """
    folder = next((Path(place) for place in store_places() if not is_url(place)), None)
    with FETCHING:
        if folder is not None and (folder / f"{name}.zip").exists():
            return folder / f"{name}.zip"
        data = read_url(url, f"{name}.zip")
        if data is None:
            return None
        if folder is None:
            raise BadArgument(f"package store {url}: no folder to keep {name}.zip in, {VARIABLE} names URLs alone")
        make_folder(folder)
        target = folder / f"{name}.zip"
        with replacing(target) as unfinished:
            unfinished.write_bytes(data)
            found = open_package(unfinished).sha256.hex()
            if found != name:
                raise Corrupt(f"package store {url}: {name}.zip holds the package {found}")
        return target


def read_url(url: str, name: str) -> bytes | None:
    """A file of a store, at most one byte more than a package may have; None: it is not there. Raises BadArgument."""
    system, path = file_system(url)
    with reaching(url):
        try:
            with system.open(f"{path}/{name}", "rb") as file:
                return bytes(file.read(LARGEST_BYTES + 1))
        except FileNotFoundError as error:
            cause = error.__cause__ or error  # of HTTP, where another status and no answer come as this error too
            if isinstance(cause, FileNotFoundError) or getattr(cause, "status", None) == NOT_THERE:
                return None
            raise cause from None


def make_folder(place: Path) -> None:
    """Where it is not there yet. Raises BadArgument."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadArgument(f"package store {place}: {error.strerror}") from None


def zipped(path: Path) -> bytes:
    """The files of a package as one zip, the same bytes for the same files. Raises as `read_parts`."""
    return zip_of(read_parts(path), zipfile.ZIP_DEFLATED)


def zip_of(parts: Mapping[str, bytes], method: int) -> bytes:
    """Files as one zip, the same bytes for the same files. method: ZIP_STORED or ZIP_DEFLATED."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, part in sorted(parts.items()):
            archive.writestr(zipfile.ZipInfo(name, FIXED_TIME), part, method)
    return data.getvalue()


def add_package(path: Path, place: str | None = None) -> str:
    """Put a sound package into a store, the first one unless said; the name of its file. Raises LineRwkvError."""
    package = open_package(path)
    place = store_places()[0] if place is None else place
    name = f"{package.sha256.hex()}.zip"
    data = zipped(package.source)
    if is_url(place):
        system, folder = file_system(place)
        with reaching(place):
            system.makedirs(folder, exist_ok=True)
            system.pipe_file(f"{folder}/{name}", data)
        return f"{place.rstrip('/')}/{name}"
    make_folder(Path(place))
    with replacing(Path(place, name)) as unfinished:
        unfinished.write_bytes(data)
    return str(Path(place, name))


def listed() -> Iterator[tuple[str, str]]:
    """Hash and place of every package that is shipped or in a store. Raises BadArgument."""
    for path, identity in shipped_identities().items():
        yield identity.hex(), str(path)
    for place in store_places():
        for name in sorted(names_in(place)):
            if HASH.fullmatch(stem := name.removesuffix(".zip")):
                yield stem, f"{place.rstrip('/')}/{name}"


def names_in(place: str) -> list[str]:
    """Of files and folders of a store; none where it is not there."""
    try:
        if not is_url(place):
            return [one.name for one in Path(place).iterdir()]
        system, folder = file_system(place)
        with reaching(place):
            try:
                return [str(one).rstrip("/").rsplit("/", 1)[-1] for one in system.ls(folder, detail=False)]
            except FileNotFoundError:
                return []
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadArgument(f"package store {place}: {one_line(error)}") from None


def named_package(digits: str) -> FlightPackage:
    """The one package whose hash begins with these digits. Raises BadArgument where there is none, or several."""
    if not re.fullmatch(f"[0-9a-f]{{{FEWEST_DIGITS},64}}", digits):
        raise BadArgument(f"package {digits}: allowed {FEWEST_DIGITS} to 64 hexadecimal digits of its hash")
    found = {name for name, _ in listed() if name.startswith(digits)}
    if len(found) != 1:
        what = "none" if not found else f"{len(found)} packages"
        raise BadArgument(f"package {digits}: found {what}, looked for in {places_in_words()}")
    (package,) = known_packages({bytes.fromhex(found.pop())})
    return package
