"""The verb `linerwkv packets`: streams as CCSDS Space Packets, and back on the ground."""

import json
import sys
import time
from pathlib import Path

import click

from runtime.command_options import EXIT_CHECK_FAILED, json_option, tell_missing
from runtime.packets.housekeeping import DEFAULT_APID
from runtime.packets.packing import PacketOptions
from runtime.packets.space_packet import COUNTS, LARGEST_APID

DEFAULTS = PacketOptions()
file_path = click.Path(path_type=Path)
apid_option = click.option(
    "--apid", type=click.IntRange(0, LARGEST_APID), default=DEFAULTS.apid, show_default=True, help="Of the packets."
)
output_option = click.option("-o", "--output", type=file_path, required=True)


@click.group()
def packets() -> None:
    """Streams as CCSDS Space Packets, and back whatever was lost."""


@packets.command("pack")
@click.argument("source", metavar="STREAM", type=file_path)
@output_option
@apid_option
@click.option(
    "--packet-bytes", type=int, default=DEFAULTS.packet_bytes, show_default=True, help="Of a packet, at most."
)
@click.option(
    "--header-every", type=int, default=DEFAULTS.header_every, show_default=True,
    help="Packets from one header of the stream to the next; 0: once.",
)  # fmt: skip
@click.option(
    "--recording", type=int, default=DEFAULTS.recording, show_default=True, help="Tells streams of one header apart."
)
@click.option("--count", type=click.IntRange(0, COUNTS - 1), default=0, help="Sequence count of the first packet.")
@click.option("--again", type=file_path, help="STREAM.missing.json of the ground: only that, again.")
@json_option
def pack_command(
    source: Path, output: Path, apid: int, packet_bytes: int, header_every: int, recording: int, count: int,
    again: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Write the packets of a stream (`-`: from standard input)."""
    from runtime.checked_table import read_file
    from runtime.codec.compression import open_input
    from runtime.errors import Incomplete
    from runtime.output_checks import check_outputs
    from runtime.packets.missing import Missing
    from runtime.packets.packed_file import pack

    options = PacketOptions(apid, packet_bytes, header_every, recording)
    check_outputs([output], [source] if again is None else [source, again])
    missing = None if again is None else Missing.from_json(read_file(again, str(again)), str(again))
    with open_input(source) as file:
        done = pack(file, output, options, time.time_ns() // 1_000_000, count=count, missing=missing)
    values = {"structures": done.n_structures, "packets": done.n_packets, "bytes": done.n_bytes}
    line = "{packets} packets of {structures} structures: {bytes:,} bytes"
    click.echo(json.dumps({**values, "next_count": done.next_count}) if as_json else line.format(**values))
    if done.error is not None:
        raise Incomplete(f"{source}: {done.error}")


@packets.command("assemble")
@click.argument("sources", metavar="FILE...", type=file_path, nargs=-1, required=True)
@output_option
@apid_option
@click.option("--stream", "name", help="Which one, where packets of several came.")
@json_option
def assemble_command(sources: tuple[Path, ...], output: Path, apid: int, name: str | None, as_json: bool) -> None:
    """Write the stream of packets in any order, with losses and repeats; exit code 1 where something is missing.

    Then OUTPUT.missing.json lists it, and `decompress --salvage` reads what is there.
    """
    from runtime.packets.assembled_file import assemble

    done = assemble(sources, output, apid, name)
    values = {"stream": done.stream, "segments": done.n_segments, "bytes": done.n_bytes}
    line = "stream {stream}: {segments} segments, {bytes:,} bytes"
    click.echo(json.dumps({**values, **done.missing.to_dict()}) if as_json else line.format(**values))
    if not done.missing:
        return
    tell_missing(done.missing.lines)
    if done.missing.missing_from is not None:
        click.echo("linerwkv: the end of the stream is missing, which says how much there was", err=True)
    click.echo(f"linerwkv: {done.list_path} lists what to send again (packets pack --again)", err=True)
    sys.exit(EXIT_CHECK_FAILED)


@packets.command("xtce")
@output_option
@click.option(
    "--apid",
    type=click.IntRange(0, LARGEST_APID),
    default=DEFAULT_APID,
    show_default=True,
    help="Of the recorder's housekeeping.",
)
def xtce_command(output: Path, apid: int) -> None:
    """Describe the recorder's housekeeping packets for a ground system, as XTCE."""
    from runtime.packets.housekeeping_xtce import write_xtce

    write_xtce(output, apid)
