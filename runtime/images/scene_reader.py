"""Images as lines (Z, X), one at a time: ENVI by spectral, GeoTIFF by rasterio, .npy by NumPy, pipes as raw lines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from runtime.errors import BadArgument
from runtime.stream.depth import bit_depth
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import SampleType

SAMPLE_TYPES = {"uint8": SampleType.UINT8, "int16": SampleType.INT16, "uint16": SampleType.UINT16}
STRUCTURAL_KEYS = {  # entries of an ENVI header that the stream's own header carries
    "lines", "samples", "bands", "header offset", "data type", "interleave", "byte order", "file type",
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """An image that can be read line by line, more than once."""

    samples: npt.NDArray[np.integer[Any]]
    """(Y, Z, X) view of the file, read when touched."""
    metadata: dict[str, Any] = field(default_factory=dict)

    def lines(self) -> Iterator[npt.NDArray[np.integer[Any]]]:
        """Each line (Z, X) in native byte order."""
        for line in self.samples:
            yield np.ascontiguousarray(line, line.dtype.newbyteorder("="))


def open_scene(path: Path) -> Scene:
    """Open an image file; nothing is read yet. Raises BadArgument for what is missing, malformed or not integer."""
    if not path.is_file():
        raise BadArgument(f"{path} not found")
    if path.stat().st_size == 0:
        raise BadArgument(f"{path} is empty")
    suffix = path.suffix.lower()
    if suffix == ".npy":
        scene = open_numpy(path)
    elif suffix in (".tif", ".tiff"):
        scene = open_geotiff(path)
    else:
        scene = open_envi(path)
    samples = scene.samples
    if samples.ndim != 3 or 0 in samples.shape:
        raise BadArgument(f"{path}: shape {samples.shape}, allowed (lines, bands, columns) of at least 1 each")
    if np.issubdtype(samples.dtype, np.floating) or np.issubdtype(samples.dtype, np.complexfloating):
        n_nan = sum(int(np.isnan(line).sum()) for line in samples)
        also = f", {n_nan} of them NaN" if n_nan else ""
        raise BadArgument(f"{path}: samples are {samples.dtype}{also}, allowed integers of at most 16 bits")
    if not np.issubdtype(samples.dtype, np.integer):
        raise BadArgument(f"{path}: samples are {samples.dtype}, allowed integers of at most 16 bits")
    return scene


def envi_header_of(path: Path) -> Path:
    """The header of an ENVI image named by its header or by its data file."""
    if path.suffix.lower() == ".hdr":
        return path
    for header in (path.with_suffix(".hdr"), path.with_name(path.name + ".hdr")):
        if header.is_file():
            return header
    raise BadArgument(f"{path}: no ENVI header beside it, allowed .hdr, .npy, .tif")


def open_envi(path: Path) -> Scene:
    """An ENVI image of any interleave, byte order and header offset."""
    import spectral

    header = envi_header_of(path)
    try:
        image = spectral.envi.open(str(header))
        array = image.open_memmap(interleave="bil")
    except (OSError, ValueError, KeyError, TypeError, spectral.io.envi.EnviException) as error:
        raise BadArgument(f"{header}: {one_line(error)}") from error
    if array is None:
        expected = int(np.prod(image.shape)) * np.dtype(image.dtype).itemsize + int(image.offset)
        raise BadArgument(f"{image.filename}: data cannot be mapped, {expected} bytes expected by {header.name}")
    expected = int(image.offset) + array.size * array.dtype.itemsize
    found = Path(image.filename).stat().st_size
    if found != expected:
        raise BadArgument(f"{image.filename}: {found} bytes found, {header.name} announces {expected}")
    metadata = {key: value for key, value in image.metadata.items() if key not in STRUCTURAL_KEYS}
    return Scene(array, metadata)


def open_geotiff(path: Path) -> Scene:
    """A GeoTIFF with one band per spectral band."""
    try:
        import rasterio
    except ImportError:
        raise BadArgument(f"{path}: GeoTIFF needs rasterio, install linerwkv[geotiff]") from None
    try:
        with rasterio.open(path) as dataset:
            samples = dataset.read()  # (Z, Y, X)
            metadata = {"description": f"GeoTIFF, CRS {dataset.crs}", "geotransform": list(dataset.transform)[:6]}
    except rasterio.errors.RasterioError as error:
        raise BadArgument(f"{path}: {one_line(error)}") from error
    return Scene(np.moveaxis(samples, 0, 1), metadata)


def open_numpy(path: Path) -> Scene:
    """A .npy array of axes (lines, bands, columns)."""
    try:
        return Scene(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        raise BadArgument(f"{path}: {one_line(error)}") from error


def describe(scene: Scene, depth: int | None) -> ImageDescription:
    """What the encoder must know, with the bit depth found by a scan of all samples unless given."""
    n_lines, n_bands, n_columns = scene.samples.shape
    lowest = min(int(line.min()) for line in scene.lines())
    highest = max(int(line.max()) for line in scene.lines())
    found = bit_depth(lowest, highest)
    if depth is not None and depth < found:
        raise BadArgument(f"bit depth {depth} given, samples {lowest}..{highest} need {found}")
    name = np.dtype(scene.samples.dtype).name
    sample_type = SAMPLE_TYPES.get(name, SampleType.INT16 if lowest < 0 or highest < 1 << 15 else SampleType.UINT16)
    return ImageDescription(
        n_bands,
        n_columns,
        depth or found,
        is_signed=lowest < 0,
        n_lines=n_lines,
        sample_type=sample_type,
        metadata=scene.metadata,
    )


@dataclass(frozen=True)
class RawLayout:
    """How lines follow one another in a pipe."""

    n_bands: int
    n_columns: int
    dtype: str
    """NumPy name with byte order: uint16, <i2, >u2."""
    interleave: str

    def __post_init__(self) -> None:
        """Refuse what cannot be read line by line."""
        if self.interleave not in ("bil", "bip"):
            raise BadArgument(
                f"interleave {self.interleave} from a pipe: its first line is whole only at the end; allowed bil, bip"
            )
        try:
            dtype = np.dtype(self.dtype)
        except TypeError:
            raise BadArgument(
                f"sample type {self.dtype!r}, allowed uint8, int16, uint16 and byte orders of them"
            ) from None
        if dtype.name not in SAMPLE_TYPES:
            raise BadArgument(f"sample type {dtype.name}, allowed {', '.join(SAMPLE_TYPES)}")
        if self.n_bands < 1 or self.n_columns < 1:
            raise BadArgument(f"{self.n_bands} bands x {self.n_columns} columns, allowed at least 1 each")


def describe_pipe(layout: RawLayout, depth: int) -> ImageDescription:
    """What the encoder must know of lines from a pipe; signed where the sample type is."""
    dtype = np.dtype(layout.dtype)
    return ImageDescription(
        layout.n_bands,
        layout.n_columns,
        depth,
        is_signed=dtype.kind == "i",
        sample_type=SAMPLE_TYPES[dtype.name],
    )


def raw_lines(file: BinaryIO, layout: RawLayout) -> Iterator[npt.NDArray[np.integer[Any]]]:
    """Each line (Z, X) of a pipe until it ends. Raises BadArgument where it ends within a line."""
    dtype = np.dtype(layout.dtype)
    n_bytes = layout.n_bands * layout.n_columns * dtype.itemsize
    y = 0
    while True:
        data = read_fully(file, n_bytes)
        if not data:
            return
        if len(data) < n_bytes:
            raise BadArgument(f"input ends within line {y}: {len(data)} of {n_bytes} bytes")
        line = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
        shape = (layout.n_bands, layout.n_columns)
        yield line.reshape(shape) if layout.interleave == "bil" else line.reshape(shape[::-1]).T
        y += 1


def read_fully(file: BinaryIO, n_bytes: int) -> bytes:
    """`n_bytes`, or fewer at the end; a pipe may give them in pieces."""
    data = b""
    while len(data) < n_bytes and (part := file.read(n_bytes - len(data))):
        data += part
    return data


def one_line(error: BaseException) -> str:
    """The text of a library's error on one line."""
    return " ".join(str(error).split()) or type(error).__name__
