"""The machine loses power in the middle of a line."""

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.faults.recording_checks import check_killed, check_next
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.faults.whole_machine import is_whole_machine
from hil_tests.targets.target import Target

FOLDER = "fault_machine_reset"
BOOT = ("cat", "/proc/sys/kernel/random/boot_id")


def machine_reset(target: Target, camera: Camera) -> str:
    """What was found. Raises FaultFailed. A target without power switch only loses its processes: `injected`."""
    boot = target.shell(BOOT)
    with RemoteRecorder(target, camera, FOLDER) as recorder:
        recorder.feed(camera.raw(0, 2.5 * camera.segment_lines + 0.5))
        recorder.await_segments(2)
        target.reset()
        target.bring_up()
        recorder.wait()
    is_new = target.shell(BOOT) != boot
    if is_whole_machine(target) and not is_new:
        raise FaultFailed("the machine was not started again")
    kept = check_killed(target, recorder, camera)
    check_next(target, camera, FOLDER, recorder.file)
    how = "power off and on" if is_new else "injected: its processes were killed"
    return f"{how}; {kept} lines kept, the next recording is whole"
