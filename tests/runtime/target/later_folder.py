"""A folder of streams that were recorded plain: smooth lines with records, gaps, special values, more than one file."""

import io
import threading
from pathlib import Path
from typing import Any

import numpy as np

from runtime.codec.stream_reader import StreamReader
from runtime.stream.records import Gap
from runtime.target.flight_command import run
from runtime.target.flight_config import FlightConfig
from runtime.target.later_compression import compress_later
from runtime.target.stream_contents import StreamContents
from tests.runtime.target.recorded_frames import SYNC, config_of, lines_text

N_BANDS, N_COLUMNS, N_LINES = 6, 40, 24
SENT = [y for y in range(N_LINES) if y not in (5, 6, 13)]
PLAIN = {("CCSDS123", "STORED", 0)}
"""`codings` of a stream that was recorded."""


def line_of(y: int) -> Any:
    """(Z, X) of 12 bits, with some at both ends, which are special values."""
    line = 2000 + 9 * np.add.outer(np.arange(N_BANDS) * 11, np.arange(N_COLUMNS)) + y
    line[0, :3], line[1, 4:9] = 4095, 0
    return line.astype("<u2")


def later_text(folder: Path, form: str = '{ predictor = "rls", stage = "fast" }', more: str = "") -> str:
    """A configuration of the recorder, as TOML."""
    return f"""
forms = [{{ name = "plain", predictor = "plain" }}]
[source]
kind = "file"
path = "{folder.parent / "frames"}"
{lines_text(N_BANDS, N_COLUMNS)}
[coding]
segment_lines = 3
max_errors = [0]
[telemetry]
file = "{folder}.jsonl"
[later]
form = {form}
threads = 1
{more}
[output]
folder = "{folder}"
rotate_bytes = 2000
"""


def recorded(folder: Path, text: str) -> FlightConfig:
    """The configuration, by which the lines are recorded."""
    frames = [SYNC + y.to_bytes(4, "big") + line_of(y).tobytes() for y in SENT]
    (folder.parent / "frames").write_bytes(b"".join(frames))
    config = config_of(text)
    run(config, threading.Event())
    return config


def content_of(path: Path) -> list[Any]:
    """Lines as lists with their records, and gaps, of a stream that is whole."""
    with path.open("rb") as file:
        contents = StreamContents(file, (), 1)
        found = [one if isinstance(one, Gap) else (one.line.tolist(), one.record) for one in contents.content()]
        assert not contents.is_cut
    return found


def codings(path: Path) -> set[tuple[str, str, int]]:
    """Predictor, coder and maximum error of the segments of a stream."""
    reader = StreamReader(io.BytesIO(path.read_bytes()))
    found = [header for header, _ in reader.segments()]
    return {(one.coding.predictor.name, one.coder.name, one.coding.max_error) for one in found}


def compressed(config: FlightConfig) -> list[dict[str, Any]]:
    """What is told of a run."""
    told: list[dict[str, Any]] = []
    compress_later(config, told.append)
    return [one for one in told if "compressing" not in one]


def streams(folder: Path) -> list[Path]:
    """Those of a folder, as they were recorded."""
    return sorted(folder.glob("*.lrwk"))


def stream_bytes(folder: Path) -> dict[str, bytes]:
    """The streams of a folder, by name."""
    return {path.name: path.read_bytes() for path in streams(folder)}


def files(folder: Path) -> dict[str, bytes]:
    """All of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
