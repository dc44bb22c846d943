"""One stream in which the lines of one form are coded a second time, to be compared and never sent."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from typing_extensions import override

from runtime.codec.forms_encoder import FormsEncoder, LoadedForms
from runtime.codec.segment_encoder import CodedSegment, SegmentEncoder
from runtime.errors import LineRwkvError
from runtime.stream.coded_line import Codes
from runtime.stream.image_description import ImageDescription
from runtime.stream.segment_header import SEGMENT_BYTES
from runtime.stream.telemetry import SegmentTelemetry

OnCompared = Callable[[list[CodedSegment], int], None]
"""Takes segments that are sent, and the bytes of the same lines by the other encoder. Raises nothing."""


class Compared(NamedTuple):
    """What is coded again, and how."""

    form: int
    encoders: Mapping[int, SegmentEncoder]
    """By maximum error."""
    on_compared: OnCompared


class ComparedForms(FormsEncoder):
    """As `FormsEncoder`. Segments of both ways end at the same lines."""

    def __init__(
        self, image: ImageDescription, loaded: LoadedForms, form: int, max_error: int,
        on_segment: Callable[[SegmentTelemetry], None] | None, compared: Compared,
    ) -> None:  # fmt: skip
        super().__init__(image, loaded, form, max_error, on_segment)
        self.compared = compared
        self.n_other_bytes = 0
        self.has_lost = False  # Whether the other way failed at a line since the last segment
        for encoder in compared.encoders.values():
            encoder.begin(0, 0, has_network=True)

    @property
    def other(self) -> SegmentEncoder | None:
        """What codes the open segment again; None: it is of another form."""
        form, max_error = self.chosen
        return self.compared.encoders[max_error] if form == self.compared.form else None

    @override
    def push_codes(self, codes: Codes, record: bytes) -> list[CodedSegment]:
        coded, other = super().push_codes(codes, record), self.other
        if other is not None:
            with self.left_alone(other):
                if any(one.header.next_line <= self.n_lines for one in coded):
                    self.n_other_bytes += n_bytes(ended(other))
                other.n_lines = self.n_lines
                self.n_other_bytes += n_bytes(other.push(codes, record))
                if self.is_between_segments:
                    self.n_other_bytes += n_bytes(ended(other))
            self.compare(coded)
        return coded

    @override
    def close(self) -> list[CodedSegment]:
        coded, other = super().close(), self.other
        if other is not None:
            with self.left_alone(other):
                self.n_other_bytes += n_bytes(ended(other))
            self.compare(coded)
        return coded

    def compare(self, coded: list[CodedSegment]) -> None:
        """Tell of segments that end; where the other way lost a line, of as many bytes as are sent."""
        if coded:
            n_other = n_bytes(coded) if self.has_lost else self.n_other_bytes
            self.n_other_bytes, self.has_lost = 0, False
            self.compared.on_compared(coded, n_other)

    @contextlib.contextmanager
    def left_alone(self, other: SegmentEncoder) -> Iterator[None]:
        """Go on where the other way fails: its lines were not to be sent."""
        try:
            yield
        except LineRwkvError:
            self.has_lost = True
            other.begin(self.n_lines + 1, 0, has_network=True)


def ended(encoder: SegmentEncoder) -> list[CodedSegment]:
    """Its open segment."""
    return encoder.closed_if_damaged() + encoder.close()


def n_bytes(coded: Sequence[CodedSegment]) -> int:
    """Of segments, headers included; the records of their lines are the same both ways."""
    return sum(SEGMENT_BYTES + one.header.n_payload_bytes for one in coded)
