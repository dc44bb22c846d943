"""The link is cut while lines come over it, and restored later."""

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed, NotPossible
from hil_tests.faults.recording_checks import check_kept, check_next, fetched
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.faults.whole_machine import Linked, is_whole_machine
from hil_tests.targets.target import Target, TargetFailed

FOLDER = "fault_link_cut"


def link_cut(target: Target, camera: Camera) -> str:
    """What was found. Raises FaultFailed, or NotPossible where there is no link."""
    if not isinstance(target, Linked):
        raise NotPossible(f"{target.name} is not reached by a link")
    with RemoteRecorder(target, camera, FOLDER) as recorder:
        recorder.feed(camera.raw(0, 2.5 * camera.segment_lines + 0.5))
        recorder.await_segments(2)
        target.cut_link()
        try:
            fetched(target, recorder.file)
        except TargetFailed:
            pass
        else:
            raise FaultFailed("a file came over a link that was cut")
        finally:
            target.restore_link()
    kept = check_kept(target, recorder, camera)
    check_next(target, camera, FOLDER, recorder.file)
    how = "cable out and in" if is_whole_machine(target) else "injected: the connection was ended"
    return f"{how}; {kept} lines kept, the next recording is whole"
