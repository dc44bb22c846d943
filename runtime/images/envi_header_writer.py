"""The header of an ENVI image as bytes. Metadata is data: it can become neither a line nor structure."""

from typing import Any

import numpy as np

from runtime.images.carried_keys import EXACT_TEXTS, entries_of, table_of
from runtime.images.envi_entries import entry_text, is_entry, key_text
from runtime.images.envi_header_reader import DATA_TYPES, STRUCTURAL_KEYS

CODES = {np.dtype(name).name: code for code, name in DATA_TYPES.items()}


def envi_header(shape: tuple[int, int, int], dtype: np.dtype[Any], interleave: str, metadata: dict[str, Any]) -> bytes:
    """UTF-8 text for little-endian samples right from the file's start; shape: lines, bands, columns.

    Entries of the metadata that name structure, or are None, are left out; those whose exact text is known have it.
    """
    structure = {
        "samples": shape[2], "lines": shape[0], "bands": shape[1], "header offset": 0, "file type": "ENVI Standard",
        "data type": CODES[dtype.name], "interleave": interleave, "byte order": 0,
    }  # fmt: skip
    lines = [f"{key} = {value}" for key, value in structure.items()]
    return "".join(f"{line}\n" for line in ("ENVI", *lines, *carried(metadata).values())).encode()


def carried(metadata: dict[str, Any]) -> dict[str, str]:
    """The text of each entry that a header may have, by its key as a reader sees it."""
    exact, texts = table_of(metadata, EXACT_TEXTS), dict[str, str]()
    for key, value in entries_of(metadata).items():
        is_exact = is_entry(exact.get(key), key, value)
        name = key if is_exact else key_text(key)
        if value is not None and name and name not in STRUCTURAL_KEYS:
            texts[name] = exact[key] if is_exact else entry_text(key, value)
    return texts
