"""Cases of what files of images say beside their samples: what the header of a stream carries of it."""

import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import open_scene
from tests.golden.case import Case, Source
from tests.golden.coding_cases import way

Write = Callable[[Path], Path]
ENVI_TEXTS = (
    "data ignore value = 7", "band names = {\n a b, c,\n d}", "wavelength = {400.5,\n 500,600}", "fwhm = {5,6,7}",
    "wavelength units = Nanometers", "data gain values = {2,3,4}", "data offset values = {0,1,0.5}", "bbl = {1,0,1}",
    "default bands = {3,2,1}", "description = {\n  two lines,\n  one text}", "Sensor Type = Unknown",
    'processing = {{"a, b", 1}, {c = d}}', "site = Zürich µ",
)  # fmt: skip


def kinds() -> dict[str, tuple[str, Callable[[], Write]]]:
    """By name: what a file says, and how to write it. Libraries that write files are loaded by who writes one."""

    def envi(*texts: str, is_placed: bool = False) -> Write:
        from tests.runtime.images.matrix_envi import SYSTEM, UTM, write

        return lambda folder: write(folder, *texts, *((UTM, SYSTEM) if is_placed else ()))

    def netcdf() -> Write:
        from tests.runtime.images.hdf5_files import AS_TEXT
        from tests.runtime.images.matrix_hdf5 import one_cube

        def change(file: object) -> None:
            attributes = file["cube"].attrs  # type: ignore[index]  # a file of h5py
            attributes["wavelengths"] = np.array(AS_TEXT, np.float64)
            attributes["fwhm"] = np.full(len(AS_TEXT), 5.5)
            attributes["_FillValue"] = np.array([65535], np.uint16)
            attributes.update({"scale_factor": 0.1, "add_offset": -2.0, "units": "W m-2", "long_name": "radiance"})

        return one_cube(change)

    def product(name: str) -> Write:
        from tests.runtime.images import hdf5_files

        def write(folder: Path) -> Path:
            if name == "PRISMA":
                return Path(
                    f"{hdf5_files.write_prisma(folder / 's.he5')}:/HDFEOS/SWATHS/PRS_L1_HCO/Data Fields/VNIR_Cube"
                )
            return hdf5_files.write_emit(folder / "s.nc") if name == "EMIT" else hdf5_files.write_hypso(folder / "s.nc")

        return write

    def flat() -> Write:
        from tests.runtime.images.matrix_npy import FLAT, saved

        return saved(FLAT)

    found: dict[str, tuple[str, Callable[[], Write]]] = {
        "envi-plain": ("an ENVI pair that says nothing more", envi),
        "envi-entries": ("entries of an ENVI header, their texts as they stood", partial(envi, *ENVI_TEXTS)),
        "envi-place": ("map info and coordinate system string", partial(envi, is_placed=True)),
        "netcdf": ("attributes of a NetCDF-4 variable", netcdf),
        "npy-two-axes": ("an array of lines and columns alone", flat),
        **{
            f"product-{name.lower()}": (f"a file of {name}", partial(product, name))
            for name in ("PRISMA", "EMIT", "HYPSO-1")
        },
    }
    return found | {f"geotiff-{name}": (f"GeoTIFF: {text}", partial(geotiff, name)) for name, text in GEOTIFFS.items()}


GEOTIFFS = {
    "place": "CRS, transform, no-data value, tiles", "turned": "a turned grid", "points": "ground control points",
    "rpcs": "RPCs", "tags": "names, scales, offsets, units, tags of three domains", "colours": "colours with alpha",
    "palette": "a palette", "pages": "a page for each band", "bytes": "signed bytes", "floats": "floats with NaN",
}  # fmt: skip


def geotiff(name: str) -> Write:
    """How to write a GeoTIFF of few samples."""
    import rasterio

    from tests.runtime.commands.test_identity import everything
    from tests.runtime.images import geotiff_files as files

    cube = files.CUBE[:5, :, :9]
    small = (cube % 256).astype(np.uint8)
    named = files.setting(gcps=(files.POINTS, rasterio.crs.CRS.from_epsg(4326)))
    nan = np.where(cube > 3900, np.nan, cube / 4).astype(np.float32)
    found: dict[str, Write] = {
        "place": files.geotiff(cube, nodata=7, compress="deflate", predictor=2, **files.TILES, **files.NORTH_UP),
        "turned": files.geotiff(cube, crs="EPSG:3035", transform=files.TURNED),
        "points": files.geotiff(cube, named),
        "rpcs": files.geotiff(cube, files.setting(rpcs=files.RPCS)),
        "tags": files.geotiff(cube, everything, **files.NORTH_UP),
        "colours": files.geotiff(small, files.setting(colorinterp=files.RGBA), photometric="MINISBLACK"),
        "palette": files.geotiff(small[:, :1], lambda file: file.write_colormap(1, files.PALETTE)),
        "pages": files.pages([cube[:, z : z + 1] for z in range(4)]),
        "bytes": files.geotiff((small.astype(np.int16) - 128).astype(np.int8), nodata=-1),
        "floats": files.geotiff(nan, nodata=np.nan, compress="deflate", predictor=3),
    }
    return found[name]


def read(write: Callable[[], Write]) -> Source:
    """What `compress` finds in a file."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rasterio's, of files without a place
        scene = open_scene(write()(Path(folder)), has_floats=True)
        return Source(describe(scene, None), scene.read())


def images() -> Iterator[tuple[str, Case]]:
    """Every kind."""
    for name, (text, write) in kinds().items():
        yield f"metadata-{name}", Case(text, partial(read, write), **way("dpcm"))


CASES = dict(images())
