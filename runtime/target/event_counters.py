"""How often each defence of docs/defences.md had something to do, summed over the segments of a recorder's run."""

from collections.abc import Iterable, Mapping

from runtime.codec.coding_options import Unpredicted
from runtime.codec.segment_encoder import SegmentEncoder
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.stream.kinds import PredictorKind
from runtime.stream.telemetry import FaultKind, SegmentTelemetry

IN_PLACE = {FaultKind.CODED, FaultKind.SELF_TEST, FaultKind.PACKAGE, FaultKind.DECODING}
"""After these the backup of a segment is sent (docs/formats/telemetry.md)."""
FAULTS: Mapping[FaultKind, str] = {kind: f"{kind.value.replace('-', '_')}_faults" for kind in FaultKind}
"""The name of each kind's counter."""
NAMES = (
    *FAULTS.values(), "backups_sent", "without_executor", "network_left_out", "segments_lost", "samples_clipped",
    "counter_restarts", "waits",
)  # fmt: skip


class EventCounters:
    """Since the start of the program; none is ever set back. Meanings: runtime/packets/housekeeping_table.py."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(NAMES, 0)

    def add(self, name: str, n: int = 1) -> None:
        """Count events of a name."""
        self.counts[name] += n

    def add_segment(self, segment: SegmentTelemetry, asked: PredictorKind | Unpredicted) -> None:
        """Count what happened to a segment. asked: the predictor of its form."""
        kinds = [fault.kind for fault in segment.faults]
        for kind in kinds:
            self.add(FAULTS[kind])
        sent = segment.header.coding.predictor
        if sent is PredictorKind.CCSDS123 and IN_PLACE & set(kinds):
            self.add("backups_sent")
        elif asked is PredictorKind.LINERWKV and sent is PredictorKind.CCSDS123:
            self.add("without_executor")
        elif asked is PredictorKind.LINERWKV and sent is PredictorKind.RLS:
            self.add("network_left_out")


def restarts(encoders: Iterable[SegmentEncoder]) -> dict[str, int]:
    """How often their executors were made again and trusted, and how often they still may be."""
    supervised: dict[int, SupervisedExecutor] = {
        id(one.supervised): one.supervised for one in encoders if one.supervised is not None
    }
    return {
        "executors_restarted": sum(one.n_restarted for one in supervised.values()),
        "restarts_left": sum(one.n_restarts_left for one in supervised.values()),
    }
