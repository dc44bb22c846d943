"""The header of an ENVI image as bytes. Metadata is data: it can become neither a line nor structure."""

import json
import re
from typing import Any

import numpy as np

from runtime.images.envi_header_reader import DATA_TYPES, STRUCTURAL_KEYS

CODES = {np.dtype(name).name: code for code, name in DATA_TYPES.items()}
UNWRITABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ufeff\ud800-\udfff]+")
"""Ends of lines for one reader or another, other control characters, and what UTF-8 cannot say."""
NOT_IN_KEYS = re.compile("[={};]")
WITHOUT_BRACES = str.maketrans("{}", "()")


def envi_header(shape: tuple[int, int, int], dtype: np.dtype[Any], interleave: str, metadata: dict[str, Any]) -> bytes:
    """UTF-8 text for little-endian samples right from the file's start; shape: lines, bands, columns.

    Entries of the metadata that name structure, or are None, are left out.
    """
    structure = {
        "samples": shape[2], "lines": shape[0], "bands": shape[1], "header offset": 0, "file type": "ENVI Standard",
        "data type": CODES[dtype.name], "interleave": interleave, "byte order": 0,
    }  # fmt: skip
    keys = {key: " ".join(NOT_IN_KEYS.sub(" ", one_line_of(key)).lower().split()) for key in metadata}
    carried = {
        keys[key]: value_text(keys[key], value)
        for key, value in metadata.items()
        if value is not None and keys[key] and keys[key] not in STRUCTURAL_KEYS
    }
    return "".join(["ENVI\n", *(f"{key} = {value}\n" for key, value in (structure | carried).items())]).encode()


def one_line_of(value: Any) -> str:
    """Text as it is, anything else as JSON, on one line."""
    return UNWRITABLE.sub(" ", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).strip()


def value_text(key: str, value: Any) -> str:
    """A value that every reader ends where its line ends: braces in pairs, or round ones in their place."""
    if isinstance(value, list):
        items = (one_line_of(item).translate(WITHOUT_BRACES).replace(",", ";") for item in value)
        return f"{{{', '.join(items)}}}"
    text = one_line_of(value)
    if key == "description":
        return f"{{{text if is_paired(text) else text.translate(WITHOUT_BRACES)}}}"
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    return text if is_paired(inner) and not inner.startswith("{") else text.translate(WITHOUT_BRACES)


def is_paired(text: str) -> bool:
    """Whether every brace has its partner."""
    depth = 0
    for mark in re.findall("[{}]", text):
        depth += 1 if mark == "{" else -1
        if depth < 0:
            return False
    return depth == 0
