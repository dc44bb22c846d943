"""The entries of an ENVI header as a page of a GeoTIFF: GDAL reads them from a header of its own, of one pixel."""

import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from runtime.images.carried_keys import entries_of
from runtime.images.envi_entries import key_text, value_text
from runtime.images.envi_header_reader import STRUCTURAL_KEYS
from runtime.images.envi_header_writer import CODES, envi_header
from runtime.images.geotiff import opened
from runtime.images.geotiff_facts import page_of
from runtime.images.geotiff_page import Band, Page, Tags
from runtime.images.geotiff_words import ENVI_DOMAIN, PLACE_KEYS, envi_words

STRUCTURAL_TAGS = {key.replace(" ", "_") for key in STRUCTURAL_KEYS}


def page_of_entries(metadata: dict[str, Any], n_bands: int, dtype: np.dtype[Any]) -> Page:
    """Place, names, wavelengths and all else that GDAL reads in the entries; they stand in its domain ENVI, too."""
    entries = entries_of(metadata)
    if not entries:
        return Page([Band() for _ in range(n_bands)])
    has_no_place = "map info" not in entries
    if has_no_place and "coordinate system string" in entries:  # without a place GDAL does not look at it
        metadata = metadata | {"map info": ["Arbitrary", "1", "1", "0", "0", "1", "1"]}
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "pixel.bil"
        kind = dtype if dtype.name in CODES else np.dtype("i2")
        data.write_bytes(bytes(n_bands * kind.itemsize))
        data.with_suffix(".hdr").write_bytes(envi_header((1, n_bands, 1), kind, "bil", metadata))
        with opened(data) as dataset:
            page = page_of(dataset)
    tags = {domain: {} if domain == ENVI_DOMAIN else one for domain, one in page.tags.items()}
    tags[""] = {name: text for name, text in page.tags.get("", {}).items() if not name.startswith("Band_")}
    tags[ENVI_DOMAIN] = entry_tags(entries, page.tags.get(ENVI_DOMAIN, {}))
    bands, names = page.bands, entries.get("band names")
    if isinstance(names, list) and len(names) == n_bands:
        bands = [replace(band, name=str(one)) for band, one in zip(bands, names, strict=True)]
    tags = {domain: one for domain, one in tags.items() if one}
    transform = transform_of(entries.get("geotransform")) if has_no_place else page.transform
    return replace(page, bands=bands, tags=tags, transform=transform, block=[], interleave="band")


def transform_of(value: Any) -> list[float]:
    """The six numbers of an entry that this software writes for a skewed grid; none where it is anything else."""
    try:
        numbers = [float(one) for one in value]
    except (TypeError, ValueError, OverflowError):
        return []
    return numbers if len(numbers) == 6 and all(map(math.isfinite, numbers)) else []


def entry_tags(entries: dict[str, Any], found: dict[str, str]) -> dict[str, str]:
    """Texts of entries by keys with _ for blanks: as GDAL gives them, else as a header has them."""
    tags = {name: text for name, text in found.items() if name.lower() not in STRUCTURAL_TAGS}
    known = {name.lower() for name in tags}
    for key, value in entries.items():
        name = key_text(key).replace(" ", "_")
        if name and value is not None and name not in known and name not in STRUCTURAL_TAGS:
            tags[name] = value_text(key, value)
    return tags


def with_entries(pages: list[Page], metadata: dict[str, Any], dtype: np.dtype[Any]) -> list[Page]:
    """Pages with what the entries say beyond them, as those of a product do, which describes bands beside its image.

    Where the image lies is what its pages say.
    """
    words = envi_words([replace(page, crs="") for page in pages])
    found = entries_of(metadata)
    more = {key: value for key, value in found.items() if words.get(key) != value and key not in PLACE_KEYS}
    if not more:
        return pages
    n_of_page = len(pages[0].bands)
    added = page_of_entries(more, n_of_page * len(pages), dtype)
    names = "band names" in more
    scales, offsets = "data gain values" in more, "data offset values" in more
    bands = [
        replace(
            old, name=new.name if names else old.name, scale=new.scale if scales else old.scale,
            offset=new.offset if offsets else old.offset, tags=merged(old.tags, new.tags),
        )
        for old, new in zip((band for page in pages for band in page.bands), added.bands, strict=True)
    ]  # fmt: skip
    return [
        replace(page, bands=bands[z : z + n_of_page], tags=merged(page.tags, added.tags))
        for z, page in zip(range(0, len(bands), n_of_page), pages, strict=True)
    ]


def merged(tags: Tags, more: Tags) -> Tags:
    """Tags of both; where both have one, the second's."""
    return {domain: tags.get(domain, {}) | more.get(domain, {}) for domain in (*tags, *more)}
