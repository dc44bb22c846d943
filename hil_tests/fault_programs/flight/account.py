"""What came of every line: streams and packets decoded, and held against what the imager sent and telemetry said."""

import io
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
from runtime.codec.stream_reader import StreamReader
from runtime.errors import LineRwkvError
from runtime.packets.assembly import assemblies
from runtime.packets.packet_scan import fragments
from runtime.stream.records import Gap


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
    without_end: list[str]
    """Streams that lack it."""


def decoded(streams: Iterable[tuple[str, bytes]], scene: Scene, packages: Sequence[FlightPackage]) -> Decoded:
    """The lines of streams, whole ones or what a kill left of them, each with the name that problems call it by."""
    found = Decoded(Counter(), [], [], [])
    for name, data in streams:
        try:
            stream = salvage(data)
            decoder = Decoder(stream.header, packages)
            found.without_end.extend([name] if stream.n_lines is None else [])
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
        Check("streams that the downlink gave whole", f"{len(whole)} of {len(streams)}", bool(whole)),
        Check("segments of the downlink that do not decode", "; ".join(there.problems) or "none",
              not there.problems and not there.wrong),
    ]  # fmt: skip


def stream_checks(
    streams: Sequence[tuple[str, bytes]], found: Decoded, killed: Sequence[str], n_gaps: int
) -> list[Check]:
    """Of the ends of streams, which all have but those that a kill left, and of the gaps, which are as many lines."""
    gaps = sum(gap_lines(data) for name, data in streams if name not in found.without_end)
    return [
        Check("streams without an end", ", ".join(found.without_end) or "none", set(found.without_end) <= set(killed)),
        Check("lines that never came, as gaps of streams", str(gaps), gaps == n_gaps),
    ]


def gap_lines(data: bytes) -> int:
    """Lines of the gaps of a whole stream."""
    reader = StreamReader(io.BytesIO(data))
    return sum(piece.n_lines for piece in reader.pieces() if isinstance(piece, Gap))


def line_checks(
    found: Decoded, sent: Iterable[int], cut: range = range(0), n_unread: int = 0, n_allowed: int = 0
) -> list[Check]:
    """Of the lines of the streams.

    cut: lines that telemetry had not told of when the recorder was killed. n_unread: of them, those that it had not
    read yet. n_allowed: lines that it may hold in memory.
    """
    missing = sorted(set(sent) - set(found.times))
    lost = [y for y in missing if y not in cut]
    n_taken = max(0, len(missing) - len(lost) - n_unread)
    twice = [y for y, times in found.times.items() if times > 1]
    return [
        Check("accepted lines that are lost", named(lost), not lost),
        Check("lines in the recorder's memory that the power cut took", str(n_taken), n_taken <= n_allowed),
        Check("lines with other samples", named(found.wrong), not found.wrong),
        Check("lines recorded twice", named(twice), not twice),
        Check("segments that do not decode", "; ".join(found.problems) or "none", not found.problems),
    ]


def named(lines: Sequence[int]) -> str:
    """How many, and which."""
    return f"{len(lines)}: {min(lines)}..{max(lines)}" if lines else "none"
