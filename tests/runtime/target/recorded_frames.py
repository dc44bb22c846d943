"""Lines as an imager sends them, a configuration of the recorder for them, and what a recording gives back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.checked_table import checked_table, toml_table
from runtime.codec.decoder import Decoder
from runtime.codec.stream_reader import Segment, StreamReader
from runtime.target.flight_config import FlightConfig

N_BANDS, N_COLUMNS, SEGMENT_LINES = 3, 5, 4
SYNC = bytes.fromhex("1acffc1d")
LINES = np.random.default_rng(0).integers(0, 1 << 12, (40, N_BANDS, N_COLUMNS)).astype(np.uint16)
FRAME_BYTES = 8 + LINES[0].nbytes


def frame(y: int, counter: int | None = None) -> bytes:
    """A line with sync word and counter, its own number where no other is given."""
    samples: bytes = LINES[y].astype("<u2").tobytes()
    return SYNC + (y if counter is None else counter).to_bytes(4, "big") + samples


def lines_text(n_bands: int, n_columns: int, bit_depth: int = 12) -> str:
    """The table of frames that begin with sync word and counter, as TOML."""
    return f"""[lines]
bands = {n_bands}
columns = {n_columns}
bit_depth = {bit_depth}
line_header = 8
sync = "{SYNC.hex()}"
counter_at = 4
counter_bytes = 4"""


def config_text(folder: Path, source: str, more: str = "") -> str:
    """TOML."""
    return f"""
buffer_lines = 64
{more}
[source]
{source}
{lines_text(N_BANDS, N_COLUMNS)}
[coding]
segment_lines = {SEGMENT_LINES}
max_errors = [0, 2]
[output]
folder = "{folder}"
[[forms]]
name = "ccsds123"
predictor = "ccsds123"
[[forms]]
name = "dpcm"
predictor = "dpcm"
[telemetry]
file = "{folder}.jsonl"
status = "{folder}.status"
"""


def config_of(text: str) -> FlightConfig:
    """The tables of TOML."""
    return checked_table(FlightConfig, toml_table(text.encode(), "config"), "config")


def told(folder: Path) -> list[dict[str, Any]]:
    """The telemetry of a recorder of `config_text`, so far."""
    path = folder.with_name(folder.name + ".jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def read_back(path: Path) -> tuple[dict[int, npt.NDArray[Any]], list[tuple[int, int]], list[Segment]]:
    """Lines by their place in the stream, gaps (first, number), and segments of a recording, which is sound."""
    with path.open("rb") as file:
        reader = StreamReader(file)
        segments = list(reader.segments())
    decoder = Decoder(reader.header)
    lines: dict[int, npt.NDArray[Any]] = {}
    for header, payload in segments:
        lines.update(zip(range(header.first_line, header.next_line), decoder.lines(header, payload), strict=True))
    return lines, [(gap.first_line, gap.n_lines) for gap in reader.gaps], segments
