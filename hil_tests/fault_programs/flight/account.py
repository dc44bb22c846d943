"""What came of every line: streams and packets decoded, and held against what the imager sent and telemetry said."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hil_tests.fault_programs.flight.configuration import APID
from hil_tests.fault_programs.flight.scene import Scene, number_of
from runtime.cell.flight_package import FlightPackage
from runtime.codec.decoder import Decoder
from runtime.codec.salvage import salvage
from runtime.errors import LineRwkvError
from runtime.packets.assembly import assemblies
from runtime.packets.packet_scan import fragments


class Check(NamedTuple):
    """One thing that must hold."""

    name: str
    found: str
    is_held: bool


class Decoded(NamedTuple):
    """Of streams."""

    times: Counter[int]
    """How often each line is there."""
    wrong: list[int]
    """Lines whose samples are not those that were sent."""
    problems: list[str]
    """Of segments and streams that do not decode."""


def decoded(streams: Iterable[tuple[str, bytes]], scene: Scene, packages: Sequence[FlightPackage]) -> Decoded:
    """The lines of streams, whole ones or what a kill left of them, each with the name that problems call it by."""
    found = Decoded(Counter(), [], [])
    for name, data in streams:
        try:
            stream = salvage(data)
            decoder = Decoder(stream.header, packages)
            for header, payload in stream.segments:
                records = stream.records_of(header)
                if records is None:
                    raise LineRwkvError(f"{header.where}: it has no records of its lines")
                for record, line in zip(records.records, decoder.lines(header, payload), strict=True):
                    y = number_of(record)
                    found.times[y] += 1
                    if not np.array_equal(line, scene.line(y)):
                        found.wrong.append(y)
        except LineRwkvError as error:
            found.problems.append(f"{name}: {error}")
    return found


def recordings(folder: Path) -> list[tuple[str, bytes]]:
    """The streams of a folder."""
    return [(path.name, path.read_bytes()) for path in sorted(folder.glob("*.lrwk")) if path.stat().st_size]


def assembled_streams(data: bytes) -> dict[int, bytes]:
    """What packets give, by the number of the recording: the structures that came whole."""
    return {
        name.recording: b"".join(one.data for _, one in sorted(assembly.assembled().structures.items()))
        for name, assembly in assemblies(fragments(data, APID)).items()
    }


def packet_checks(
    folder: Path, received: bytes, scene: Scene, packages: Sequence[FlightPackage], killed: Sequence[str]
) -> list[Check]:
    """Of the packets beside each stream, which give it again, and of those that the downlink brought."""
    streams = dict(recordings(folder))
    on_disk = b"".join(path.read_bytes() for path in sorted(folder.glob("*.packets")))
    again = assembled_streams(on_disk)
    different = [name for name, data in streams.items() if again.get(int(Path(name).stem)) != data]
    different = [name for name in different if name not in killed]
    came = assembled_streams(received)
    whole = {number for number, data in came.items() if streams.get(f"{number:04d}.lrwk") == data}
    others = [(f"recording {number}", data) for number, data in came.items() if number not in whole]
    there = decoded(others, scene, packages)
    return [
        Check("streams that their packets give again", f"{len(streams) - len(different)} of {len(streams)}",
              not different),
        Check("streams that the downlink gave whole", f"{len(whole)} of {len(streams)}", bool(came)),
        Check("segments of the downlink that do not decode", "; ".join(there.problems) or "none",
              not there.problems and not there.wrong),
    ]  # fmt: skip


def line_checks(found: Decoded, sent: Iterable[int], cut: range) -> list[Check]:
    """Of the lines of the streams. cut: lines that a kill took, in the recorder or on the way to it."""
    missing = sorted(set(sent) - set(found.times))
    lost = [y for y in missing if y not in cut]
    twice = [y for y, times in found.times.items() if times > 1]
    return [
        Check("accepted lines that are lost", named(lost), not lost),
        Check("lines with other samples", named(found.wrong), not found.wrong),
        Check("lines recorded twice", named(twice), not twice),
        Check("segments that do not decode", "; ".join(found.problems) or "none", not found.problems),
    ]


def named(lines: Sequence[int]) -> str:
    """How many, and which."""
    return f"{len(lines)}: {min(lines)}..{max(lines)}" if lines else "none"
