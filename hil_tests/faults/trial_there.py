"""The runtime's own trials on the target: executors that hang, die or answer wrongly, and bits that flip in memory."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.targets.target import Target

TRIALS = {
    "executor-hangs": "hang",
    "executor-dies": "die",
    "answers-malformed": "malformed",
    "answers-wrong": "wrong",
    "state-flipped": "state",
    "coded-flipped": "coded",
    "package-flipped": "package",
}
"""Our names, and those of runtime.fault_trial (docs/defences.md)."""
OPTIONS = ("--stage", "none", "--line-deadline", "20")
"""The stage compiles in the shortest time; an emulated executor may take seconds for a line."""
TRIAL_S = 1800.0
"""The first trial compiles CCSDS 123, which the lines go on with."""


def runtime_trial(name: str) -> Callable[[Target, Camera], str]:
    """The trial of that name, as a fault of the catalogue; it codes a scene of its own."""

    def fault(target: Target, camera: Camera) -> str:
        """What was found. Raises FaultFailed."""
        with target.start("runtime.fault_trial", TRIALS[name], *OPTIONS) as process:
            try:
                output, errors = process.communicate(timeout=TRIAL_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise FaultFailed(f"the trial has not ended in {TRIAL_S:g} s") from None
        try:
            found = json.loads(output)
        except ValueError:
            words = errors.decode(errors="replace").strip().splitlines()
            raise FaultFailed(f"the trial ends with {process.returncode}: {words[-1] if words else ''}") from None
        told = account(found)
        if process.returncode != 0:
            raise FaultFailed(told)
        return told

    return fault


def account(found: dict[str, Any]) -> str:
    """One line on what a trial found."""
    segments = found["segments"]
    kinds = sorted({error["kind"] for segment in segments for error in segment["errors"]})
    n_fallbacks = sum(segment["predictor"] == "ccsds123" for segment in segments)
    restored = "every line restored" if found["is_restored"] else "lines are lost or wrong"
    named = f"telemetry says {', '.join(kinds)}" if kinds else "telemetry says nothing"
    return f"{restored}; {named}; {n_fallbacks} of {len(segments)} segments by CCSDS 123"
