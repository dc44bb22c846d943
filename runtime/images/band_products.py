"""Folders of EnMAP and DESIS products: a spectral image, and the XML that describes its bands.

Structure from the maker's documents: DLR, EnMAP HSI Level 1B/1C/2A Product Specification (EN-PCV-ICD-2009-2), NAME of
`-METADATA.XML`, `-SPECTRAL_IMAGE.TIF`, of L1B `-SPECTRAL_IMAGE_VNIR.TIF` and `_SWIR.TIF`; DLR, DESIS product
specification, `-METADATA.xml` and `-SPECTRAL_IMAGE.tif`.
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import BadArgument, one_line

METADATA = "-metadata.xml"
IMAGE = "-spectral_image"
SUFFIXES = (".tif", ".tiff", ".bsq", ".bil", ".bip")
LARGEST_XML_BYTES = 1 << 26
LARGEST_FOLDER = 10_000
BAND_ELEMENTS = ("bandID", "band")
"""Of EnMAP and DESIS, within bandCharacterisation."""
WORDS = {
    "wavelengthCenterOfBand": "wavelength", "FWHMOfBand": "fwhm", "wavelengthWidthOfBand": "fwhm",
    "GainOfBand": "data gain values", "gainOfBand": "data gain values", "OffsetOfBand": "data offset values",
    "offsetOfBand": "data offset values", "deadPixels": "dead pixels", "suspiciousPixel": "suspicious pixels",
}  # fmt: skip
"""Elements of a band, and words of an ENVI header; the last two are how many columns of a band are bad."""


@dataclass(frozen=True)
class BandProduct:
    """The files of a product that an image is read from, and the others that lie there."""

    metadata: Path
    image: Path
    others: tuple[str, ...]


def is_product(path: Path) -> bool:
    """Whether a path is a folder, or the XML file of a product."""
    return path.is_dir() or path.name.lower().endswith(METADATA)


def find_product(path: Path, part: str) -> BandProduct:
    """The files of a product named by its folder or XML. part: vnir or swir of an L1B product, else empty.

    Raises BadArgument: not one such product, or which of two images is not said.
    """
    metadata = path
    if path.is_dir():
        found = sorted(one for one in files_in(path) if one.name.lower().endswith(METADATA))
        if len(found) != 1:
            what = f"a folder with {len(found) or 'no'} files *-METADATA.XML"
            raise BadArgument(f"{path} is {what}, allowed a file, or the folder of one EnMAP or DESIS product")
        metadata = found[0]
    stem = metadata.name[: -len(METADATA)]
    beside = sorted(one for one in files_in(metadata.parent) if one.name.startswith(stem) and one != metadata)
    images: dict[str, Path] = {}
    for one in beside:
        name = one.name[len(stem) : -len(one.suffix) or None].lower()
        if name.startswith(IMAGE) and one.suffix.lower() in SUFFIXES:
            images.setdefault(name.removeprefix(IMAGE).strip("_"), one)
    if part.lower() not in images:
        names = ", ".join(f"{path}:{detector}" if detector else str(path) for detector in images)
        what = f"image {part} named" if part else "image not named"
        there = f"allowed {names}" if names else f"{stem}{IMAGE.upper()}.TIF is missing"
        raise BadArgument(f"{metadata}: {what}, {there}")
    image = images[part.lower()]
    return BandProduct(metadata, image, tuple(one.name for one in beside if one.stem != image.stem))


def files_in(folder: Path) -> list[Path]:
    """Files of a folder, of which there may be many. Raises BadArgument."""
    try:
        found = [one for one, _ in zip(folder.iterdir(), range(LARGEST_FOLDER), strict=False) if one.is_file()]
    except OSError as error:
        raise BadArgument(f"{folder}: {error.strerror}") from None
    return found


def band_words(product: BandProduct, n_bands: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the XML says of the bands of the image in the words of an ENVI header, and what is not carried.

    Of two images the one of VNIR has the first bands, the one of SWIR the last. Raises BadArgument: no XML.
    """
    name = product.metadata
    try:
        with name.open("rb") as file:
            text = file.read(LARGEST_XML_BYTES + 1)
        if len(text) > LARGEST_XML_BYTES:
            raise BadArgument(f"{name}: more than {LARGEST_XML_BYTES} bytes, which the XML of no product has")
        root = ElementTree.fromstring(text)
    except (OSError, ElementTree.ParseError, ValueError, RecursionError) as error:
        raise BadArgument(f"{name}: {one_line(error)}") from error
    others = (f"files beside it ({', '.join(product.others)})",) if product.others else ()
    parents = named(root, "bandCharacterisation")
    bands = [one for parent in parents for kind in BAND_ELEMENTS for one in named(parent, kind)]
    is_part = not product.image.stem.lower().endswith(IMAGE)
    if len(bands) < n_bands or (not is_part and len(bands) != n_bands):
        return {}, (*others, f"{name.name} (describes {len(bands)} bands, the image has {n_bands})")
    bands = bands[-n_bands:] if product.image.stem.lower().endswith("swir") else bands[:n_bands]
    words: dict[str, Any] = {}
    for element, word in WORDS.items():
        values = [(found[0].text or "").strip() for band in bands if (found := named(band, element))]
        if len(values) == n_bands and all(is_number(value) for value in values):
            words[word] = values
    if "wavelength" in words:
        words["wavelength units"] = "Nanometers"
    return words, (*others, f"the rest of {name.name}")


def named(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """The elements below one of a name, in whatever name space."""
    return [one for one in element.iter() if one.tag.rsplit("}", 1)[-1] == name]


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        return float(text) == float(text)
    except ValueError:
        return False
