"""A file of raw lines as a scene: by the words of a command, whatever header lies beside it."""

from collections.abc import Iterator
from pathlib import Path

from runtime.errors import BadArgument
from runtime.images.envi_pair import headers_of, is_header
from runtime.images.line_frame import RecordedLine
from runtime.images.raw_file import RawFile, open_raw_file
from runtime.images.raw_lines import RawLayout
from runtime.images.sample_file import Samples
from runtime.images.scene_reader import TIFF_SUFFIXES, Scene
from runtime.stream.sample_map import PLAIN


def open_raw(path: Path, layout: RawLayout) -> Scene:
    """Open a file of raw lines; nothing is read yet. Raises BadArgument: not there, not of whole lines, or a step."""
    if is_header(path):
        raise BadArgument(f"{path} is a header, allowed the file of raw lines, or no --bands and --columns")
    if layout.values != PLAIN:
        raise BadArgument(f"{path}: --sample-step or --sample-offset of a file, which is scanned; allowed for a pipe")
    skipped = skipped_bytes(layout)
    return Scene(open_raw_file(path, layout), layout.frame.metadata(), files=(path,), not_carried=skipped)


def skipped_bytes(layout: RawLayout) -> tuple[str, ...]:
    """What the offset of a layout leaves out, in words."""
    offset = layout.form.offset
    return (f"{offset} bytes before the first line",) if offset else ()


def recorded(scene: Scene) -> Iterator[Samples | RecordedLine]:
    """Each line (Z, X) of a scene; of a raw file whose lines have frames with its record."""
    if isinstance(scene.source, RawFile) and scene.source.layout.frame.n_bytes:
        return map(RecordedLine, scene.lines(), scene.source.records())
    return scene.lines()


def unread_header(path: Path) -> str | None:
    """What says how samples lie and is not read where a layout is given, in words; None: nothing does."""
    if path.suffix.lower() in (*TIFF_SUFFIXES, ".npy"):
        return f"the header of {path.name}"
    headers = headers_of(path)
    return headers[0].name if headers else None
