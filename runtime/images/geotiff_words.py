"""What a GeoTIFF says in the words of an ENVI header, and what such a header has no words for."""

import math
from typing import Any

from runtime.images.envi_entries import key_text, metadata_value
from runtime.images.envi_header_reader import STRUCTURAL_KEYS
from runtime.images.geotiff_page import PLAIN_COLOURS, Band, Page

ENVI_DOMAIN = "ENVI"
"""Where GDAL keeps the entries of an ENVI header, with _ for blanks in their keys."""
IMAGERY_DOMAIN = "IMAGERY"
WAVELENGTH_TAGS = {"wavelength", "wavelength_units"}
PLACE_KEYS = {"map info", "projection info", "coordinate system string", "geotransform"}


def envi_words(pages: list[Page]) -> dict[str, Any]:
    """Entries of a header: place, no-data value, names, wavelengths, scales, and those of GDAL's ENVI domain.

    A grid that is turned by an angle has it in its map info; of one that is skewed the transform is given as it is.
    """
    page, bands = pages[0], [band for page in pages for band in page.bands]
    words = place_words(page.transform)
    if page.crs and not page.points:
        from rasterio.crs import CRS

        words["coordinate system string"] = f"{{{CRS.from_wkt(page.crs).to_wkt(version='WKT1_ESRI')}}}"
    if page.nodata:
        words["data ignore value"] = page.nodata
    if any(band.name for band in bands):
        words["band names"] = [band.name or f"Band {z}" for z, band in enumerate(bands, start=1)]
    words |= wavelength_words(bands, page.tags.get("", {}).get("wavelength_units"))
    if any(band.scale != 1 or band.offset != 0 for band in bands):
        words["data gain values"] = [str(band.scale) for band in bands]
        words["data offset values"] = [str(band.offset) for band in bands]
    for name, text in page.tags.get(ENVI_DOMAIN, {}).items():
        key = key_text(name.replace("_", " "))
        if key and key not in words and key not in PLACE_KEYS and key not in STRUCTURAL_KEYS:
            is_whole = not text.startswith("{") or text.endswith("}")
            words[key] = metadata_value(key, text) if is_whole else text
    return words


def place_words(transform: list[float]) -> dict[str, Any]:
    """Map info where that has words for the transform: rows and columns at right angles, turned by less than a half."""
    if not transform:
        return {}
    a, b, c, d, e, f = transform
    width, height, turn = math.hypot(a, b), math.hypot(d, e), math.atan2(b, a)
    is_square = math.isclose(
        math.hypot(d - height * math.sin(turn), e + height * math.cos(turn)), 0, abs_tol=1e-9 * height
    )
    if not is_square or width == 0 or height == 0 or (a < 0 and b == 0):
        return {"geotransform": [str(float(value)) for value in transform]}
    place = ["Arbitrary", *map(str, (1, 1, float(c), float(f), width, height))]
    return {"map info": [*place, f"rotation={math.degrees(turn)!r}"] if b or d else place}


def wavelength_words(bands: list[Band], units: str | None) -> dict[str, Any]:
    """Wavelengths where each band has one: by GDAL's tags of an ENVI image, or of its domain IMAGERY."""
    tagged = [band.tags.get("", {}).get("wavelength") for band in bands]
    units = bands[0].tags.get("", {}).get("wavelength_units") or units
    words: dict[str, Any] = {}
    if all(tagged):
        words = {"wavelength": tagged, **({"wavelength units": units} if units else {})}
    else:
        names = {"wavelength": "CENTRAL_WAVELENGTH_UM", "fwhm": "FWHM_UM"}
        for key, name in names.items():
            found = [band.tags.get(IMAGERY_DOMAIN, {}).get(name) for band in bands]
            words |= {key: found, "wavelength units": "Micrometers"} if all(found) else {}
    return words


def without_words(pages: list[Page]) -> tuple[str, ...]:
    """What pages say that `envi_words` has no words for, each in a few of ours."""
    bands = [band for page in pages for band in page.bands]
    words = place_words(pages[0].transform) | wavelength_words(bands, None)
    colours = {band.colour for band in bands} - PLAIN_COLOURS - {"palette"}
    all_tags = [*(page.tags for page in pages), *(band.tags for band in bands)]
    tags = {name for one in all_tags for name in one.get("", {})} - {"AREA_OR_POINT"}
    tags -= WAVELENGTH_TAGS if "wavelength" in words else set()
    domains = {name for one in all_tags for name in one} - {"", ENVI_DOMAIN, "RPC"}
    domains -= {IMAGERY_DOMAIN} if "wavelength" in words else set()
    places = {(page.crs, tuple(page.transform), page.nodata) for page in pages}
    found = {
        "ground control points": any(page.points for page in pages),
        "RPCs": any("RPC" in page.tags for page in pages),
        "a colour map": any(page.colours for page in pages),
        f"colours of bands ({', '.join(sorted(colours))})": colours,
        "commas in band names (; in their place)": any("," in band.name for band in bands),
        "units of samples": any(band.unit for band in bands),
        "that a sample is a point": any(page.tags.get("", {}).get("AREA_OR_POINT") == "Point" for page in pages),
        "a skewed transform, but as a text": "geotransform" in words,
        "places and no-data values of single pages": len(places) > 1,
        f"{len(pages)} pages": len(pages) > 1,
        f"tags ({', '.join(sorted(tags))})": tags,
        f"metadata of domains ({', '.join(sorted(domains))})": domains,
    }
    return tuple(text for text, is_there in found.items() if is_there)
