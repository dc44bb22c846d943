"""The description of a part of an image: its metadata are those of the lines, bands and columns that were chosen."""

from dataclasses import replace
from typing import Any, NamedTuple

from runtime.errors import Corrupt
from runtime.images.carried_keys import EXACT_TEXTS, GEOTIFF, table_of
from runtime.images.geotiff_page import Page, pages_of_table, table_of_pages
from runtime.images.geotiff_words import ENVI_DOMAIN
from runtime.stream.image_description import ImageDescription

BAND_KEYS = (
    "wavelength", "fwhm", "band names", "bbl", "data gain values", "data offset values", "data reflectance gain values",
    "data reflectance offset values", "dead pixels", "suspicious pixels",
)  # fmt: skip
"""Entries with an item for each band."""
DEFAULT_BANDS = "default bands"
STARTS = ("y start", "x start")


class Chosen(NamedTuple):
    """A part of an image; none of the three is empty."""

    lines: range
    """Rising by 1, as columns."""
    bands: tuple[int, ...]
    columns: range


def chosen_image(image: ImageDescription, chosen: Chosen) -> ImageDescription:
    """What is known of a part of an image before its first line."""
    metadata: dict[str, Any] = {}
    for key, value in image.metadata.items():
        if key in BAND_KEYS and isinstance(value, list) and len(value) == image.n_bands:
            metadata[key] = [value[z] for z in chosen.bands]
        elif key == GEOTIFF:
            table = chosen_table(table_of(image.metadata, GEOTIFF), image.n_bands, chosen)
            metadata |= {key: table} if table else {}
        elif key == DEFAULT_BANDS:
            shown = chosen_numbers(value, chosen.bands)
            metadata |= {key: shown} if shown else {}
        else:
            moved = moved_entry(key, value, chosen)
            metadata |= {} if moved is None else {key: moved}
    texts = table_of(metadata, EXACT_TEXTS)
    if texts:
        metadata[EXACT_TEXTS] = {
            key: text for key, text in texts.items() if metadata.get(key) == image.metadata.get(key)
        }
    return replace(
        image, n_lines=len(chosen.lines), n_bands=len(chosen.bands), n_columns=len(chosen.columns), metadata=metadata
    )


def chosen_numbers(value: Any, bands: tuple[int, ...]) -> list[str]:
    """The places, from 1, that bands named by such places have among the chosen ones; nothing where one has none."""
    try:
        named = [int(one) - 1 for one in value]
        return [str(bands.index(z) + 1) for z in named]
    except (TypeError, ValueError, OverflowError):
        return []


def moved_entry(key: str, value: Any, chosen: Chosen) -> Any:
    """An entry of a header that says where the first line and column lie, moved; None where that cannot be."""
    y, x = chosen.lines.start, chosen.columns.start
    if not (y or x):
        return value
    try:
        if key in STARTS:
            return str(int(value) + (y if key == STARTS[0] else x))
        if key == "map info":  # name, column and line of a point, counted from 1, and where that point lies
            return [value[0], str(float(value[1]) - x), str(float(value[2]) - y), *value[3:]]
        if key == "geo points":  # column and line, counted from 1, latitude and longitude of each
            shifts = (x, y, 0, 0)
            return [str(float(one) - shifts[i % 4]) if i % 4 < 2 else one for i, one in enumerate(value)]
        if key == "rpc info":  # polynomials of lines and columns of the whole image
            return None
        if key == "geotransform":
            return [str(number) for number in moved_transform([float(one) for one in value], chosen)]
    except (TypeError, ValueError, OverflowError, IndexError, KeyError):
        return None
    return value


def moved_transform(transform: list[float], chosen: Chosen) -> list[float]:
    """Six numbers as in `Page.transform`, for the part; none where there are none."""
    if not transform:
        return []
    a, b, c, d, e, f = transform
    y, x = chosen.lines.start, chosen.columns.start
    return [a, b, a * x + b * y + c, d, e, d * x + e * y + f]


def chosen_table(table: dict[str, Any], n_bands: int, chosen: Chosen) -> dict[str, Any]:
    """What GDAL knows of the part: one page; nothing where the table is none of a GeoTIFF."""
    try:
        pages = pages_of_table(table, n_bands)
    except Corrupt:
        return {}
    page, bands = pages[0], [band for one in pages for band in one.bands]
    y, x = chosen.lines.start, chosen.columns.start
    points = [replace(point, row=point.row - y, column=point.column - x) for point in page.points]
    tags = {domain: one for domain, one in page.tags.items() if domain != "RPC" or not (x or y)}
    of_bands = {key.replace(" ", "_") for key in (*BAND_KEYS, DEFAULT_BANDS)}
    if ENVI_DOMAIN in tags:
        tags[ENVI_DOMAIN] = {name: text for name, text in tags[ENVI_DOMAIN].items() if name.lower() not in of_bands}
    part: Page = replace(
        page, bands=[bands[z] for z in chosen.bands], transform=moved_transform(page.transform, chosen), points=points,
        tags=tags, block=[],
    )  # fmt: skip
    return table_of_pages([part])
