"""Tables of the recorder's configuration; those of one part of it lie beside that part (docs/recorder.md)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from runtime.checked_table import AtLeast0, AtLeast1, Text
from runtime.codec.coding_options import DEFAULT_SEGMENT_LINES
from runtime.errors import BadArgument
from runtime.images.line_form import LineForm
from runtime.images.line_frame import LineFrame
from runtime.images.packed_samples import BitOrder
from runtime.images.raw_lines import RawLayout, describe_pipe
from runtime.stream.image_description import ImageDescription
from runtime.stream.segment_header import LARGEST_SEGMENT_LINES
from runtime.usable_cores import usable_cores

AUTO = "auto"


@dataclass(frozen=True)
class SourceTable:
    """Where bytes come from."""

    kind: Literal["file", "fifo", "tcp", "udp"]  # A FIFO does not end when who writes goes
    path: Text = "-"  # Of a file or FIFO; `-`: standard input
    host: Text = "127.0.0.1"  # TCP: who is connected to; UDP: the address that is listened at
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    lines_per_second: Annotated[float, Meta(ge=0)] = 0.0  # Of a replay; 0: as fast as they come


@dataclass(frozen=True)
class LinesTable:
    """How samples lie in a line, by the words of docs/formats/raw.md, and how a line is told from the next."""

    bands: AtLeast1
    columns: AtLeast1
    bit_depth: Annotated[int, Meta(ge=8, le=16)]
    dtype: Text = "<u2"
    packing: Literal[10, 12, 14] | None = None
    bit_order: Literal["msb", "lsb"] = "msb"
    interleave: Literal["bil", "bip"] = "bil"
    line_header: AtLeast0 = 0
    line_trailer: AtLeast0 = 0
    sync: str = ""  # Hexadecimal; the first bytes of the line's header. Empty: there is none
    counter_at: AtLeast0 = 0  # Place of the line counter in the header, big-endian
    counter_bytes: Annotated[int, Meta(ge=0, le=8)] = 0  # 0: there is none

    def __post_init__(self) -> None:
        """Raise BadArgument where the words do not go together."""
        try:
            n_sync = len(bytes.fromhex(self.sync))
        except ValueError:
            raise BadArgument(f"sync: found {self.sync[:60]!r}, allowed pairs of hexadecimal digits") from None
        if self.sync and not n_sync:  # bytes.fromhex skips white space
            raise BadArgument(f"sync: found {self.sync[:60]!r}, allowed pairs of hexadecimal digits")
        needed = max(n_sync, self.counter_at + self.counter_bytes if self.counter_bytes else 0)
        if needed > self.line_header:
            why = "with sync, counter_at and counter_bytes"
            raise BadArgument(f"line_header: found {self.line_header} bytes, allowed {needed} {why}")
        if self.counter_bytes and self.counter_at < n_sync:
            raise BadArgument(f"counter_at: found {self.counter_at}, allowed {n_sync} or more, after the sync word")
        try:
            self.layout()
        except BadArgument as error:
            raise BadArgument(f"dtype: {error}") from None
        try:
            self.image()
        except BadArgument as error:
            raise BadArgument(f"bands, columns, bit_depth, dtype: {error}") from None

    def layout(self) -> RawLayout:
        """As readers of raw lines take it."""
        form = LineForm(self.packing, BitOrder(self.bit_order))
        frame = LineFrame(self.line_header, self.line_trailer)
        return RawLayout(self.bands, self.columns, self.dtype, self.interleave, form, frame)

    def image(self) -> ImageDescription:
        """As the encoder takes it. Raises BadArgument."""
        return describe_pipe(self.layout(), self.bit_depth)


@dataclass(frozen=True)
class CodingTable:
    """What every form has."""

    max_errors: list[AtLeast0] = field(default_factory=lambda: [0])
    """Those that a command may choose; the first from the start on."""
    segment_lines: Annotated[int, Meta(ge=1, le=LARGEST_SEGMENT_LINES)] = DEFAULT_SEGMENT_LINES
    form: Text = AUTO  # A form's name: only that one
    threads: AtLeast0 = 0  # For parts of a line, three at most; 0: as many as the process may use

    def __post_init__(self) -> None:
        """Raise BadArgument."""
        if not self.max_errors:
            raise BadArgument("max_errors: found none, allowed at least one")

    @property
    def n_threads(self) -> int:
        """That code lines."""
        return self.threads or usable_cores()


@dataclass(frozen=True)
class OutputTable:
    """Where streams go."""

    folder: Path
    rotate_bytes: AtLeast1 = 1 << 30  # A stream that has so many ends, and the next begins
    quota_bytes: AtLeast1 | None = None  # Of the folder's recordings
    when_full: Literal["oldest", "stop"] = "oldest"  # What the quota does


@dataclass(frozen=True)
class DownlinkTable:
    """Who gets packets as they are written, by UDP."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    host: Text = "127.0.0.1"


@dataclass(frozen=True)
class TelemetryTable:
    """What is told."""

    file: Path | None = None  # JSON lines
    status: Path | None = None  # JSON, replaced
    seconds: Annotated[float, Meta(gt=0)] = 1.0  # Between two states


@dataclass(frozen=True)
class CommandsTable:
    """Who is listened to."""

    socket: Path
