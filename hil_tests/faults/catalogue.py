"""The faults by name, as a board file lists them, and the trial of one as a step of a run."""

import time
from collections.abc import Callable

from hil_tests.faults.camera import Camera
from hil_tests.faults.clock_jump import clock_jump
from hil_tests.faults.disk_full import disk_full
from hil_tests.faults.encoder_killed import encoder_killed
from hil_tests.faults.fault_failed import NotPossible
from hil_tests.faults.link_cut import link_cut
from hil_tests.faults.machine_reset import machine_reset
from hil_tests.faults.memory_limit import memory_limit
from hil_tests.faults.package_corrupted import package_corrupted
from hil_tests.faults.remote_trial import TRIALS, runtime_trial
from hil_tests.findings.findings import Outcome, Step
from hil_tests.targets.target import Target
from runtime.errors import BadArgument, LineRwkvError

Fault = Callable[[Target, Camera], str]
FAULTS: dict[str, Fault] = {
    "encoder-killed": encoder_killed,
    "machine-reset": machine_reset,
    "link-cut": link_cut,
    "disk-full": disk_full,
    "memory-limit": memory_limit,
    "package-corrupted": package_corrupted,
    "clock-jump": clock_jump,
    **{name: runtime_trial(name) for name in TRIALS},
}


def fault_named(name: str) -> Fault:
    """A fault by name. Raises BadArgument."""
    if name not in FAULTS:
        raise BadArgument(f"fault {name!r} is not known; known: {', '.join(FAULTS)}")
    return FAULTS[name]


def try_fault(name: str, target: Target, run_began: float, camera: Camera | None = None) -> Step:
    """What became of one fault on a target that is up and has the runtime; it is up again afterwards.

    `run_began`: `time.monotonic` at the start of the run. Raises BadArgument: no such fault. A trial that fails is a
    step that failed, one that this target cannot have is skipped.
    """
    fault = fault_named(name)
    began = time.monotonic()
    try:
        outcome, detail = Outcome.PASSED, fault(target, camera or Camera())
    except NotPossible as error:
        outcome, detail = Outcome.SKIPPED, str(error)
    except LineRwkvError as error:
        outcome, detail = Outcome.FAILED, str(error)
    return Step(f"fault {name}", outcome, began - run_began, time.monotonic() - began, detail)
