"""What a stream's metadata say of its image, in names that every face shares."""

from typing import Any

from runtime.images.carried_keys import GEOTIFF, entries_of, table_of
from runtime.images.geotiff_page import pages_of_table
from runtime.images.image_facts import NUMBERS_OF_BANDS, band_numbers, nodata_of
from runtime.stream.image_description import ImageDescription

NAMED_ENTRIES = {"wavelength units": "wavelength_units", "map info": "map_info", "band names": "band_names"}
COORDINATE_SYSTEM = "coordinate system string"


def image_attributes(image: ImageDescription) -> dict[str, Any]:
    """wavelength, wavelength_units, fwhm, map_info, crs_wkt, transform, nodata, band_names, those that are known.

    wavelength, fwhm: (Z,) floats in wavelength_units. map_info: texts of an ENVI header. transform: of a GeoTIFF, in
    x = a column + b line + c, y = d column + e line + f. nodata: the value of samples that are no measurements.
    metadata: all entries of the ENVI header as they are.
    """
    entries = entries_of(image.metadata)
    found: dict[str, Any] = {}
    for key in NUMBERS_OF_BANDS:
        numbers = band_numbers(entries.get(key), image.n_bands)
        if numbers is not None:
            found[key] = numbers
    for key, name in NAMED_ENTRIES.items():
        if key in entries:
            found[name] = entries[key]
    if isinstance(text := entries.get(COORDINATE_SYSTEM), str):
        found["crs_wkt"] = text.strip("{} ")
    if table := table_of(image.metadata, GEOTIFF):
        page = pages_of_table(table, image.n_bands)[0]
        if page.crs and not page.points:
            found["crs_wkt"] = page.crs
        if page.transform:
            found["transform"] = list(page.transform)
    if (nodata := nodata_of(image)) is not None:
        found["nodata"] = nodata
    return found | {"metadata": entries}
