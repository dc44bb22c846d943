"""What is done to one file of an archive: plain values in, plain values out, so that any scheduler can run it."""

import contextlib
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from linerwkv.coding import Decoder, decompress
from linerwkv.ground.archive_files import local_file
from linerwkv.ground.stream_statistics import stream_statistics
from linerwkv.ground.transcoding import transcode
from runtime.codec.report import Report
from runtime.errors import LineRwkvError, naming, one_line

Outcome = dict[str, Any]
"""source, seconds, error (None, or one line), and what the operation found."""


def verify_file(path: Path, packages: Sequence[str] = ()) -> Outcome:
    """Decode every segment and hold it against its checksums, from the header to the end. Raises LineRwkvError."""
    with naming(path), path.open("rb") as file:
        n_lines = 0
        decoder = Decoder(file, packages=packages)
        for _ in decoder:
            n_lines += 1
        image, gaps = decoder.image, decoder.reader.gaps
    missing = [[gap.first_line, gap.first_line + gap.n_lines - 1] for gap in gaps]
    return {
        "lines": n_lines, "bands": image.n_bands, "columns": image.n_columns, "bytes": path.stat().st_size,
        "missing_lines": missing,
    }  # fmt: skip


def decode_file(path: Path, output: str, packages: Sequence[str] = ()) -> Outcome:
    """Restore an image file, as `linerwkv.decompress`. Raises LineRwkvError."""
    report = decompress(path, output, packages=packages, threads=1)
    assert isinstance(report, Report)
    return {
        "output": output, "lines": report.n_lines, "bands": report.n_bands, "columns": report.n_columns,
        "bytes": report.n_bytes, "missing_lines": [list(run) for run in report.missing_lines],
        "notes": list(report.notes),
    }  # fmt: skip


def statistics_file(path: Path, packages: Sequence[str] = ()) -> Outcome:
    """Smallest, largest and mean sample of each band. Raises LineRwkvError where nothing of it can be read."""
    found = stream_statistics(path, packages)
    return {
        "lines": found.n_lines, "minimum": found.minimum, "maximum": found.maximum, "mean": found.mean,
        "wavelength": found.wavelength, "missing_lines": [list(run) for run in found.missing_lines],
        "error": None if found.error is None else f"{path}: {one_line(found.error)}",
    }  # fmt: skip


def transcode_file(
    path: Path, output: str, words: dict[str, Any], is_ccsds123: bool = False, fill: int | float | None = None,
    packages: Sequence[str] = (),
) -> Outcome:  # fmt: skip
    """Make a stream with regular segments and decode it again. Raises LineRwkvError."""
    original, n_bytes, n_segments = transcode(
        path, Path(output), words, is_ccsds123=is_ccsds123, fill=fill, packages=packages
    )  # fmt: skip
    image = original.image
    return {
        "output": output, "lines": image.n_lines, "bands": image.n_bands, "columns": image.n_columns,
        "bytes": n_bytes, "segments": n_segments, "notes": list(original.notes),
    }  # fmt: skip


OPERATIONS: dict[str, Callable[..., Outcome]] = {
    "verify": verify_file, "decode": decode_file, "statistics": statistics_file, "transcode": transcode_file,
}  # fmt: skip


def outcome_of(operation: str, source: str, options: dict[str, Any]) -> Outcome:
    """Do one of OPERATIONS to a file or URL on this thread; what goes wrong is `error`, one line, and never raised."""
    start = time.perf_counter()
    values: Outcome = {"error": None}
    try:
        with contextlib.redirect_stderr(io.StringIO()), local_file(source) as path:  # no bar of a file within others
            values |= OPERATIONS[operation](path, **options)
    except LineRwkvError as error:
        values["error"] = one_line(error)
    except Exception as error:  # whatever a library raises is of this file
        values["error"] = f"{type(error).__name__}: {one_line(error)}"
    if values["error"] is not None:
        values["error"] = values["error"].removeprefix(f"{source}: ")
    return {"source": source, "seconds": round(time.perf_counter() - start, 4), **values}
