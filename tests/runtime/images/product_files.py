"""Folders of EnMAP and DESIS products for tests, of the structure that makers document; all numbers are made up."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from tests.runtime.images.hdf5_files import CUBE

L1B = "ENMAP01-____L1B-DT0000000001_20230101T000000Z_001_V010303_20230101T000000Z"
L2A = L1B.replace("L1B", "L2A")
DESIS = "DESIS-HSI-L1C-DT0000000001_001-20230101T000000-V0213"


def write_tif(path: Path, samples: np.ndarray[Any, np.dtype[Any]]) -> None:
    sizes = {"height": samples.shape[0], "count": samples.shape[1], "width": samples.shape[2]}
    with rasterio.open(path, "w", driver="GTiff", dtype=samples.dtype, **sizes) as file:
        file.write(samples.transpose(1, 0, 2))


def write_xml(path: Path, bands: list[dict[str, object]], element: str = "bandID") -> None:
    text = "".join(
        f'<{element} number="{z}">{"".join(f"<{name}>{value}</{name}>" for name, value in band.items())}</{element}>'
        for z, band in enumerate(bands, start=1)
    )
    path.write_text(
        '<level_X xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><product><bandStatistics>'
        f"<{element}/></bandStatistics></product><specific><bandCharacterisation>{text}</bandCharacterisation>"
        "</specific></level_X>"
    )


def enmap_bands(n: int) -> list[dict[str, object]]:
    return [
        {"wavelengthCenterOfBand": 400.5 + z, "FWHMOfBand": 6 + z, "GainOfBand": 1e-4, "OffsetOfBand": 0}
        for z in range(n)
    ]


def write_enmap(folder: Path) -> Path:
    """Two detectors, of 4 and 8 bands."""
    folder.mkdir()
    write_tif(folder / f"{L1B}-SPECTRAL_IMAGE_VNIR.TIF", CUBE)
    write_tif(folder / f"{L1B}-SPECTRAL_IMAGE_SWIR.TIF", np.concatenate([CUBE, CUBE], axis=1))
    write_tif(folder / f"{L1B}-QL_QUALITY_CLOUD.TIF", CUBE[:, :1])
    write_xml(folder / f"{L1B}-METADATA.XML", enmap_bands(12))
    return folder


def write_enmap_l2a(folder: Path, cube: np.ndarray[Any, np.dtype[Any]] = CUBE) -> Path:
    """One image of 4 bands."""
    write_tif(folder / f"{L2A}-SPECTRAL_IMAGE.TIF", cube)
    write_xml(folder / f"{L2A}-METADATA.XML", enmap_bands(4))
    return folder


def write_desis(folder: Path, cube: np.ndarray[Any, np.dtype[Any]] = CUBE) -> Path:
    """One image of 4 bands; its metadata."""
    write_tif(folder / f"{DESIS}-SPECTRAL_IMAGE.tif", cube)
    bands: list[dict[str, object]] = [
        {"bandNumber": z, "wavelengthCenterOfBand": 401 + z, "wavelengthWidthOfBand": 3.5, "gainOfBand": 0.01,
         "offsetOfBand": 0, "deadPixels": z, "suspiciousPixel": 0}
        for z in range(4)
    ]  # fmt: skip
    write_xml(folder / f"{DESIS}-METADATA.xml", bands, "band")
    return folder / f"{DESIS}-METADATA.xml"
