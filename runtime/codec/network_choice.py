"""Whether the network predicts a segment: decided by trials, in which a segment is coded with it and without.

Both ways have the same adaptive stage. A network that does not know a sensor costs several times the stage's time and
may cost bits; then the stage alone codes, until a later trial says otherwise (docs/decisions/0602).
"""

from enum import StrEnum

from runtime.codec.segment_closing import ClosedSegment
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.segment_header import NO_PACKAGE, SegmentCoding

TRIAL_EVERY = 16
"""Segments from one trial to the next; the first segment is one."""


class NetworkUse(StrEnum):
    """Who decides."""

    AUTO = "auto"  # The encoder, for each segment
    ALWAYS = "always"  # It is used wherever an executor runs it


class NetworkChoice:
    """Of one stream."""

    def __init__(self, coding: SegmentCoding, use: NetworkUse, n_lines: int, segment_lines: int) -> None:
        """coding: with the network, where there is one. n_lines: of the image, 0 where nobody knows."""
        self.is_free = (
            use is NetworkUse.AUTO
            and (n_lines == 0 or n_lines > segment_lines)  # a trial pays for the segments after it
            and coding.predictor is PredictorKind.LINERWKV
            and coding.stage is not AdaptiveStage.NONE
        )
        self.alone = coding._replace(predictor=PredictorKind.RLS, package_index=NO_PACKAGE)
        """The same without the network."""
        self.has_network = True
        self.n_segments = 0
        """So far."""

    @property
    def is_trial(self) -> bool:
        """Whether the next segment is coded both ways."""
        return self.is_free and self.n_segments % TRIAL_EVERY == 0

    def smaller(self, with_network: ClosedSegment, alone: ClosedSegment) -> ClosedSegment:
        """What a trial sends, and what decides until the next one."""
        self.has_network = len(with_network.payload) <= len(alone.payload)
        return with_network if self.has_network else alone
