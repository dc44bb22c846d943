"""What `info` says of a stream, for people."""

import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LONGEST_VALUE = 96
"""Characters of an entry of the metadata."""
DEEPEST = 3
"""Lists within lists."""
MOST_SHOWN = 40
"""Runs of segments, gaps, and entries of the metadata."""
OF_A_RUN = ("predictor", "stage", "coder", "max_error", "quantisation", "special_values")
"""What segments of a run have in common."""


def info_text(path: Path, description: dict[str, Any]) -> str:
    """The lines of one stream: what the image is, then how its lines are coded, equal segments as one line."""
    header, segments = description["header"], description["segments"]
    sign = "signed " if header["signed"] else ""
    n_samples = header["lines"] * header["bands"] * header["columns"]
    rate = f", {8 * description['bytes'] / n_samples:.3f} bits per sample" if n_samples else ""
    sizes = f"{header['lines']:,} lines x {header['bands']} bands x {header['columns']} columns"
    rows = [
        ("image", f"{sizes}, {header['sample_type']}, codes of {sign}{header['bit_depth']} bits"),
        ("bytes", f"{description['bytes']:,}{rate}"),
        *(("package", name) for name in header["packages"]),
        ("index", "yes" if header["index"] else "no"),
    ]
    if header["values"] != "as coded":
        rows.append(("values", ", ".join(f"{name} {value}" for name, value in header["values"].items())))
    if header["special_values"]:
        rows.append(("special values", ", ".join(header["special_values"])))
    if header["records"]:
        rows.append(("records", f"of {header['records']:,} lines, {header['record_bytes']:,} bytes"))
    rows += cut(("metadata", f"{shown(key)}: {shown(value)}") for key, value in header["metadata"].items())
    rows += cut(("segments", text) for text in segment_runs(segments))
    rows += cut(("missing", lines_of(gap["first_line"], gap["lines"])) for gap in description["gaps"])
    names = itertools.chain([None], (name for name, _ in rows))
    texts = (f"  {'' if name == before else name:16}{text}" for before, (name, text) in zip(names, rows, strict=False))
    return "\n".join([str(path), *texts])


def cut(rows: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first rows, and how many more there are."""
    found = list(rows)
    more = [(found[0][0], f"{len(found) - MOST_SHOWN} more, --json has all")] if len(found) > MOST_SHOWN else []
    return [*found[:MOST_SHOWN], *more]


def shown(value: Any, depth: int = DEEPEST) -> str:
    """A key or value of the metadata on one line; of a long list its ends, of a table its keys."""
    if isinstance(value, list) and depth == 0:
        return f"list of {len(value)}"
    if isinstance(value, list) and len(value) > 4:
        first, second, last = (shown(value[i], depth - 1) for i in (0, 1, -1))
        return f"{len(value)} values, {first}, {second} ... {last}"
    if isinstance(value, list):
        return ", ".join(shown(one, depth - 1) for one in value)
    text = f"table of {', '.join(map(str, value))}" if isinstance(value, dict) else str(value)
    printed = "".join(one if one.isprintable() else " " for one in text)
    return textwrap.shorten(printed, LONGEST_VALUE, placeholder=" ...")


def segment_runs(segments: list[dict[str, Any]]) -> Iterator[str]:
    """Segments that follow one another without a gap and are coded in the same way, as one text each."""
    lines_before = itertools.accumulate((one["lines"] for one in segments), initial=0)
    n_missing = [one["first_line"] - n_lines for one, n_lines in zip(segments, lines_before, strict=False)]
    coded = [[n, *(one[name] for name in OF_A_RUN)] for n, one in zip(n_missing, segments, strict=True)]
    for (_, *values), run in itertools.groupby(zip(coded, segments, strict=True), lambda pair: pair[0]):
        found = [one for _, one in run]
        predictor, stage, coder, max_error, quantisation, has_specials = values
        error = f"within {max_error} ({quantisation})" if max_error else "lossless"
        words = [predictor, f"stage {stage}", f"coder {coder}", error, *["special values"] * bool(has_specials)]
        n_lines, n_bytes = (sum(one[name] for one in found) for name in ("lines", "bytes"))
        count = f"{len(found)} segment{'s' if len(found) > 1 else ''}"
        yield f"{lines_of(found[0]['first_line'], n_lines)} in {count}, {n_bytes:,} bytes: {', '.join(words)}"


def lines_of(first: int, n_lines: int) -> str:
    """A run of lines."""
    return f"lines {first}..{first + n_lines - 1}"
