"""The memory that the encoder may use is gone, and the system ends it."""

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.faults.recording_checks import check_killed, check_next
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.faults.whole_machine import is_whole_machine
from hil_tests.targets.target import Target

FOLDER = "fault_memory_limit"
LIMIT_MIB = 64
GROUP = "/sys/fs/cgroup/linerwkv-fault"
FILL = f"""
rmdir {GROUP} 2>/dev/null
mkdir -p {GROUP} && echo +memory > /sys/fs/cgroup/cgroup.subtree_control && echo {LIMIT_MIB}M > {GROUP}/memory.max
echo 1000 > /proc/$1/oom_score_adj && echo $1 > {GROUP}/cgroup.procs || exit 1
sh -c 'echo $$ > {GROUP}/cgroup.procs && exec dd if=/dev/zero of=/dev/null bs={2 * LIMIT_MIB}M count=1' 2>/dev/null
grep -h oom_kill {GROUP}/memory.events
"""
"""The encoder shares a group with a program that takes twice the limit, and is the first to go. An empty group that an
earlier trial left, and with it what it counted, is removed before."""


def memory_limit(target: Target, camera: Camera) -> str:
    """What was found. Raises FaultFailed. Where limits are not ours to set, `injected`: killed as the system would."""
    with RemoteRecorder(target, camera, FOLDER) as recorder:
        recorder.feed(camera.raw(0, 2.5 * camera.segment_lines + 0.5))
        recorder.await_segments(2)
        if is_whole_machine(target):
            events = target.shell(["sh", "-c", FILL, "sh", str(recorder.process_number)]).split()
            if events[:1] != ["oom_kill"] or events[1:2] == ["0"]:
                raise FaultFailed(f"the limit of memory ended nothing: {' '.join(events)}")
            recorder.wait()
        else:
            recorder.kill()
    kept = check_killed(target, recorder, camera)
    check_next(target, camera, FOLDER, recorder.file)
    how = f"a group of {LIMIT_MIB} MiB" if is_whole_machine(target) else "injected: killed as the system would"
    return f"{how}; {kept} lines kept, the next recording is whole"
