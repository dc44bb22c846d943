"""The runtime's own trials on the target: executors that hang, die or answer wrongly, and bits that flip in memory."""

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.targets.fault_programs import put_fault_programs
from hil_tests.targets.target import Target

TRIALS = {
    "executor-hangs": ("hang", ("executor",)),
    "executor-dies": ("die", ("executor",)),
    "answers-malformed": ("malformed", ("executor",)),
    "answers-wrong": ("wrong", ("self-test", "decoding")),
    "state-flipped": ("state", ("state",)),
    "coded-flipped": ("coded", ("coded",)),
    "package-flipped": ("package", ("package",)),
}
"""By names of faults: the name in hil_tests.fault_programs.fault_trial, and the kinds of error of which the telemetry
must have one (docs/defences.md)."""
OPTIONS = ("--stage", "none", "--line-deadline", "20", "--guard", "proof", "--segment-lines", "8")
"""The stage compiles in the shortest time; an emulated executor may take seconds for a line."""
TRIAL_S = 1800.0
"""The first trial compiles CCSDS 123, which codes the other lines."""


def runtime_trial(name: str) -> Callable[[Target, Camera], str]:
    """The trial of that name, as a fault of the catalogue; it codes a scene of its own."""
    theirs, wanted = TRIALS[name]

    def fault(target: Target, camera: Camera) -> str:
        """What was found. Raises FaultFailed."""
        put_fault_programs(target)
        with target.start("hil_tests.fault_programs.fault_trial", theirs, *OPTIONS) as process:
            try:
                output, errors = process.communicate(timeout=TRIAL_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise FaultFailed(f"the trial has not ended in {TRIAL_S:g} s") from None
        try:
            summary = account(json.loads(output), wanted)
        except (ValueError, KeyError, TypeError):
            words = errors.decode(errors="replace").strip().splitlines()
            raise FaultFailed(f"the trial ends with {process.returncode}: {words[-1] if words else ''}") from None
        if process.returncode != 0:
            raise FaultFailed(summary)
        return summary

    return fault


def account(found: dict[str, Any], wanted: Sequence[str]) -> str:
    """One line on what a trial found. Raises FaultFailed: nothing was provoked, or no error is of a wanted kind."""
    segments = found["segments"]
    kinds = sorted({error["kind"] for segment in segments for error in segment["errors"]})
    if [one["fault"] == "nothing" for one in found["provoked"]] != [False]:
        raise FaultFailed(f"the trial provoked nothing; telemetry says {', '.join(kinds) or 'nothing'}")
    if not set(kinds) & set(wanted):
        raise FaultFailed(f"telemetry says {', '.join(kinds) or 'nothing'}, not {' or '.join(wanted)}")
    n_fallbacks = sum(segment["predictor"] == "ccsds123" for segment in segments)
    restored = "every line restored" if found["is_restored"] else "lines are lost or wrong"
    return f"{restored}; telemetry says {', '.join(kinds)}; {n_fallbacks} of {len(segments)} segments by CCSDS 123"
