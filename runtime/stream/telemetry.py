"""What an encoder reports of each segment: one JSON object a line (docs/formats/telemetry.md)."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.stream.segment_header import SEGMENT_BYTES, SegmentHeader


class FaultKind(StrEnum):
    """Where something went wrong."""

    EXECUTOR = "executor"  # It is late or dead, or its answer is malformed
    SELF_TEST = "self-test"  # It no longer gives the recorded lines
    RESTART = "restart"  # It could not be made again
    PACKAGE = "package"  # The package in memory has changed
    STATE = "state"  # What the next line would be predicted from has changed between lines
    CODED = "coded"  # What is coded so far has changed between lines
    BACKUP = "backup"  # The CCSDS 123 backup has changed between lines, and is given up
    DECODING = "decoding"  # The segment does not decode to the lines that it was made of


@dataclass(frozen=True)
class Fault:
    """Something that went wrong, and was dealt with."""

    line: int  # Of the image; the first that is not coded when it was found.
    kind: FaultKind
    text: str


@dataclass
class ResidualSums:
    """Sums over the mapped residuals of a segment, in integers; a quotient only when it is shown."""

    n_samples: int = 0
    total: int = 0
    largest: int = 0
    n_zero: int = 0

    def add(self, mapped: npt.NDArray[np.integer[Any]]) -> None:
        """Take in residuals of any shape."""
        if mapped.size == 0:
            return
        self.n_samples += mapped.size
        self.total += int(mapped.sum())
        self.largest = max(self.largest, int(mapped.max()))
        self.n_zero += mapped.size - int(np.count_nonzero(mapped))

    def to_dict(self) -> dict[str, Any] | None:
        """Mean, largest and share of zeros; None where nothing was predicted."""
        if self.n_samples == 0:
            return None
        mean, zeros = self.total / self.n_samples, self.n_zero / self.n_samples
        return {"mean": round(mean, 4), "largest": self.largest, "zeros": round(zeros, 4)}


@dataclass(frozen=True)
class SegmentTelemetry:
    """One segment as it was sent."""

    index: int
    header: SegmentHeader
    n_samples: int
    executor: str | None  # None: no executor predicted it
    provider: str | None
    residuals: ResidualSums
    seconds: float  # Wall time spent in it, the closing included
    n_fallbacks: int  # Segments so far, this one included, that CCSDS 123 coded in place of the predictor asked for
    faults: tuple[Fault, ...] = ()  # Since the segment before

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in the order of docs/formats/telemetry.md."""
        header = self.header
        return {
            "segment": self.index,
            "first_line": header.first_line,
            "lines": header.n_lines,
            "samples": self.n_samples,
            "bits": 8 * (SEGMENT_BYTES + header.n_payload_bytes),
            "predictor": header.coding.predictor.name.lower(),
            "stage": header.coding.stage.name.lower(),
            "coder": header.coder.name.lower(),
            "executor": self.executor,
            "provider": self.provider,
            "residuals": self.residuals.to_dict(),
            "seconds": round(self.seconds, 6),
            "fallbacks": self.n_fallbacks,
            "errors": [asdict(fault) for fault in self.faults],
        }

    def to_json(self) -> str:
        """One line, without its end."""
        return json.dumps(self.to_dict())
