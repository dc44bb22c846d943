"""The configuration of the recorder as tables of TOML (docs/recorder.md)."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from runtime.checked_table import AtLeast0, AtLeast1, Text, checked_table, read_toml, shown
from runtime.codec.coding_options import DEFAULT_SEGMENT_LINES, coding_options
from runtime.codec.forms_encoder import Form
from runtime.errors import BadArgument
from runtime.images.line_form import LineForm
from runtime.images.line_frame import LineFrame
from runtime.images.packed_samples import BitOrder
from runtime.images.raw_lines import RawLayout, describe_pipe
from runtime.packets.packing import PacketOptions
from runtime.stream.image_description import ImageDescription
from runtime.stream.segment_header import LARGEST_SEGMENT_LINES
from runtime.target.form_rule import FormRule
from runtime.target.housekeeping import HousekeepingTable
from runtime.target.later_table import KEPT_FREE, LaterTable
from runtime.target.memory_control import MemoryTable
from runtime.target.package_slots import PackagesTable

DEFAULT_FORMS: list[dict[str, Any]] = [
    {"name": "flight-large", "package": "flight-large"}, {"name": "flight"}, {"name": "rls best", "predictor": "rls"},
    {"name": "rls fast", "predictor": "rls", "stage": "fast"}, {"name": "ccsds123", "predictor": "ccsds123"},
    {"name": "plain", "predictor": "plain"},
]  # fmt: skip
"""The dearest first."""
AUTO = "auto"
LARGEST_DATAGRAM = 65507
"""Bytes that UDP over IPv4 carries."""


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

    def __post_init__(self) -> None:
        """Raise BadArgument."""
        if not self.max_errors:
            raise BadArgument("max_errors: found none, allowed at least one")


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


@dataclass(frozen=True)
class FlightConfig:
    """All of it."""

    source: SourceTable
    lines: LinesTable
    output: OutputTable
    buffer_lines: Annotated[int, Meta(ge=2)] = 512
    coding: CodingTable = CodingTable()
    forms: list[dict[str, Any]] = field(default_factory=lambda: DEFAULT_FORMS)
    """Each a name and the words of `linerwkv compress`, with `_` for `-`."""
    rule: FormRule = field(default_factory=FormRule)
    packets: PacketOptions | None = None  # Their recording is the number of the stream's file
    downlink: DownlinkTable | None = None
    later: LaterTable | None = None  # Of `--compress-later`, which makes the packets then
    housekeeping: HousekeepingTable | None = None
    memory: MemoryTable = field(default_factory=MemoryTable)
    telemetry: TelemetryTable = TelemetryTable()
    commands: CommandsTable | None = None
    packages: PackagesTable | None = None

    def __post_init__(self) -> None:
        """Raise BadArgument."""
        names = [form.name for form in self.made_forms()]
        if not names or len(set(names)) < len(names) or AUTO in names:
            found = ", ".join(map(shown, names)) or "none"
            raise BadArgument(f"forms: found {found}, allowed different names, not {AUTO}")
        if self.coding.form not in (AUTO, *names):
            found = f"found {shown(self.coding.form)}, allowed {', '.join(map(shown, (AUTO, *names)))}"
            raise BadArgument(f"coding.form: {found}")
        if (found_error := max(self.coding.max_errors)) > (largest := self.lines.image().largest_error):
            raise BadArgument(f"coding.max_errors: found {found_error}, allowed 0..{largest} with this bit_depth")

        if self.source.kind == "udp" and not self.lines.sync:
            raise BadArgument("lines.sync: found none, allowed a sync word: datagrams may be lost within a line")

        if self.packets is not None and self.packets.recording:
            raise BadArgument("packets.recording: found a number, allowed none: it is that of the stream's file")

        if self.downlink is not None and self.packets is None and self.housekeeping is None:
            raise BadArgument("downlink: found no table packets or housekeeping, allowed with one")
        if self.housekeeping is not None:
            if self.packets is not None and self.packets.apid == self.housekeeping.apid:
                raise BadArgument(f"housekeeping.apid: found {self.packets.apid}, allowed another than packets.apid")
            if self.housekeeping.file is None and self.downlink is None:
                raise BadArgument("housekeeping.file: found none and no table downlink, allowed with one of them")
        if self.downlink is not None and self.packets is not None and self.packets.packet_bytes > LARGEST_DATAGRAM:
            found = f"found {self.packets.packet_bytes}, allowed {LARGEST_DATAGRAM} with a downlink"
            raise BadArgument(f"packets.packet_bytes: {found}: a packet is a datagram")

        if self.later is not None:
            check_later(self.output, has_downlink=self.downlink is not None)

    def recorded(self) -> tuple[OutputTable, PacketOptions | None]:
        """Output and packets of what is recorded: with a table `later` room is kept, and no packets made."""
        if self.later is None:
            return self.output, self.packets
        quota = self.output.quota_bytes
        return replace(self.output, quota_bytes=quota and quota - KEPT_FREE * self.output.rotate_bytes), None

    def made_forms(self) -> list[Form]:
        """As the encoder takes them. Raises BadArgument."""
        made = []
        for number, words in enumerate(self.forms):
            name = words.get("name")
            if not isinstance(name, str) or not name:
                raise BadArgument(f"forms[{number}].name: found {name!r}, allowed a text")
            try:
                rest = {"segment_lines": self.coding.segment_lines} | {k: v for k, v in words.items() if k != "name"}
                made.append(Form(name, coding_options(rest)))
            except BadArgument as error:
                raise BadArgument(f"forms[{number}].{error}") from None
        return made


def check_later(output: OutputTable, *, has_downlink: bool) -> None:
    """Raise BadArgument for what does not go with compressing afterwards."""
    if has_downlink:
        raise BadArgument("downlink: found with a table later, allowed without: packets are made after the compression")
    if output.quota_bytes is not None and output.quota_bytes <= (KEPT_FREE + 1) * output.rotate_bytes:
        found = f"found {output.quota_bytes}, allowed more than {KEPT_FREE + 1} x rotate_bytes with a table later"
        raise BadArgument(f"output.quota_bytes: {found}: the compressed stream lies beside the recorded one")


def read_config(path: Path) -> FlightConfig:
    """The configuration in a file. Raises BadArgument."""
    return checked_table(FlightConfig, read_toml(path, str(path)), str(path))
