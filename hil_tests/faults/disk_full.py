"""The disk that is recorded to is full in the middle of a segment."""

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed, NotPossible
from hil_tests.faults.recording_checks import check_kept, check_next
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.faults.whole_machine import is_whole_machine
from hil_tests.targets.target import Target, TargetFailed

FOLDER = "fault_disk_full"
DISK_KIB = 16
"""More than one segment and less than a few scenes."""


def disk_full(target: Target, camera: Camera) -> str:
    """What was found. Raises FaultFailed, or NotPossible where nothing may be mounted."""
    target.shell(["mkdir", "-p", FOLDER])
    try:
        target.shell(["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "none", FOLDER])
    except TargetFailed as error:
        if is_whole_machine(target):
            raise
        target.shell(["true"])  # it answers, so that it was the mount that it refused
        raise NotPossible(f"no small disk can be mounted: {error}") from error
    try:
        with RemoteRecorder(target, camera, FOLDER) as recorder:
            while recorder.process.poll() is None:
                first = recorder.n_segments * camera.segment_lines % camera.n_lines
                try:
                    recorder.feed(camera.raw(first, first + camera.segment_lines))
                    recorder.await_segments(recorder.n_segments + 1)
                except FaultFailed:
                    break
            code, words = recorder.wait(), recorder.last_words()
        if code == 0 or "No space left" not in words:
            raise FaultFailed(f"a full disk ends the recorder with exit code {code}: {words}")
        kept = check_kept(target, recorder, camera)
        target.shell(["mount", "-o", "remount,size=1m", FOLDER])
        check_next(target, camera, FOLDER, recorder.file)
    finally:
        target.shell(["umount", FOLDER])
    return f"a disk of {DISK_KIB} KiB; {kept} lines kept, refused in one line, the next recording is whole"
