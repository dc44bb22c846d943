"""HDF5 files for tests, of the structure that makers document; all samples and numbers are made up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

Cube = npt.NDArray[Any]
CUBE: Cube = np.random.default_rng(4).integers(0, 4000, (7, 4, 5)).astype(np.uint16)  # (Y, Z, X)
WAVELENGTHS = np.array([401.5, 500.25, 600.1, 700.0], np.float32)
AS_TEXT = ["401.5", "500.25", "600.1", "700.0"]
DIMENSION = b"This is a netCDF dimension but not a netCDF variable.%10d"


def stored(letters: str, cube: Cube = CUBE) -> Cube:
    """Samples with their axes in the order of some letters."""
    return cube.transpose(["YZX".index(letter) for letter in letters])


def add_dimensions(file: Any, dataset: Any, names: Sequence[str]) -> None:
    """Name a dataset's dimensions as NetCDF-4 does: each is a dataset of the file, made where it is not there."""
    for axis, name in enumerate(names):
        if name not in file:
            scale = file.create_dataset(name, (dataset.shape[axis],), "f4")
            scale.make_scale(DIMENSION % dataset.shape[axis])
        dataset.dims[axis].attach_scale(file[name])


def write_cube(path: Path, letters: str = "ZYX", name: str = "cube", cube: Cube = CUBE, **options: Any) -> Path:
    """A file of one dataset."""
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=stored(letters, cube), **options)
    return path


def write_prisma(path: Path, level: str = "L1") -> Path:
    """PRISMA: ASI, PRISMA Products Specification Document 2.3."""
    with h5py.File(path, "w") as file:
        for swath in ("HCO", "HRC") if level == "L1" else ("HCO",):
            fields = file.create_group(f"HDFEOS/SWATHS/PRS_{level}_{swath}/Data Fields")
            fields["VNIR_Cube"] = CUBE + (swath == "HRC")
            fields["SWIR_Cube"] = np.concatenate([CUBE, CUBE[:, ::-1]], axis=1) + 7
            fields["VNIR_PIXEL_SAT_ERR_MATRIX"] = np.zeros(CUBE.shape, np.uint8)
        file.attrs["List_Cw_Vnir"] = WAVELENGTHS[::-1]
        file.attrs["List_Fwhm_Vnir"] = np.full(4, 9.5, np.float32)
        file.attrs["List_Cw_Vnir_Flags"] = np.array([0, 1, 1, 1], np.uint8)
        file.attrs["List_Cw_Swir"] = np.linspace(2400, 900, 8, dtype=np.float32)
        file.attrs["ScaleFactor_Vnir"] = np.float32(100)
        file.attrs["L2ScaleVnirMax"] = np.float32(1.5)
        file.attrs["Product_ID"] = b"PRS_" + level.encode()
        file.attrs["Sun_zenith_angle"] = np.float32(30)
    return path


def write_emit(path: Path, name: str = "radiance") -> Path:
    """EMIT L1B (radiance) and L2A (reflectance): LP DAAC, EMIT user guides. Samples are a hundredth of `CUBE`."""
    with h5py.File(path, "w") as file:
        cube = file.create_dataset(name, data=stored("YXZ") / np.float32(100), chunks=(2, 5, 4), compression=4)
        cube.attrs["_FillValue"] = np.array([-9999], np.float32)
        cube.attrs["units"] = "uW/cm^2/SR/nm"
        add_dimensions(file, cube, ("downtrack", "crosstrack", "bands"))
        bands = file.create_group("sensor_band_parameters")
        bands["wavelengths"] = WAVELENGTHS
        bands["wavelengths"].attrs["units"] = "nm"
        bands["fwhm"] = np.full(4, 7.4, np.float32)
        bands["good_wavelengths"] = np.array([1, 0, 1, 1], np.float32)
        for one in bands.values():
            one.dims[0].attach_scale(file["bands"])
        file["location/lon"] = np.zeros((7, 5))
        file.attrs["title"] = "EMIT"
    return path


def write_hypso(path: Path) -> Path:
    """HYPSO-1 L1a: NTNU, hypso-package."""
    with h5py.File(path, "w") as file:
        cube = file.create_dataset("products/Lt", data=stored("YXZ"), compression=4, shuffle=True)
        add_dimensions(file, cube, ("lines", "samples", "bands"))
        cube.attrs["long_name"] = "Top of Atmosphere Measured Radiance"
        cube.attrs["wavelength_units"] = "nanometers"
        cube.attrs["wavelengths"] = WAVELENGTHS.astype(np.float64).round(1)
        cube.attrs["fwhm"] = [5.5] * 4
        file["navigation/latitude"] = np.zeros((7, 5), np.float32)
        file["metadata/adcs/timestamps"] = np.zeros(9)
    return path
