"""Cases of segments of several ways in one stream: backups, fallbacks, segments without the network, two packages."""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from hil_tests.fault_programs.bit_flips import flip_bit
from runtime.cell.flight_package import IntegerPackage
from runtime.codec.encoder import Encoder
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executors import make_executor
from tests.golden.case import Case, Packages, Source, encoded, fed, plain_source
from tests.golden.coding_cases import NETWORK, way
from tests.golden.stream_cases import noisy
from tests.runtime.codec.stream_parts import SegmentParts, stream_parts


def with_a_flipped_bit(encoder: Encoder, source: Source) -> Iterator[bytes]:
    """What is coded of the second segment changes in memory, and its backup is sent."""
    yield encoder.header
    for y, line in enumerate(source.lines):
        if y == 4:
            assert encoder.segments.segment is not None
            flip_bit(encoder.segments.segment.writer.written, np.random.default_rng(0))
        yield encoder.push(line)
    yield encoder.finish()


def with_a_failure(encoder: Encoder, source: Source) -> Iterator[bytes]:
    """The executor dies before line 4, and another is there after line 8."""
    supervised, released = encoder.segments.supervised, threading.Event()
    assert supervised is not None

    def make(package: IntegerPackage) -> ArrayExecutor:
        released.wait()
        return make_executor(package)

    supervised.make = make
    yield encoder.header
    for y, line in enumerate(source.lines):
        if y == 4:
            supervised.fail()
        if y == 8 and supervised.thread is not None:
            released.set()
            supervised.thread.join()
        yield encoder.push(line)
    yield encoder.finish()


def failing() -> Source:
    """Lines of which some are noise while no executor is there, so that they are stored."""
    return noisy(7, 8, 9, shape=(15, 6, 8))


def defences() -> Iterator[tuple[str, Case]]:
    """Guards and fallbacks."""
    guarded = partial(plain_source, (9, 5, 8))
    for guard in ("off", "checks", "proof"):
        given = way(NETWORK, guard=guard)
        yield f"guard-{guard}", Case(f"guard {guard}, nothing happened", guarded, **given)
        if guard == "off":
            continue
        for how, words in (("lossless", {}), ("near", {"max_error": 2})):
            given = way(NETWORK, guard=guard, **words)
            text = f"guard {guard}, a segment that changed in memory is its CCSDS 123 backup, {how}"
            yield f"backup-{guard}-{how}", Case(text, guarded, **given, make=fed(with_a_flipped_bit))
    for how, words in (("lossless", {}), ("near", {"max_error": 2})):
        text = f"network, CCSDS 123, stored (where lossless) and network again, {how}"
        given = way(NETWORK, **words)
        yield f"fallback-{how}", Case(text, failing, **given, make=fed(with_a_failure))


def of_two_trials() -> Source:
    """Enough lines for two trials: the first two are flat, so that the network, which loses nothing there, is taken."""
    source = plain_source((36, 5, 6))
    source.lines[:2] = 1000
    return source


def of_two_packages(case: Case, source: Source, packages: Packages) -> bytes:
    """The second segment is of a package that the header names in its second row."""
    mine, other = (stream_parts(encoded(replace(case, package=name), source, packages)) for name in case.packages)
    mine.header["packages"] = 2
    mine.tail = mine.tail[:33] + other.tail[:33] + mine.tail[33:]
    mine.pieces[1] = other.pieces[1]
    assert isinstance(mine.pieces[1], SegmentParts)
    mine.pieces[1].fields["package"] = 1
    return mine.to_bytes()


def packages() -> Iterator[tuple[str, Case]]:
    """What a header may say of packages, and where segments leave them out."""
    for stage in ("best", "fast"):
        given = way(NETWORK, network="auto", stage=stage, segment_lines=2)
        text = f"network auto, stage {stage}: segments with it and without"
        yield f"auto-{stage}", Case(text, of_two_trials, **given)
    text = "two packages in one stream, and a line of a segment of each"
    yield (
        "two-packages",
        Case(text, partial(plain_source, (6, 6, 8)), **way(NETWORK), second_package="group-16", make=of_two_packages),
    )
    first_lines = way(NETWORK, "float", stage="none", segment_lines=1)
    for how, words in (("lossless", {}), ("near", {"max_error": 2})):
        given = {**first_lines, "words": first_lines["words"] | words}
        text = f"a float32 package, in segments of one line, which need none of its floats, {how}"
        yield f"float32-{how}", Case(text, partial(plain_source, (3, 4, 8)), **given)


CASES = dict(itertools.chain(defences(), packages()))
