"""What an HDF5 file says of a dataset, in the words of an ENVI header, and what of the file is not carried."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime.images.envi_header_reader import STRUCTURAL_KEYS
from runtime.images.hdf5.attributes import are_numbers, attributes_of, is_short, texts, whole
from runtime.images.hdf5.entries import MOST_LISTED, Entry
from runtime.images.hdf5.products import Product

PER_BAND = {
    "wavelength": ("wavelengths", "wavelength", "centerwavelength", "centrewavelength", "centerwavelengths", "wl"),
    "fwhm": ("fwhm", "fwhms", "bandwidth", "bandwidths"),
    "bbl": ("bbl", "goodwavelengths", "goodbands"),
    "band names": ("bandnames", "bandname"),
}
"""Words of an ENVI header, and names of attributes and datasets, without case and underscores."""
NO_DATA = ("fillvalue", "missingvalue", "nodata", "nodatavalue", "dataignorevalue")
UNITS = ("wavelengthunits", "wavelengthsunits", "wavelengthunit")
GAINS = {"scale_factor": "data gain values", "add_offset": "data offset values"}
ENVI_UNITS = {
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), "Nanometers"),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"),
                    "Micrometers"),
}  # fmt: skip
FLAGS = re.compile("flag|quality|good|bad|valid|mask", re.IGNORECASE)


def plain(name: str) -> str:
    """The last part of a name without case, blanks and underscores."""
    return re.sub("[_ -]", "", name.rsplit("/", 1)[-1].lower())


@dataclass(frozen=True)
class ListOfBands:
    """An item for each band, the names of what it was found in, and the unit, if that is said."""

    values: list[str]
    names: list[str]
    unit: str


@dataclass
class Described:
    """What is being said of one dataset."""

    file: Any
    dataset: Any
    entry: Entry
    entries: Sequence[Entry]
    letters: str
    product: tuple[Product, str] | None
    words: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """Datasets, and attributes of the dataset (without a slash) and of the file (with a colon), that are carried."""

    @property
    def n_bands(self) -> int:
        """1 for a layer."""
        return self.entry.shape[self.letters.index("Z")] if "Z" in self.letters else 1

    def say(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The words, and what is in none of them."""
        attributes = attributes_of(self.dataset)
        for word in PER_BAND:
            found = self.by_product(word) or self.by_attribute(word, attributes) or self.by_dataset(word)
            if found is not None and (word == "band names" or are_numbers(found.values)):
                self.words[word] = whole(found.values) if word == "bbl" else found.values
                self.used.update(found.names)
                if word == "wavelength" and found.unit:
                    self.words["wavelength units"] = ENVI_UNITS.get(found.unit.lower(), found.unit)
        self.samples(attributes)
        self.flags()
        left = [name for name, values in attributes.items() if name not in self.used and not self.own(name, values)]
        for name in self.product[0].others if self.product else ():
            name = name.format(self.product[1])  # type: ignore[index]  # there is one
            if name in self.file.attrs and self.own(name, texts(self.file.attrs[name])):
                self.used.add(f":{name}")
        return self.words, self.not_carried(left)

    def by_product(self, word: str) -> ListOfBands | None:
        """A list that the maker's documents place among the attributes of the file."""
        if self.product is None or word not in self.product[0].per_band:
            return None
        name = self.product[0].per_band[word].format(self.product[1])
        values = texts(self.file.attrs.get(name))
        return ListOfBands(values, [f":{name}"], "nm") if values and len(values) == self.n_bands else None

    def by_attribute(self, word: str, attributes: dict[str, list[str] | None]) -> ListOfBands | None:
        """A list among the attributes of the dataset."""
        units = [(name, values[0]) for name, values in attributes.items() if plain(name) in UNITS and values]
        unit, names = (units[0][1], [units[0][0]]) if units and word == "wavelength" else ("", [])
        for name, values in attributes.items():
            if plain(name) in PER_BAND[word] and values and len(values) == self.n_bands:
                return ListOfBands(values, [name, *names], unit)
        return None

    def by_dataset(self, word: str) -> ListOfBands | None:
        """A list in the dataset that belongs to the axis of bands, or lies nearest in the tree of groups."""
        if "Z" not in self.letters:
            return None
        axis = self.dataset.dims[self.letters.index("Z")]
        scales = {scale.name for scale in axis.values()}
        named = [one for one in self.entries if plain(one.name) in PER_BAND[word] and one.shape == (self.n_bands,)]
        ranked = sorted((one.name in scales, nearness(one.name, self.entry.name), one.name) for one in named)
        if not ranked or (len(ranked) > 1 and ranked[-1][:2] == ranked[-2][:2]):
            return None
        source = self.file[ranked[-1][2]]
        values, unit = texts(source[()]), attributes_of(source).get("units")
        return ListOfBands(values, [source.name], unit[0] if unit else "") if values else None

    def samples(self, attributes: dict[str, list[str] | None]) -> None:
        """Say which sample is none, and what samples mean."""
        for name, values in attributes.items():
            if not values or ("data ignore value" in self.words and plain(name) in NO_DATA):
                continue
            if plain(name) in NO_DATA and len(values) == 1 and (are_numbers(values) or values == ["nan"]):
                self.words["data ignore value"] = values[0]
            elif name in GAINS and are_numbers(values) and len(values) in (1, self.n_bands):
                self.words[GAINS[name]] = values * (self.n_bands // len(values))
            elif name == "units" and len(values) == 1:
                self.words["data units"] = values[0]
            else:
                continue
            self.used.add(name)

    def flags(self) -> None:
        """Carry other lists of flags with an item for each band, under their own names."""
        for one in self.entries if self.n_bands > 1 else ():
            is_list = one.shape == (self.n_bands,) and one.dtype is not None and one.name not in self.used
            if is_list and FLAGS.search(one.name.rsplit("/", 1)[-1]):
                values = texts(self.file[one.name][()])
                if values and are_numbers(values) and self.own(one.name.rsplit("/", 1)[-1], whole(values)):
                    self.used.add(one.name)

    def own(self, name: str, values: list[str] | None) -> bool:
        """Carry a value under its own name, if it is short, and no other word is spelled so."""
        key = " ".join(name.lower().split())
        taken = {*STRUCTURAL_KEYS, *PER_BAND, *(word.lower() for word in self.words)}
        if values is None or not is_short(values, self.n_bands) or key in taken:
            return False
        self.words[name] = values[0] if len(values) == 1 else values
        return True

    def not_carried(self, attributes: list[str]) -> tuple[str, ...]:
        """Attributes and datasets that no word has."""
        of_file = [name for name in self.file.attrs if f":{name}" not in self.used and not name.startswith("_NC")]
        others = [str(one) for one in self.entries if one.name not in (*self.used, self.entry.name)]
        found = (
            (attributes, "attributes of the dataset", ""),
            (of_file, "attributes of the file", ""),
            (others, "other datasets", "; those of two or three axes can be compressed, each by its own path"),
        )
        kind = ("type bool (read as uint8)",) if self.dataset.dtype.kind == "b" else ()
        return (*kind, *(f"{what} ({few(names)}){advice}" for names, what, advice in found if names))


def nearness(one: str, other: str) -> int:
    """How many groups two paths have in common from the root on."""
    pairs = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    n = 0
    for first, second in pairs:
        if first != second:
            break
        n += 1
    return n


def few(names: Sequence[str]) -> str:
    """Names for a message, the first of many."""
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
