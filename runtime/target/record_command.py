"""Lines from a pipe to stream files of a folder, for a target that may fail at any time.

`python -m runtime.target.recorder FOLDER --bands Z --columns X --bit-depth D`. Each finished
segment is on the disk before the next is coded, and each start makes a file of its own, so that nothing there is ever
written again. Standard output, one JSON object a line: {"file", "process"} when the kernels are compiled and lines are
welcome, {"segment", "lines", "bytes"} after each segment that is on the disk, {"ended"} at the end.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from runtime.codec.coding_options import CodingOptions
from runtime.codec.coding_words import coding_words
from runtime.codec.encoder import Encoder
from runtime.codec.kept_lines import KeptLines, Line
from runtime.codec.opened_encoder import opened_encoder
from runtime.codec.stream_notes import clip_notes
from runtime.command_options import debug_option, threads_option
from runtime.errors import BadArgument
from runtime.images.raw_lines import RawLayout, describe_pipe, recorded_lines
from runtime.images.raw_words import pipe_layout, raw_words
from runtime.images.special_words import special_option
from runtime.standard_streams import standard_input
from runtime.target.recording import Recording, next_free


def report(**values: Any) -> None:
    """Print one line for the program that listens; if that has ended, lines are recorded all the same (`guarded`)."""
    print(json.dumps(values), flush=True)


def record(lines: Iterator[Line], encoder: Encoder, recording: Recording) -> None:
    """Append each finished segment. A source that fails or ends within a line ends the last segment before it.

    Raises Incomplete: the source, after that. Raises BadArgument: no line at all, or the disk, where whole segments
    stay.
    """
    kept, pending = KeptLines(lines, encoder), b""
    for piece in kept:
        pending += piece
        if piece and encoder.n_segments:
            keep(pending, encoder, recording)
            pending = b""
    for note in clip_notes(encoder):
        click.echo(f"linerwkv: note: {note}", err=True)
    if kept.failure is not None:
        raise kept.failure


def keep(data: bytes, encoder: Encoder, recording: Recording) -> None:
    """Put finished segments on the disk, then report them; the lines of an open segment are not counted."""
    recording.append(data)
    n_open = 0 if (open_segment := encoder.segments.segment) is None else open_segment.n_lines
    report(segment=encoder.n_segments, lines=encoder.n_lines - n_open, bytes=recording.n_bytes)


@click.command("record")
@debug_option
@click.argument("folder", type=click.Path(path_type=Path))
@coding_words(index=False)
@raw_words
@special_option
@threads_option
def record_command(
    folder: Path,
    options: CodingOptions,
    layout: RawLayout | None,
    bit_depth: int | None,
    specials: tuple[int | float, ...],
    n_threads: int,
) -> None:
    """Record raw lines from standard input into a new stream of FOLDER."""
    layout, bit_depth = pipe_layout(layout, bit_depth)
    image = describe_pipe(layout, bit_depth, specials)
    with opened_encoder(options, image, pipe=sys.stderr, is_live=True, n_threads=n_threads) as encoder:
        recording = Recording(next_free(folder))
        try:
            report(file=recording.path.name, process=os.getpid())
            record(recorded_lines(standard_input(), layout), encoder, recording)
            report(ended=recording.path.name)
        except MemoryError:
            found = f"out of memory in segment {encoder.n_segments}"
            raise BadArgument(f"{found}; the segments before it are kept") from None
        finally:
            recording.close()
