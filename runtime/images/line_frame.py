"""Bytes around the samples of a raw line, which go through a stream as the line's record."""

from dataclasses import replace
from typing import Any, NamedTuple

from runtime.images.sample_file import Samples
from runtime.stream.image_description import ImageDescription
from runtime.stream.line_records import LARGEST_RECORD_BYTES


class RecordedLine(NamedTuple):
    """A line and what came with it."""

    line: Samples
    """(Z, X)."""
    record: bytes


class LineFrame(NamedTuple):
    """How many bytes of a record lie before the samples of its line, and how many after."""

    header: int = 0
    trailer: int = 0

    @property
    def n_bytes(self) -> int:
        """Of a record."""
        return self.header + self.trailer

    def metadata(self) -> dict[str, Any]:
        """That a stream carries, so that whole frames can be given back; nothing where there is no frame."""
        return dict(zip(KEYS, map(str, self), strict=True)) if self.n_bytes else {}


KEYS = ("line header bytes", "line trailer bytes")
"""Of the metadata of a stream."""


def frame_of(metadata: dict[str, Any]) -> LineFrame | None:
    """What a stream says of its frames; None: nothing, or nothing that this software wrote."""
    found = [metadata.get(key) for key in KEYS]
    if not all(isinstance(one, str) and one.isascii() and one.isdigit() and len(one) <= 5 for one in found):
        return None
    frame = LineFrame(*(int(str(one)) for one in found))
    return frame if 0 < frame.n_bytes <= LARGEST_RECORD_BYTES else None


def without_frame(image: ImageDescription) -> ImageDescription:
    """The image without what a stream says of frames: the restored one has none."""
    if frame_of(image.metadata) is None:
        return image
    return replace(image, metadata={key: value for key, value in image.metadata.items() if key not in KEYS})
