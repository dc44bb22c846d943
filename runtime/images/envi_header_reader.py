"""The header of an ENVI image, taken apart: the layout of its samples, and the metadata that is carried through."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import BadArgument
from runtime.images.carried_keys import EXACT_TEXTS
from runtime.images.envi_entries import LINE_ENDS, entries, entry_text, is_entry, metadata_value

LARGEST_BYTES = 1 << 24
LARGEST_EXACT = 1 << 20
"""Characters of entries that are kept as they stand, beside their values."""
DATA_TYPES = {
    1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 6: "c8", 9: "c16", 12: "u2", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
MOST_SHOWN = 4
"""Lines without a key that are shown."""
STRUCTURAL_KEYS = (
    "samples", "lines", "bands", "header offset", "data type", "interleave", "byte order", "file type",
    "file compression", "major frame offsets", "minor frame offsets",
)  # fmt: skip
NO_OFFSETS = ("0", "{0,0}", "{0, 0}")
ALLOWED = {
    "file type": ("envi standard", "envi classification"), "file compression": ("0",),
    "major frame offsets": NO_OFFSETS, "minor frame offsets": NO_OFFSETS,
}  # fmt: skip
WHOLE = re.compile(r"\+?([0-9]{1,18})(\.0*)?")


@dataclass(frozen=True)
class EnviHeader:
    """Layout of the samples, and the other entries of a header.

    shape: lines, bands, columns, each at least 1. dtype: NumPy name with byte order. interleave: bil, bip or bsq.
    offset: bytes before the first sample. metadata: as in `metadata_value`, and the exact texts of entries
    (runtime/images/carried_keys.py).
    not_carried: what the header says that is in none of these, in words.
    """

    shape: tuple[int, int, int]
    dtype: str
    interleave: str
    offset: int
    metadata: dict[str, Any]
    not_carried: tuple[str, ...]


def read_envi_header(path: Path) -> EnviHeader:
    """The header in a file. Raises BadArgument that names the key, what was found and what is allowed."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise BadArgument(f"{path}: {error.strerror}") from None
    if len(data) > LARGEST_BYTES:
        raise BadArgument(f"{path}: more than {LARGEST_BYTES} bytes, which no ENVI header has")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    first, *lines = LINE_ENDS.split(text)
    if not first.strip().startswith("ENVI"):
        raise BadArgument(f"{path}: begins with {first[:20]!r}, allowed ENVI")
    structure: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    texts: dict[str, str] = {}
    replaced, strays = [], []
    for key, value, whole in entries(path, iter(lines)):
        if not key:
            strays.append(value[:20])
        elif key not in STRUCTURAL_KEYS:
            replaced += [key] if metadata.get(key, found := metadata_value(key, value)) != found else []
            metadata[key], texts[key] = found, whole
        elif structure.setdefault(key, value) != value:
            raise BadArgument(f"{path}: {key} is {structure[key]} and {value}, allowed one of them")
    layout = Structure(path, structure)
    for key, allowed in ALLOWED.items():
        layout.choice(key, allowed, allowed[0])
    byte_order = ">" if layout.choice("byte order", ("0", "1"), "0") == "1" else "<"
    code = layout.whole("data type")
    if code not in DATA_TYPES:
        raise BadArgument(f"{path}: data type is {code}, allowed {', '.join(map(str, DATA_TYPES))}")
    offset = layout.whole("header offset", "0")
    kind = structure.get("file type", "")
    exact, rewritten = exact_texts(metadata, texts)
    not_carried = {
        "comments": re.search(r"(?m)^\s*;", text),
        f"lines without a key ({', '.join(strays[:MOST_SHOWN])})": strays,
        f"first values of {', '.join(replaced)}": replaced,
        f"exact text of {', '.join(rewritten)}": rewritten,
        f"{offset} bytes before the samples": offset,
        f"file type {kind}": kind.lower() not in ("", ALLOWED["file type"][0]),
    }
    return EnviHeader(
        (layout.whole("lines", least=1), layout.whole("bands", least=1), layout.whole("samples", least=1)),
        byte_order + DATA_TYPES[code],
        layout.choice("interleave", ("bil", "bip", "bsq")),
        offset,
        metadata | ({EXACT_TEXTS: exact} if exact else {}),
        tuple(words for words, is_there in not_carried.items() if is_there),
    )


def exact_texts(metadata: dict[str, Any], texts: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The texts of entries that are not as this software writes them, and the keys of those that cannot be kept.

    What one reader or another would take for more than this entry is not kept.
    """
    own = {key: text for key, text in texts.items() if text != entry_text(key, metadata[key])}
    exact = {key: text for key, text in own.items() if is_entry(text, key, metadata[key])}
    if sum(map(len, exact.values())) > LARGEST_EXACT:
        exact = {}
    return exact, [key for key in own if key not in exact]


@dataclass(frozen=True)
class Structure:
    """The entries on the layout of samples; an absent one has its default, or is refused."""

    path: Path
    entries: dict[str, str]

    def whole(self, key: str, default: str = "missing", least: int = 0) -> int:
        """A whole number, perhaps spelled as 20.0."""
        text = self.entries.get(key, default)
        match = WHOLE.fullmatch(text)
        if match is None or int(match[1]) < least:
            raise BadArgument(f"{self.path}: {key} is {text[:40]}, allowed a whole number of at least {least}")
        return int(match[1])

    def choice(self, key: str, allowed: tuple[str, ...], default: str = "missing") -> str:
        """One of some words in small letters."""
        text = self.entries.get(key, default)
        if text.lower() not in allowed:
            raise BadArgument(f"{self.path}: {key} is {text[:40]}, allowed {', '.join(allowed)}")
        return text.lower()
