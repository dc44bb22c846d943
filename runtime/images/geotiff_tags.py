"""Names, scales, colours, control points and tags of a page, given to a new GeoTIFF."""

from typing import Any

from runtime.images.geotiff_layout import place
from runtime.images.geotiff_page import PLAIN_COLOURS, Page

ARGUMENTS = ("bidx", "ns")
"""Names that no tag can have in rasterio, which takes tags as named arguments."""


def tag(dataset: Any, page: Page) -> None:
    """Give a new dataset everything of a page that is neither place nor layout."""
    from rasterio.control import GroundControlPoint
    from rasterio.crs import CRS
    from rasterio.enums import ColorInterp

    if page.points:
        points = [
            GroundControlPoint(one.row, one.column, one.x, one.y, one.z, one.name, one.text) for one in page.points
        ]
        dataset.gcps = (points, place(page).get("crs", CRS()))
    palette = bytes.fromhex(page.colours) if is_hexadecimal(page.colours) else b""
    if palette and len(page.bands) == 1:
        entries = {i: tuple(palette[4 * i : 4 * i + 4]) for i in range(len(palette) // 4)}
        dataset.write_colormap(1, entries)
    pairs = [(band.colour, now) for band, now in zip(page.bands, dataset.colorinterp, strict=True)]
    if any(wanted != now.name and not {wanted, now.name} <= PLAIN_COLOURS for wanted, now in pairs):
        dataset.colorinterp = [ColorInterp.__members__.get(wanted, ColorInterp.undefined) for wanted, _ in pairs]
    dataset.descriptions = [band.name or None for band in page.bands]
    if any(band.scale != 1 or band.offset != 0 for band in page.bands):
        dataset.scales = [band.scale for band in page.bands]
        dataset.offsets = [band.offset for band in page.bands]
    if any(band.unit for band in page.bands):
        dataset.units = [band.unit for band in page.bands]
    for index, tags in enumerate((page.tags, *(band.tags for band in page.bands))):
        for domain, values in tags.items():
            texts = {name: text for name, text in values.items() if name not in ARGUMENTS}
            dataset.update_tags(index, ns=domain or None, **texts)


def is_hexadecimal(text: str) -> bool:
    """Whether a text is whole entries of a palette."""
    return len(text) % 8 == 0 and all(mark in "0123456789abcdef" for mark in text)
