"""A golden stream as it is asked for: what it shows, what goes in, and how lines become its bytes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.codec.coding_options import CodingOptions, coding_options
from runtime.codec.encoder import Encoder
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.stream.image_description import ImageDescription

Cube = npt.NDArray[Any]
Packages = Mapping[str, Loaded]
"""The golden packages by their names, and what runs them."""
Run = tuple[int, int]
"""First and last line."""


class Source(NamedTuple):
    """What goes into a stream."""

    image: ImageDescription
    lines: Cube
    """(Y, Z, X), values of the file."""
    records: tuple[bytes, ...] = ()
    """Of each line; empty: no line has one."""

    def record(self, y: int) -> bytes:
        """What comes beside line `y`."""
        return self.records[y] if self.records else b""


Feed = Callable[[Encoder, Source], Iterator[bytes]]
Make = Callable[["Case", Source, Packages], bytes]


def every_line(encoder: Encoder, source: Source) -> Iterator[bytes]:
    """The bytes of a stream whose lines come one after another, and nothing fails."""
    yield encoder.header
    for y, line in enumerate(source.lines):
        yield encoder.push(line, source.record(y))
    yield encoder.finish()


def encoded(case: "Case", source: Source, packages: Packages, feed: Feed = every_line) -> bytes:
    """The stream of a source."""
    loaded = None if case.package is None else packages[case.package]
    with opened_encoder(case.options, source.image, loaded=loaded) as encoder:
        return b"".join(feed(encoder, source))


def fed(feed: Feed) -> Make:
    """How to make a stream whose lines come in another way."""
    return partial(encoded, feed=feed)


@dataclass(frozen=True)
class Case:
    """One stream."""

    shows: str
    """What it is there for, in one line."""
    source: Callable[[], Source]
    words: dict[str, Any] = field(default_factory=dict)
    """Options, as a command line has them."""
    package: str | None = None
    """Name of the golden package that codes it."""
    second_package: str | None = None
    """Name of another that codes some of its segments."""
    make: Make = encoded
    is_salvaged: bool = False
    """Whether the stream is damaged, so that only salvage reads it."""
    missing: tuple[Run, ...] = ()
    """Lines that do not come back."""
    without_records: tuple[int, ...] = ()
    """Lines that come back without their records."""

    @property
    def options(self) -> CodingOptions:
        """How it is coded."""
        return coding_options(self.words)

    @property
    def packages(self) -> list[str]:
        """The names of the golden packages that it needs."""
        return [name for name in (self.package, self.second_package) if name is not None]


def scene(shape: tuple[int, int, int], lowest: int = 0, highest: int = 4095, seed: int = 0) -> npt.NDArray[np.int64]:
    """Integers (Y, Z, X) of this range: bands of a level each, that share a texture and have noise of their own."""
    generator = np.random.default_rng(seed)
    n_lines, n_bands, n_columns = shape
    level = lowest + (highest - lowest) // 3 + generator.integers(0, (highest - lowest) // 4 + 1, n_bands)
    texture = generator.integers(-3, 4, (n_lines, 1, n_columns)).cumsum(0).cumsum(2)
    cube: npt.NDArray[np.int64] = level[:, None] + texture + generator.integers(-4, 5, shape)
    return cube.clip(lowest, highest)


def plain_source(
    shape: tuple[int, int, int] = (7, 5, 7), depth: int = 12, *, is_signed: bool = False, seed: int = 0
) -> Source:
    """A scene of all the range of a depth, whose samples are its codes."""
    lowest, highest = (-(1 << (depth - 1)), (1 << (depth - 1)) - 1) if is_signed else (0, (1 << depth) - 1)
    lines = scene(shape, lowest, highest, seed)
    if lines.size > 2:
        lines.reshape(-1)[[lines.size // 2, -1]] = lowest, highest
    return Source(ImageDescription(shape[1], shape[2], depth, is_signed, shape[0]), lines)
