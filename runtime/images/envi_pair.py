"""Which two files are one ENVI image: the rules of names, to read and to write.

The data file NAME.EXT is described by NAME.EXT.hdr, else by NAME.hdr; suffixes are in letters of any case.
"""

from pathlib import Path

from runtime.errors import BadArgument

HEADER_SUFFIX = ".hdr"
DATA_SUFFIXES = ("", ".img", ".dat", ".raw", ".bil", ".bip", ".bsq", ".bin", ".hyspex", ".sli")
"""Of the data files that a header named alone can have; what GDAL and the library spectral try, too."""
GDAL_SUFFIXES = (".aux.xml", ".ovr", ".msk")
"""After the whole name, of files that GDAL writes beside an image for what its own header cannot say."""


def is_header(path: Path) -> bool:
    """Whether the name is that of a header."""
    return path.suffix.lower() == HEADER_SUFFIX


def beside(path: Path, stem: str, suffixes: tuple[str, ...]) -> list[Path]:
    """The files in the folder of `path` whose names are the stem and one of the suffixes."""
    found = (one for one in path.parent.iterdir() if one.name.startswith(stem))
    return sorted(one for one in found if one.name[len(stem) :].lower() in suffixes and one.is_file())


def headers_of(data: Path) -> list[Path]:
    """The headers that describe a data file; more than one where names differ in the case of letters only."""
    return beside(data, data.name, (HEADER_SUFFIX,)) or beside(data, data.stem, (HEADER_SUFFIX,))


def find_pair(path: Path) -> tuple[Path, Path]:
    """Header and data file of an image named by either. Raises BadArgument: the other is missing, or not clear."""
    if not is_header(path):
        headers = headers_of(path)
        if not headers:
            raise BadArgument(f"{path}: no ENVI header beside it, allowed .hdr, .npy, .tif, HDF5{advice(path)}")
        return only(headers, path, "headers"), path
    named = beside(path, path.stem, DATA_SUFFIXES)
    described = [one for one in named if path.name in (header.name for header in headers_of(one))]
    if not described:
        allowed = ", ".join(DATA_SUFFIXES[1:])
        raise BadArgument(f"{path}: data file missing beside it, allowed {path.stem} with {allowed}")
    return path, only(described, path, "data files")


def advice(path: Path) -> str:
    """What to do with a data file that has no header, by its first bytes."""
    with path.open("rb") as file:
        begin = file.read(4)
    if begin in (b"CDF\x01", b"CDF\x02", b"CDF\x05"):
        return "; this is NetCDF before version 4: convert it by nccopy -k netCDF-4"
    if begin == b"\x0e\x03\x13\x01":
        return "; this is HDF4: convert it, for example by gdal_translate -of ENVI or h4toh5"
    return "; raw samples are compressed with --bands, --columns and --bit-depth"


def only(found: list[Path], path: Path, what: str) -> Path:
    """The one file that was found. Raises BadArgument that lists them where there are more."""
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise BadArgument(f"{path}: {len(found)} {what}, {names}, allowed one; name the data file, or move others")
    return found[0]


def new_pair(header: Path, interleave: str) -> Path:
    """The data file to write for a header. Raises BadArgument where another file would be taken for either of them.

    Readers of a header try the suffixes in an order of their own, so that any other data file is one too many.
    """
    data = header.with_suffix(f".{interleave}")
    names = [(header.stem, (*DATA_SUFFIXES, HEADER_SUFFIX)), (data.name, (HEADER_SUFFIX, *GDAL_SUFFIXES))]
    refuse_beside(header, names, but=(header.name, data.name), taken_for="data or header")
    return data


def refuse_beside(
    output: Path, names: list[tuple[str, tuple[str, ...]]], but: tuple[str, ...] = (), taken_for: str = "metadata"
) -> None:
    """Raise BadArgument where files of these stems and suffixes lie beside an output, except `but`."""
    try:
        there = [one.name for stem, suffixes in names for one in beside(output, stem, suffixes)]
    except OSError as error:
        raise BadArgument(f"output {output} cannot be written: {error.strerror}") from None
    others = [name for name in there if name not in but]
    if others:
        raise BadArgument(f"output {output}: {', '.join(others)} beside it would be taken for its {taken_for}")
