"""One stream in which the lines of one form are coded a second time, to be compared and never sent."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from typing_extensions import override

from runtime.codec.forms_encoder import FormsEncoder, LoadedForms
from runtime.codec.segment_encoder import CodedSegment, SegmentEncoder
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
            has_ended_before = any(one.header.next_line <= self.n_lines for one in coded)
            again = ended(other) if has_ended_before else []
            other.n_lines = self.n_lines
            again += other.push(codes, record)
            self.compare(coded, again + (ended(other) if self.is_between_segments else []))
        return coded

    @override
    def close(self) -> list[CodedSegment]:
        coded, other = super().close(), self.other
        if other is not None:
            self.compare(coded, ended(other))
        return coded

    def compare(self, coded: list[CodedSegment], again: list[CodedSegment]) -> None:
        """Count what the other way needs, and tell of it when segments end."""
        self.n_other_bytes += n_bytes(again)
        if coded:
            n_other, self.n_other_bytes = self.n_other_bytes, 0
            self.compared.on_compared(coded, n_other)


def ended(encoder: SegmentEncoder) -> list[CodedSegment]:
    """Its open segment."""
    return encoder.closed_if_damaged() + encoder.close()


def n_bytes(coded: list[CodedSegment]) -> int:
    """Of segments, headers included; the records of their lines are the same both ways."""
    return sum(SEGMENT_BYTES + one.header.n_payload_bytes for one in coded)
