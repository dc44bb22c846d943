"""What GDAL knows of one page of a GeoTIFF beside its samples, as a table that a stream carries and rasterio gets back.

A stream's `GeoTIFF` is {"pages": [...]}, of pages with as many bands each; null is a page like the one before.
"""

import contextlib
import json
import math
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from typing import Annotated, Any, Literal

from msgspec import Meta

from runtime.checked_table import AtLeast1, checked_table
from runtime.errors import BadArgument, Corrupt

PLAIN_COLOURS = {"gray", "undefined"}
"""Of bands that have no colour; which of the two it is says nothing."""
Tags = dict[str, dict[str, str]]
"""Texts by name, by domain; the domain without a name is "" as in GDAL."""
LARGEST_TEXT = 1 << 21
"""Characters of a table's JSON that are carried; of a stream's metadata twice as many are allowed."""
LOSSLESS = ("", "lzw", "deflate", "packbits", "zstd", "lzma")
Compression = Literal["", "lzw", "deflate", "packbits", "zstd", "lzma"]
TransformNumbers = Annotated[list[float], Meta(max_length=6)]
BlockNumbers = Annotated[list[AtLeast1], Meta(max_length=2)]


@dataclass(frozen=True)
class ControlPoint:
    """A place in the image, in lines and columns, and on the earth."""

    row: float
    column: float
    x: float
    y: float
    z: float = 0.0
    name: str = ""
    text: str = ""


@dataclass(frozen=True)
class Band:
    """What belongs to one band. A value is scale * sample + offset, in the unit."""

    name: str = ""
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    colour: str = "gray"
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What belongs to a page; `block`, `compression`, `predictor` and `interleave` say how its samples lie."""

    bands: list[Band]
    crs: str = ""
    """WKT2, also of the control points where there are any."""
    transform: TransformNumbers = field(default_factory=list)
    """x = a column + b line + c, y = d column + e line + f; empty: none."""
    points: list[ControlPoint] = field(default_factory=list)
    nodata: str = ""
    colours: str = ""
    """Of the palette, 8 hexadecimal digits each for red, green, blue, alpha."""
    tags: Tags = field(default_factory=dict)
    block: BlockNumbers = field(default_factory=list)
    """Lines and columns; of strips all columns. Empty: GDAL's default."""
    compression: Compression = ""
    predictor: Literal[1, 2, 3] = 1
    interleave: Literal["band", "pixel"] = "band"

    def __post_init__(self) -> None:
        """Raise BadArgument for lists of other lengths."""
        for name, allowed in (("transform", 6), ("block", 2)):
            if len(getattr(self, name)) not in (0, allowed):
                raise BadArgument(f"{name}: found {len(getattr(self, name))} numbers, allowed {allowed}")


def table_of_pages(pages: list[Page]) -> dict[str, Any]:
    """Plain values for JSON, without those that are what they are anyhow."""
    before = (None, *pages)
    return {"pages": [None if page == old else plain(page) for page, old in zip(pages, before, strict=False)]}


def plain(value: Any) -> Any:
    """A dataclass as a table, without fields that have their defaults."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not is_dataclass(value):
        return value
    found = {one.name: getattr(value, one.name) for one in fields(value)}
    defaults = {
        one.name: one.default_factory() if one.default_factory is not MISSING else one.default for one in fields(value)
    }
    return {name: plain(one) for name, one in found.items() if one != defaults[name]}


def pages_of_table(table: dict[str, Any], n_bands: int) -> list[Page]:
    """The pages of a stream's table. Raises Corrupt for what no GeoTIFF has, or another number of bands in all."""
    try:
        given = table.get("pages")
        if set(table) != {"pages"} or not isinstance(given, list) or not given or len(given) > n_bands:
            raise BadArgument(f"GeoTIFF in a stream's metadata: found no table with 1..{n_bands} pages alone")
        pages: list[Page] = []
        for index, one in enumerate(given):
            is_same = one is None and pages
            pages.append(
                pages[-1] if is_same else checked_table(Page, one, "a stream's metadata", f"GeoTIFF.pages[{index}]")
            )
        n_found = [len(page.bands) for page in pages]
        if sum(n_found) != n_bands or len(set(n_found)) != 1:
            raise BadArgument(f"GeoTIFF in a stream's metadata: {sum(n_found)} bands, the image has {n_bands}")
        return pages
    except BadArgument as error:
        raise Corrupt(str(error)) from None


def number_text(value: float | int | None) -> str:
    """A number so that it comes back the same; nothing for none."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.17g}"


def number_of(text: str) -> float | int | None:
    """What `number_text` had; None for what is no number."""
    try:
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 24 else float(text)
    except ValueError:
        return None


def finite(value: float, otherwise: float) -> float:
    """The number, or another where it is none."""
    return float(value) if math.isfinite(value) else otherwise


def checked_pages(pages: list[Page]) -> tuple[list[Page], tuple[str, ...]]:
    """Pages that a stream can carry and gives back, and in words what had to be left out for that: tags, or all."""
    n_bands = sum(len(page.bands) for page in pages)
    bare = [replace(page, tags={}, bands=[replace(band, tags={}) for band in page.bands]) for page in pages]
    least = [Page(bands=[Band() for _ in page.bands]) for page in pages]
    for found, lost in ((pages, ()), (bare, ("tags",)), (least, ("what GDAL knows",))):
        text = json.dumps(table_of_pages(found))
        with contextlib.suppress(Corrupt):
            if len(text) <= LARGEST_TEXT and pages_of_table(json.loads(text), n_bands) == found:
                return found, lost
    return least, ("what GDAL knows",)
