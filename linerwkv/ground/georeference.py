"""Where an image lies on the earth: by the GeoTIFF that it was, or the words of its ENVI header as GDAL reads them."""

from typing import NamedTuple

from linerwkv.image_attributes import image_attributes
from runtime.images.carried_keys import GEOTIFF, table_of
from runtime.images.geotiff_words import PLACE_KEYS
from runtime.images.sample_file import DTYPES
from runtime.stream.image_description import ImageDescription

Transform = tuple[float, float, float, float, float, float]


class Georeference(NamedTuple):
    """Of the corners of samples."""

    crs_wkt: str  # Empty: not known
    transform: Transform | None
    """a to f: x = a column + b line + c, y = d column + e line + f; None: not known."""

    @property
    def is_upright(self) -> bool:
        """Whether columns run along x and lines along y."""
        return self.transform is not None and self.transform[1] == self.transform[3] == 0


def georeference(image: ImageDescription) -> Georeference:
    """What a stream says of its place; words of an ENVI header need rasterio to be read. Raises Corrupt."""
    found = image_attributes(image)
    crs_wkt, transform = str(found.get("crs_wkt", "")), found.get("transform")
    if not table_of(image.metadata, GEOTIFF) and PLACE_KEYS & image.metadata.keys():
        try:
            from runtime.images.envi_page import page_of_entries

            page = page_of_entries(image.metadata, image.n_bands, DTYPES[image.file_type])
        except ImportError:
            return Georeference(crs_wkt, None)
        crs_wkt, transform = page.crs or crs_wkt, page.transform
    if not transform:
        return Georeference(crs_wkt, None)
    a, b, c, d, e, f = (number + 0.0 for number in transform)  # no negative zeros
    return Georeference(crs_wkt, (a, b, c, d, e, f))
