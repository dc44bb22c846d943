"""What of a page the GeoTIFF that was written for it does not give back."""

from runtime.images.geotiff_page import PLAIN_COLOURS, Band, Page, Tags

LAYOUT = {"block", "compression", "predictor", "interleave"}
WORDS = {
    "crs": "CRS", "transform": "transform", "points": "ground control points", "nodata": "no-data value",
    "colours": "colour map", "tags": "tags", "block": "size of blocks", "compression": "compression",
    "predictor": "predictor of the compression", "interleave": "interleave", "name": "band names",
    "scale": "scales", "offset": "offsets", "unit": "units", "colour": "colours of bands",
}  # fmt: skip


def differences(wanted: Page, found: Page) -> tuple[str, ...]:
    """What of a page the file that was written gives back otherwise, in words; layout only where one was asked for."""
    names = [name for name in WORDS if hasattr(wanted, name) and not is_same(name, wanted, found)]
    pairs = list(zip(wanted.bands, found.bands, strict=True))
    for name in ("name", "scale", "offset", "unit", "colour", "tags"):
        if name not in names and any(not is_same(name, *pair) for pair in pairs):
            names.append(name)
    return tuple(WORDS[name] for name in names)


def is_same(name: str, wanted: Page | Band, found: Page | Band) -> bool:
    """Whether one property came back."""
    one, other = getattr(wanted, name), getattr(found, name)
    if name == "crs":
        from rasterio.crs import CRS

        return bool(one == other or (one and other and CRS.from_wkt(one) == CRS.from_wkt(other)))
    if name == "colour" and {one, other} <= PLAIN_COLOURS:
        return True
    if name == "tags":
        return all(is_there(domain, text, other) for domain, values in one.items() for text in values.items())
    return bool(one == other or (name in LAYOUT and not wanted.block) or not one)  # type: ignore[union-attr]  # a page


def is_there(domain: str, tag_and_text: tuple[str, str], tags: Tags) -> bool:
    """Whether a tag came back; numbers may be spelled otherwise."""
    name, text = tag_and_text
    found = tags.get(domain, {}).get(name)
    return found == text or (found is not None and is_same_numbers(text, found))


def is_same_numbers(text: str, other: str) -> bool:
    """Whether two texts are the same numbers between blanks."""
    try:
        return [float(one) for one in text.split()] == [float(one) for one in other.split()]
    except ValueError:
        return False
