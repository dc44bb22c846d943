"""Whether a new package stays: its first segments against those that the old one makes of the same lines."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from runtime.codec.compared_forms import n_bytes
from runtime.codec.segment_encoder import CodedSegment
from runtime.stream.kinds import PredictorKind
from runtime.stream.telemetry import FaultKind

FAILURES = {FaultKind.EXECUTOR, FaultKind.SELF_TEST, FaultKind.RESTART, FaultKind.PACKAGE, FaultKind.DECODING}
"""Faults that speak against a package or what runs it; others are of memory."""


class Verdict(StrEnum):
    """The end of a trial."""

    TAKEN = "taken"
    ROLLED_BACK = "rolled back"


class PackageTrial:
    """Of one package, over as many streams as it takes."""

    def __init__(self, n_segments: int) -> None:
        """n_segments: 1 or more."""
        self.n_segments = n_segments
        self.n_compared = 0
        self.n_bytes = self.n_old_bytes = 0
        self.verdict: Verdict | None = None
        self.why = ""

    def compare(self, coded: Sequence[CodedSegment], n_old_bytes: int) -> Verdict | None:
        """Take segments of the new package, and the bytes of their lines by the old one; the verdict that ends it now.

        After it nothing is taken any more.
        """
        if self.verdict is not None:
            return None
        self.n_compared += len(coded)
        self.n_bytes += n_bytes(coded)
        self.n_old_bytes += n_old_bytes
        failure = next(filter(None, map(failure_of, coded)), None)
        if failure is not None:
            self.verdict, self.why = Verdict.ROLLED_BACK, failure
        elif self.n_compared >= self.n_segments:
            is_larger = self.n_bytes > self.n_old_bytes
            self.verdict = Verdict.ROLLED_BACK if is_larger else Verdict.TAKEN
            self.why = "its segments are larger" if is_larger else "its segments are not larger"
        return self.verdict

    def told(self) -> dict[str, Any]:
        """For telemetry."""
        return {"segments": self.n_compared, "bytes": self.n_bytes, "old_bytes": self.n_old_bytes, "why": self.why}


def failure_of(coded: CodedSegment) -> str | None:
    """What speaks against the package in a segment, whatever its size."""
    fault = next((one for one in coded.faults if one.kind in FAILURES), None)
    if fault is not None:
        return f"{fault.kind}: {fault.text}"
    found = coded.header.coding.predictor
    return None if found is PredictorKind.LINERWKV else f"a segment by {found.name.lower()} in place of the network"
