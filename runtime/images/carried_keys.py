"""The keys of a stream's metadata: entries of an ENVI header, and those that hold what such a header has no words for.

An entry's key has small letters and its value is a text or a list; the others have capitals, and a table as value.
"""

from typing import Any

EXACT_TEXTS = "ENVI"
"""Entries of a header as they stood, by key, where they are not as `entry_text` writes them."""
GEOTIFF = "GeoTIFF"
"""What GDAL knows of a GeoTIFF: runtime/images/geotiff_page.py."""
NUMPY = "NumPy"
"""Of a .npy file: {"axes": 2} where the image had lines and columns only."""
TABLES = (EXACT_TEXTS, GEOTIFF, NUMPY)


def table_of(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    """One of the tables, empty where there is none."""
    found = metadata.get(name)
    return found if isinstance(found, dict) else {}


def entries_of(metadata: dict[str, Any]) -> dict[str, Any]:
    """The entries of an ENVI header."""
    return {key: value for key, value in metadata.items() if key not in TABLES or not isinstance(value, dict)}
