"""The configuration of the recorder as tables of TOML (docs/recorder.md)."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from runtime.checked_table import checked_table, read_toml, shown
from runtime.codec.coding_options import coding_options
from runtime.codec.forms_encoder import Form
from runtime.errors import BadArgument
from runtime.packets.packing import PacketOptions
from runtime.target.flight_tables import (
    AUTO,
    CodingTable,
    CommandsTable,
    DownlinkTable,
    LinesTable,
    OutputTable,
    SourceTable,
    TelemetryTable,
)
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
LARGEST_DATAGRAM = 65507
"""Bytes that UDP over IPv4 carries."""


@dataclass(frozen=True)
class FlightConfig:
    """All of it."""

    source: SourceTable
    lines: LinesTable
    output: OutputTable
    buffer_lines: Annotated[int, Meta(ge=2)] = 512
    coding: CodingTable = field(default_factory=CodingTable)
    forms: list[dict[str, Any]] = field(default_factory=lambda: DEFAULT_FORMS)
    """Each a name and the words of `linerwkv compress`, with `_` for `-`."""
    rule: FormRule = field(default_factory=FormRule)
    packets: PacketOptions | None = None  # Their recording is the number of the stream's file
    downlink: DownlinkTable | None = None
    later: LaterTable | None = None  # Of `--compress-later`, which makes the packets then
    housekeeping: HousekeepingTable | None = None
    memory: MemoryTable = field(default_factory=MemoryTable)
    telemetry: TelemetryTable = field(default_factory=TelemetryTable)
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
