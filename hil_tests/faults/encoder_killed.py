"""The encoder's process is killed in the middle of a line."""

from hil_tests.faults.camera import Camera
from hil_tests.faults.recording_checks import check_killed, check_next
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.targets.target import Target

FOLDER = "fault_encoder_killed"


def encoder_killed(target: Target, camera: Camera) -> str:
    """What was found. Raises FaultFailed."""
    with RemoteRecorder(target, camera, FOLDER) as recorder:
        recorder.feed(camera.raw(0, 2.5 * camera.segment_lines + 0.5))
        recorder.await_segments(2)
        recorder.kill()
    kept = check_killed(target, recorder, camera)
    check_next(target, camera, FOLDER, recorder.file)
    return f"killed in line {int(2.5 * camera.segment_lines)}, {kept} lines kept, the next recording is whole"
