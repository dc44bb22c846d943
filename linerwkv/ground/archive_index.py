"""References in the form of Kerchunk: segments of downlinked streams as chunks of Zarr, where and as they lie."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from linerwkv.ground.chunk_coding import CODEC, ChunkCoding
from linerwkv.image_attributes import image_attributes
from linerwkv.stream_image import AXES
from linerwkv.stream_source import is_url, open_source
from runtime.codec.segment_places import SegmentPlaces, segment_places
from runtime.errors import BadArgument, LineRwkvError, one_line
from runtime.extras import needed_for
from runtime.images.image_facts import nodata_of
from runtime.images.sample_file import DTYPES
from runtime.output_checks import check_outputs
from runtime.whole_output import replacing, replacing_folder

JSON, PARQUET = ".json", ".parquet"
PARQUET_MARK = ".zmetadata"
"""The file that a folder of references has."""
RECORDS_OF_A_FILE = 10_000
Reference = str | list[Any]


class ArchiveIndex(NamedTuple):
    """What references were made of, and what was left out of them."""

    references: dict[str, Reference]
    """Texts, and [URL, offset, bytes] in a file, by key of a Zarr store of format 2."""
    notes: list[str]
    """Streams whose last segments are missing."""
    refused: list[str]
    """Streams that have no regular chunks, or cannot be read, and why."""


def archive_index(sources: Sequence[str]) -> ArchiveIndex:
    """References to the segments of streams, files or URLs: one array a stream, by the name of its file.

    Raises BadArgument where two have one name, or one has that of a dimension.
    """
    index = ArchiveIndex({".zgroup": json.dumps({"zarr_format": 2})}, [], [])
    names: dict[str, str] = {}
    for source in tqdm(sources, desc="index", unit="stream", disable=None, leave=False):
        name = array_name(source)
        dimensions = list(AXES) if len(sources) == 1 and name not in AXES else [f"{name}_{axis}" for axis in AXES]
        for one in (name, *dimensions):
            if one in names:
                what = "an array or a dimension"
                raise BadArgument(f"{source}: {what} {one} is there already, of {names[one]}; allowed each name once")
        names |= dict.fromkeys((name, *dimensions), source)
        try:
            with open_source(source) as file:
                found = segment_places(file)
            made = dict(stream_references(source, name, found, dimensions))
        except LineRwkvError as error:
            index.refused.append(f"{source}: {error}".removeprefix(f"{source}: {source}").lstrip(": "))
        except Exception as error:  # whatever a stream's metadata hold is no fault of the other streams
            index.refused.append(f"{source}: {type(error).__name__}: {one_line(error)}")
        else:
            index.references.update(made)
            if found.error is not None:
                index.notes.append(f"{source}: {found.error}; what is missing has the fill value")
    return index


def array_name(source: str) -> str:
    """The name of a file without its suffix, of letters, digits, `_`, `-` and `.`, which does not begin it."""
    return re.sub(r"^\.+|[^A-Za-z0-9_.-]", "_", Path(source).stem)


def reference_url(source: str) -> str:
    """Of a file as fsspec takes it, which decodes no percent sign: its absolute place as it is."""
    return source if is_url(source) else f"file://{Path(source).resolve().as_posix()}"


def chunk_lines(found: SegmentPlaces) -> int:
    """The lines of each chunk: segments of as many, each at a multiple of it, only the last one shorter.

    Raises BadArgument where that is not so.
    """
    if not found.places:
        raise BadArgument("no segment in it")
    n_lines = max(place.n_lines for place in found.places)
    for place in found.places:
        is_whole = place.n_lines == n_lines or place.next_line == found.n_lines
        if place.first_line % n_lines or not is_whole:
            what = f"a segment of {place.n_lines} lines at line {place.first_line} among those of {n_lines}"
            raise BadArgument(f"segments are irregular, {what}: `linerwkv archive transcode` makes regular ones")
    return n_lines


def stream_references(
    source: str, name: str, found: SegmentPlaces, dimensions: list[str]
) -> Iterator[tuple[str, Reference]]:
    """The keys of one array. Raises BadArgument where its chunks are not regular.

    Readers take samples of the fill value for none that were measured; so there is one only where it is needed.
    """
    image, n_lines = found.header.image, chunk_lines(found)
    nodata = nodata_of(image)
    fill = 0 if nodata is None else nodata
    has_fill = nodata is not None or bool(found.missing())
    coding = ChunkCoding.of_stream(found.header, found.stream_crc, n_lines, fill)
    url = reference_url(source)
    attributes = {key: value for key, value in image_attributes(image).items() if key != "metadata"}
    yield f"{name}/.zarray", json.dumps({
        "zarr_format": 2, "shape": [found.n_lines, image.n_bands, image.n_columns],
        "chunks": [n_lines, image.n_bands, image.n_columns], "dtype": DTYPES[image.file_type].str, "order": "C",
        "compressor": None, "filters": [{"id": CODEC, **coding.to_config()}],
        "fill_value": json_number(fill) if has_fill else None,
    })  # fmt: skip
    yield f"{name}/.zattrs", json.dumps({"_ARRAY_DIMENSIONS": dimensions, **plain(attributes)})
    for place in found.places:
        yield f"{name}/{place.first_line // n_lines}.0.0", [url, place.offset, place.end - place.offset]


def json_number(value: int | float) -> int | float | str:
    """A fill value as the metadata of format 2 have it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def plain(value: Any) -> Any:
    """Attributes without numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return json_number(value) if isinstance(value, float) else value


def write_index(index: ArchiveIndex, output: Path | str, sources: Sequence[str] = ()) -> None:
    """Write references as JSON, or as a folder of Parquet files. sources: what it may not be. Raises BadArgument."""
    output = Path(output)
    check_outputs([output], [Path(source) for source in sources if not is_url(source)])
    if output.suffix == JSON:
        with replacing(output) as unfinished:
            unfinished.write_text(json.dumps({"version": 1, "refs": index.references}) + "\n")
    elif output.suffix == PARQUET:
        with replacing_folder(output, lambda folder: (folder / PARQUET_MARK).is_file()) as unfinished:
            write_parquet(index, unfinished)
    else:
        raise BadArgument(f"output {output}: allowed a name ending in {JSON} or {PARQUET}")


def write_parquet(index: ArchiveIndex, folder: Path) -> None:
    """Fill a folder with references. Raises BadArgument where the libraries are not here."""
    with needed_for("an index in Parquet", "ground"):
        import fastparquet  # noqa: F401  # what fsspec writes with
        import fsspec
        from fsspec.implementations.reference import LazyReferenceMapper
    (folder / PARQUET_MARK).write_text(json.dumps({"metadata": {}, "record_size": RECORDS_OF_A_FILE}))
    mapper = LazyReferenceMapper(str(folder), fs=fsspec.filesystem("file"))
    for key, value in index.references.items():
        mapper[key] = value if isinstance(value, list) else value.encode()
    mapper.flush()
