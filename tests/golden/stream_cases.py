"""Cases of what stands around and between segments: plain lines, records, gaps, index, damage."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from runtime.codec.encoder import Encoder
from runtime.stream.records import LINES_MARKER
from runtime.stream.segment_header import SEGMENT_BYTES, SEGMENT_MARKER
from tests.golden.case import Case, Make, Source, encoded, fed, plain_source
from tests.golden.coding_cases import NETWORK, way

DPCM = way("dpcm")


def noisy(*noise: int, shape: tuple[int, int, int] = (6, 3, 10)) -> Source:
    """A scene of which some lines are noise, that no coder makes smaller."""
    source = plain_source(shape)
    lines = source.lines.copy()
    lines[list(noise)] = np.random.default_rng(3).integers(0, 4096, (len(noise), *shape[1:]))
    return source._replace(lines=lines)


def plain_lines() -> Iterator[tuple[str, Case]]:
    """Lines that are sent as they are."""
    for predictor in ("dpcm", "rls", NETWORK):
        for coder in ("golomb", "hybrid", "range"):
            given = way(predictor, coder=coder, segment_lines=6)
            text = f"plain lines among others by {predictor}, coder {coder}"
            yield f"plain-some-{predictor}-{coder}", Case(text, partial(noisy, 1, 2, 4), **given)
    everything = partial(noisy, *range(6))
    for given in (DPCM, way("rls"), way("ccsds123")):
        predictor = given["words"]["predictor"]
        yield f"noise-{predictor}", Case(f"nothing but noise by {predictor}: plain, or stored", everything, **given)


def recorded(*lengths: int) -> Source:
    """A scene whose lines have records of these lengths; those of even lengths are blanks."""
    generator = np.random.default_rng(len(lengths))
    made = (bytes(generator.bytes(n)) if n % 2 else b" " * n for n in lengths)
    return plain_source((len(lengths), 2, 6))._replace(records=tuple(made))


def records() -> Iterator[tuple[str, Case]]:
    """What comes beside lines."""
    mixed = partial(recorded, 20, 20, 20, 5, 0, 9, 0, 0, 0, 13, 13, 13)
    yield "records", Case("records of one length, of several, none; packed and not", mixed, **DPCM)
    yield "records-network", Case("records by the network", mixed, **way(NETWORK))

    def framed() -> Source:
        source = recorded(*[11] * 7)
        metadata = {"line header bytes": "7", "line trailer bytes": "4"}
        return source._replace(image=replace(source.image, metadata=metadata))

    yield "records-frames", Case("records that are headers and trailers of raw frames", framed, **DPCM)


def without_length() -> Source:
    """Of a pipe: nobody knows how many lines will come."""
    source = plain_source((7, 3, 8))
    return source._replace(image=replace(source.image, n_lines=0))


def with_gaps(encoder: Encoder, source: Source) -> Iterator[bytes]:
    """Lines 2, 3 and 6 never come."""
    yield encoder.header
    for y, line in enumerate(source.lines):
        if y not in (2, 3, 6):
            yield encoder.push(line)
        elif y != 3:
            yield encoder.skip(2 if y == 2 else 1)
    yield encoder.finish()


def without_a_header(stream: bytes) -> bytes:
    """Its copy in the end record is left."""
    return bytes(30) + stream[30:]


def second_payload(stream: bytes) -> int:
    """Where the payload of the second segment begins."""
    return stream.find(SEGMENT_MARKER, stream.find(SEGMENT_MARKER) + 1) + SEGMENT_BYTES


def cut_in_second(stream: bytes) -> bytes:
    """Nothing follows the first bytes of the second segment's payload."""
    return stream[: second_payload(stream) + 20]


def spoilt_second(stream: bytes) -> bytes:
    """One bit of the second segment's payload is another."""
    place = second_payload(stream) + 3
    return stream[:place] + bytes([stream[place] ^ 4]) + stream[place + 1 :]


def spoilt_records(stream: bytes) -> bytes:
    """One bit of the records of the first segment is another."""
    place = stream.find(LINES_MARKER) + 25
    return stream[:place] + bytes([stream[place] ^ 4]) + stream[place + 1 :]


def damaged(change: Callable[[bytes], bytes]) -> Make:
    """How to make a stream that is changed on its way."""
    return lambda case, source, packages: change(encoded(case, source, packages))


def ends() -> Iterator[tuple[str, Case]]:
    """Index, end, gaps, and damage."""
    known = partial(plain_source, (7, 3, 8))
    yield "no-index", Case("a stream without an index", known, **way("dpcm", index=False))
    yield "no-length", Case("a header that announces no number of lines", without_length, **way("rls"))
    gaps = ((2, 3), (6, 6))
    yield "gaps", Case("lines that never came", known, **DPCM, make=fed(with_gaps), missing=gaps)
    yield "gaps-network", Case("the same by the network", known, **way(NETWORK), make=fed(with_gaps), missing=gaps)
    with_records = partial(recorded, *[9] * 7)
    for name, change, missing, text in (
        ("cut", cut_in_second, (), "cut within a line"),
        ("spoilt", spoilt_second, ((3, 5),), "one bit of a segment is wrong"),
        ("no-header", without_a_header, (), "the header is lost, its copy is not"),
    ):
        for given in (DPCM, way(NETWORK)):
            predictor = given["words"]["predictor"]
            case = Case(
                f"{text}, with records, by {predictor}", with_records, **given, make=damaged(change), is_salvaged=True,
                missing=missing,
            )  # fmt: skip
            yield f"salvage-{name}-{predictor}", case
    yield "salvage-records", Case(
        "one bit of records is wrong", with_records, **DPCM, make=damaged(spoilt_records), is_salvaged=True,
        without_records=(0, 1, 2),
    )  # fmt: skip


CASES = dict(itertools.chain(plain_lines(), records(), ends()))
