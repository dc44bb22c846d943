"""The board's clock jumps ten years back and then ahead, while lines come."""

import time

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.faults.recording_checks import check_kept, check_next
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.faults.whole_machine import need_whole_machine
from hil_tests.targets.target import Target

FOLDER = "fault_clock_jump"
JUMP_S = 10 * 365 * 24 * 3600


def set_clock(target: Target, offset_s: int) -> None:
    """Set the target's clock to ours and so much. Raises TargetFailed, or FaultFailed where it shows another time."""
    target.shell(["date", "-u", "-s", f"@{int(time.time()) + offset_s}"])
    shown = target.shell(["date", "-u", "+%s"]).strip()
    if not shown.isdecimal() or abs(int(shown) - time.time() - offset_s) > JUMP_S / 2:
        raise FaultFailed(f"the clock was set {offset_s} s from ours and shows {shown}")


def clock_jump(target: Target, camera: Camera) -> str:
    """What was found. Raises FaultFailed, or NotPossible where the clock is not ours to set."""
    need_whole_machine(target, "the clock")
    third = camera.n_lines / 3
    try:
        with RemoteRecorder(target, camera, FOLDER) as recorder:
            recorder.feed(camera.raw(0, third + 0.5))
            recorder.await_segments(int(third) // camera.segment_lines)
            set_clock(target, -JUMP_S)
            recorder.feed(camera.raw(third + 0.5, 2 * third + 0.5))
            recorder.await_segments(int(2 * third) // camera.segment_lines)
            set_clock(target, JUMP_S)
            recorder.feed(camera.raw(2 * third + 0.5))
            code = recorder.finish()
        if code != 0:
            raise FaultFailed(f"the recorder ends with exit code {code}")
        if check_kept(target, recorder, camera) != camera.n_lines:
            raise FaultFailed("the recording is not complete")
        set_clock(target, -JUMP_S)
        check_next(target, camera, FOLDER, recorder.file)
    finally:
        set_clock(target, 0)
    return "ten years back, twenty ahead, twenty back; the recording and the next one are whole and in order"
