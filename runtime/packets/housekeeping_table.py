"""The one table of housekeeping parameters: packing, unpacking, XTCE and docs/formats/housekeeping.md come from it.

Whoever changes it raises VERSION.
"""

from typing import NamedTuple

VERSION = 1
AUTO_FORM = (1 << 16) - 1
"""`form_asked` where the rule chooses."""


class Parameter(NamedTuple):
    """One number of a packet, unsigned and big-endian."""

    name: str
    bits: int  # 8, 16, 32 or 64
    unit: str  # Empty: it counts what its name says
    meaning: str
    labels: tuple[str, ...] = ()  # Of the values 0, 1, ... of an enumeration

    @property
    def largest(self) -> int:
        """What does not fit is given as this."""
        return (1 << self.bits) - 1


TABLE = (
    Parameter("recording", 8, "", "whether lines are recorded", ("NO", "YES")),
    Parameter("form", 16, "", "form of the last segment that was begun, its index in the configuration"),
    Parameter("form_asked", 16, "", f"form that was commanded; {AUTO_FORM}: the rule chooses"),
    Parameter("max_error", 16, "", "largest error of a sample in what follows"),
    Parameter("fill", 16, "permille", "share of the line buffer that waits"),
    Parameter("largest_fill", 16, "permille", "its largest value since the start"),
    Parameter("lines", 64, "", "lines coded"),
    Parameter("segments", 32, "", "segments coded"),
    Parameter("lost", 32, "", "lines that the counter left out or the buffer dropped"),
    Parameter("repeated", 32, "", "lines that came again"),
    Parameter("dropped", 32, "", "lines without room in the buffer"),
    Parameter("refused", 32, "", "lines with a sample beyond the depth"),
    Parameter("not_recorded", 32, "", "lines that came while recording was stopped"),
    Parameter("skipped_bytes", 64, "byte", "bytes of the source that were of no line"),
    Parameter("file_number", 16, "", "number of the open stream; 0: none is open"),
    Parameter("file_bytes", 64, "byte", "bytes of the open stream on the disk"),
    Parameter("peak_memory", 32, "MiB", "largest resident memory; 0: not known"),
    Parameter("restarts_left", 16, "", "times that executors may still be made again, all together"),
    Parameter("executor_faults", 32, "", "an executor was late, died or gave a malformed answer"),
    Parameter("restart_faults", 32, "", "an executor could not be made again"),
    Parameter("executors_restarted", 32, "", "an executor was made again and passed its self-test"),
    Parameter("self_test_faults", 32, "", "guard: an executor no longer gave the recorded lines"),
    Parameter("package_faults", 32, "", "guard: a package in memory changed"),
    Parameter("state_faults", 32, "", "guard: a predictor's state changed between lines"),
    Parameter("coded_faults", 32, "", "guard: coded bytes changed, or were not what their line was"),
    Parameter("backup_faults", 32, "", "guard: a backup changed and was given up"),
    Parameter("decoding_faults", 32, "", "guard: a segment did not decode to its lines"),
    Parameter("backups_sent", 32, "", "segments in whose place their backup was sent"),
    Parameter("without_executor", 32, "", "segments by CCSDS 123 because their executor was given up"),
    Parameter("network_left_out", 32, "", "segments without the network because trials showed no gain"),
    Parameter("segments_lost", 32, "", "segments that were damaged together with their backup"),
    Parameter("samples_clipped", 64, "", "samples beyond the depth that were clipped"),
    Parameter("counter_restarts", 32, "", "times that the line counter began again"),
    Parameter("waits", 32, "", "times that lines waited for the disk or the quota"),
)  # fmt: skip
