"""Rows of raw lines, of a file and of a pipe."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from runtime.images.line_form import LineForm
from runtime.images.packed_samples import BitOrder
from runtime.images.raw_lines import RawLayout
from tests.runtime.images.matrix import OUTPUTS, Row, holds
from tests.runtime.images.raw_parts import raw_bytes

CUBE = np.random.default_rng(0).integers(0, 1 << 10, (7, 3, 5)).astype(np.uint16)  # (Y, Z, X)
SIZES = ("--bands", "3", "--columns", "5")
FILE, PIPE = "raw file", "raw lines of a pipe"
KINDS = (FILE, PIPE)
FRAME = ("--line-header", "4", "--line-trailer", "2")
FRAMED = [bytes([y, 1, 2, 3]) + line.tobytes() + bytes([y, 9]) for y, line in enumerate(CUBE)]
RECORDS = b"".join(frame[:4] + frame[-2:] for frame in FRAMED)


def written(data: bytes) -> Callable[[Path], Path]:
    """How to write bytes."""

    def write(folder: Path) -> Path:
        (folder / "s.raw").write_bytes(data)
        return folder / "s.raw"

    return write


def row(kind: str, name: str, data: bytes, *words: str, **more: Any) -> Row:
    """Bytes, and the words that say how lines lie in them; a pipe needs the depth, too."""
    has_depth = kind == FILE or "--packing" in words or "--bit-depth" in words
    depth = () if has_depth else ("--bit-depth", "10")
    return Row(kind, name, written(data), words=(*SIZES, *depth, *words), is_pipe=kind == PIPE, **more)


def lay(kind: str, name: str, *words: str, interleave: str = "bil", dtype: str = "<u2", **form: Any) -> Row:
    """How samples lie, which is not the image's; they come back whole."""
    data = raw_bytes(CUBE, RawLayout(3, 5, dtype, interleave, LineForm(**form)))
    return row(kind, name, data, *words, own=tuple(OUTPUTS), cube=CUBE)


def values(kind: str, name: str, cube: np.ndarray[Any, np.dtype[Any]], dtype: str, *words: str) -> Row:
    """Samples of a type, which come back in it."""
    cube = cube.astype(dtype)
    return row(kind, name, cube.tobytes(), "--dtype", dtype, *words, looks=dict.fromkeys(OUTPUTS, holds(cube)))


def packed(kind: str, n_bits: int, order: BitOrder) -> Row:
    """Samples without gaps across bytes."""
    words = ("--packing", str(n_bits), "--bit-order", order.value)
    return lay(kind, f"{n_bits} bits packed, {order.value}", *words, packing=n_bits, bit_order=order)


def has_records(path: Path) -> bool:
    """Whether the bytes around each line lie beside a restored file."""
    return path.with_suffix(".records.bin").read_bytes() == RECORDS


def rows(kind: str) -> list[Row]:
    """Of a file and of a pipe."""
    bsq = raw_bytes(CUBE, RawLayout(3, 5, "<u2", "bsq"))
    beyond = CUBE.copy()
    beyond[5, 1, 2] = 1024
    whole, note = CUBE.tobytes(), "bytes before the first line"
    of_bsq = [
        lay(FILE, "interleave bsq", "--interleave", "bsq", interleave="bsq")
        if kind == FILE
        else row(PIPE, "interleave bsq", bsq, "--interleave", "bsq", note="interleave bsq from a pipe")
    ]
    ends = [
        row(FILE, "lines that are not whole", whole[:-1], note="6 lines and 29 bytes more")
        if kind == FILE
        else row(PIPE, "a line that is not whole", whole[:-1], note="ends within line 6: 29 of 30", cube=CUBE[:6])
    ]
    return [
        lay(kind, "interleave bil"),
        lay(kind, "interleave bip", "--interleave", "bip", interleave="bip"),
        *of_bsq,
        lay(kind, "byte order", "--dtype", ">u2", dtype=">u2"),
        values(kind, "samples of 1 byte", CUBE >> 2, "u1", *(("--bit-depth", "8") if kind == PIPE else ())),
        values(kind, "samples of 4 bytes, with a sign", CUBE.astype(int) - 512, "<i4"),
        values(kind, "multiples of a step", CUBE << 4, "<u2", *(("--sample-step", "16") if kind == PIPE else ())),
        *(packed(kind, n_bits, order) for n_bits in (10, 12, 14) for order in BitOrder),
        lay(kind, "rows padded", "--row-alignment", "32", row_alignment=32),
        lay(kind, "lines padded", "--line-alignment", "128", line_alignment=128),
        row(
            kind,
            "headers and trailers of lines",
            b"".join(FRAMED),
            *FRAME,
            looks=dict.fromkeys(OUTPUTS, has_records),
            cube=CUBE,
        ),
        row(kind, "bytes before the first line", bytes(8) + whole, "--offset", "8", note=f"8 {note}", cube=CUBE),
        *ends,
        row(kind, "nothing", b"", note="not one line" if kind == FILE else "0 lines came"),
        row(
            kind,
            "samples beyond a depth given",
            beyond.tobytes(),
            "--bit-depth",
            "10",
            note="bit depth 10 given, samples 2..1024 need 11" if kind == FILE else "sample 1024 at line 5, band 1",
            cube=CUBE[:5],
        ),
    ]


ROWS = [one for kind in KINDS for one in rows(kind)]
