"""The stream of files of packets, and beside it a list of what has not come."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runtime.checked_table import read_file
from runtime.errors import BadArgument, Truncated
from runtime.output_checks import check_outputs
from runtime.packets.assembly import Assembled, assemblies
from runtime.packets.fragment import Fragment, StructureKind
from runtime.packets.missing import Missing, missing_of
from runtime.packets.packet_scan import fragments
from runtime.whole_output import replacing

MISSING_ENDING = ".missing.json"


class AssembledFile(NamedTuple):
    """What was written."""

    stream: str
    n_segments: int
    n_bytes: int
    missing: Missing
    list_path: Path  # Written where something is missing


def assemble(sources: Sequence[Path], output: Path, apid: int, name: str | None) -> AssembledFile:
    """Write the stream of files of packets; where something is missing, OUTPUT.missing.json too.

    name: of the stream, where packets of several came. Raises BadArgument where there is none, or it is not clear
    which. Raises Truncated where the header did not come: then the list alone is written.
    """
    list_path = output.with_name(output.name + MISSING_ENDING)
    check_outputs([output, list_path], sources)
    found = assemblies(received(sources, apid))
    chosen = [assembly for stream, assembly in found.items() if name in (None, str(stream))]
    if len(chosen) != 1:
        there = ", ".join(sorted(map(str, found))) or "none"
        raise BadArgument(f"packets of APID {apid} are of streams: {there}; allowed one, which --stream names")
    assembled = chosen[0].assembled()
    missing = missing_of(assembled)
    if missing:
        with replacing(list_path) as part:
            part.write_text(json.dumps(missing.to_dict(), indent=1) + "\n")
    if 0 not in assembled.structures:
        raise Truncated(f"stream {assembled.stream}: its header has not come; {list_path} lists what is missing")
    n_bytes = n_segments = 0
    with replacing(output) as part, part.open("wb") as out:
        for kind, data in stream_pieces(assembled, has_holes=bool(missing)):
            out.write(data)
            n_bytes, n_segments = n_bytes + len(data), n_segments + (kind is StructureKind.SEGMENT)
    if not missing:
        list_path.unlink(missing_ok=True)
    return AssembledFile(str(assembled.stream), n_segments, n_bytes, missing, list_path)


def received(sources: Sequence[Path], apid: int) -> Iterator[Fragment]:
    """The fragments of files of packets. Raises BadArgument."""
    for source in sources:
        yield from fragments(read_file(source, str(source)), apid)


def stream_pieces(found: Assembled, *, has_holes: bool) -> Iterator[tuple[StructureKind, bytes]]:
    """The structures of a stream that came; with holes its index would be wrong and is left out."""
    total = found.n_structures
    for number, (place, data) in sorted(found.structures.items()):
        if (total is None or number < total) and not (has_holes and place.kind is StructureKind.INDEX):
            yield place.kind, data
