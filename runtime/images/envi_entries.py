"""One entry of an ENVI header, key and value: taken apart, written, and kept as the text that it was."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runtime.errors import BadArgument

TEXT_MARKS = '"[{'
UNWRITABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ufeff\ud800-\udfff]+")
"""Ends of lines for one reader or another, other control characters, and what UTF-8 cannot say."""
NOT_IN_KEYS = re.compile("[={};]")
WITHOUT_BRACES = str.maketrans("{}", "()")
LINE_ENDS = re.compile(r"\r\n|\r|\n")


class Entry(NamedTuple):
    """One `key = value`."""

    key: str
    """In small letters with single blanks; empty: a line that is no entry."""
    value: str
    """Its lines, trimmed, with a blank between them."""
    text: str
    """As it stands, from the key to the end of the value."""


def entries(path: Path, lines: Iterator[str]) -> Iterator[Entry]:
    """The entries in lines. A value in braces may extend over lines. Raises BadArgument where they do not close."""
    for line in lines:
        key, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith(";"):
            continue
        if not equals:
            yield Entry("", line.strip(), line)
            continue
        texts, parts = [line], [value.strip()]
        while parts[0].startswith("{") and not parts[-1].endswith("}"):
            more = next(lines, None)
            if more is None:
                raise BadArgument(f"{path}: {' '.join(key.split())[:40]} has no closing brace")
            texts.append(more)
            parts.append(more.strip())
        yield Entry(" ".join(key.lower().split()), " ".join(parts), "\n".join(texts))


def metadata_value(key: str, value: str) -> str | list[str]:
    """A text, or the items of a braced list; a braced text with marks of its own keeps its braces."""
    if not value.startswith("{"):
        return value
    inner = value[1:-1].strip()
    if key == "description":
        return inner
    if any(mark in inner for mark in TEXT_MARKS):
        return value
    return [item.strip() for item in inner.split(",")] if inner else []


def is_entry(text: Any, key: str, value: Any) -> bool:
    """Whether a text is this entry and nothing else for every reader, whether it counts braces or looks for one."""
    if not isinstance(text, str) or UNWRITABLE.search(text.replace("\n", " ")):
        return False
    first, *more = text.split("\n")
    name, _, begin = first.partition("=")
    begin, is_braced = begin.strip(), text.rstrip().endswith("}")
    if "{" in name or "}" in name or (begin.startswith("{") and not is_braced) or ("{" in begin and "}" not in text):
        return False
    is_one_list = begin.startswith("{") and text.count("{") == text.count("}") == 1
    if more and (not is_one_list or any(line.lstrip().startswith(";") for line in more)):
        return False
    try:
        found = list(entries(Path(), iter(text.split("\n"))))
    except BadArgument:
        return False
    return [(one.key, metadata_value(one.key, one.value)) for one in found] == [(key, value)]


def entry_text(key: str, value: Any) -> str:
    """An entry as this software writes it."""
    return f"{key_text(key)} = {value_text(key, value)}"


def key_text(key: str) -> str:
    """A key that every reader takes for one; empty where nothing of it is left."""
    return " ".join(NOT_IN_KEYS.sub(" ", one_line_of(key)).lower().split())


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
    if text.startswith("{"):
        return text if text.endswith("}") and is_paired(text[1:-1]) else text.translate(WITHOUT_BRACES)
    return text if is_paired(text) else text.translate(WITHOUT_BRACES)


def is_paired(text: str) -> bool:
    """Whether every brace has its partner."""
    depth = 0
    for mark in re.findall("[{}]", text):
        depth += 1 if mark == "{" else -1
        if depth < 0:
            return False
    return depth == 0
