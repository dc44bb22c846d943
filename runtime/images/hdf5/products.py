"""What the makers of HDF5 products say in documents and not in each file: a table of paths.

PRISMA: structure from the maker's documents, ASI, PRISMA Products Specification Document 2.3 (cubes of lines, bands,
columns; lists of bands as attributes of the file). EMIT L1B and L2A (LP DAAC user guides: /radiance or /reflectance,
/sensor_band_parameters) and HYPSO-1 (NTNU, hypso-package: /products/Lt with its wavelengths as attributes) say in
their files all that is needed here, and have no row.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """Where a product keeps what belongs to one of its cubes. {} is its detector, as in the names of attributes."""

    maker: str
    path: re.Pattern[str]
    """Of the cube; its groups are the short name's beginning, if any, and the detector."""
    axes: str
    per_band: dict[str, str]
    """Words of an ENVI header, and attributes of the file with an item for each band."""
    others: tuple[str, ...]
    """Further attributes of the file that are carried under their own names."""


PRODUCTS = (
    Product(
        "PRISMA",
        re.compile(r"/HDFEOS/SWATHS/PRS_L\w{1,2}_H(CO|RC)/Data Fields/(VNIR|SWIR)_Cube"),
        "YZX",
        {"wavelength": "List_Cw_{}", "fwhm": "List_Fwhm_{}", "bbl": "List_Cw_{}_Flags"},
        ("Product_ID", "Product_StartTime", "ScaleFactor_{}", "Offset_{}", "L2Scale{}Min", "L2Scale{}Max"),
    ),
)
SHORT_NAMES: dict[str, Callable[[re.Match[str]], str]] = {
    "PRISMA": lambda found: found[2].lower() if found[1] == "CO" else f"{found[2].lower()}-hrc",
}


def product_of(name: str) -> tuple[Product, str] | None:
    """The product that a dataset's path belongs to, and the detector as its attributes spell it."""
    for product in PRODUCTS:
        if found := product.path.fullmatch(name):
            return product, found[2].capitalize()
    return None


def short_name(name: str) -> str | None:
    """A short name for a cube of a known product."""
    for product in PRODUCTS:
        if found := product.path.fullmatch(name):
            return SHORT_NAMES[product.maker](found)
    return None
