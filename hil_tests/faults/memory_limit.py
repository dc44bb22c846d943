"""The memory that the encoder may use is gone, and the system ends it."""

from hil_tests.faults.camera import Camera
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.faults.proof import check_kept, check_next
from hil_tests.faults.recorder_there import RecorderThere
from hil_tests.faults.whole_machine import is_whole_machine
from hil_tests.targets.target import Target

FOLDER = "fault_memory_limit"
LIMIT_MIB = 64
GROUP = "/sys/fs/cgroup/linerwkv-fault"
FILL = f"""
mkdir -p {GROUP} && echo +memory > /sys/fs/cgroup/cgroup.subtree_control && echo {LIMIT_MIB}M > {GROUP}/memory.max
echo 1000 > /proc/$1/oom_score_adj && echo $1 > {GROUP}/cgroup.procs || exit 1
sh -c 'echo $$ > {GROUP}/cgroup.procs && exec dd if=/dev/zero of=/dev/null bs={2 * LIMIT_MIB}M count=1' 2>/dev/null
grep -h oom_kill {GROUP}/memory.events
"""
"""The encoder shares a group with a program that takes twice the limit, and is the first to go."""


def memory_limit(target: Target, camera: Camera) -> str:
    """What was found. Raises FaultFailed. Where limits are not ours to set, `injected`: killed as the system would."""
    with RecorderThere(target, camera, FOLDER) as recorder:
        recorder.feed(camera.raw(0, 2.5 * camera.segment_lines + 0.5))
        recorder.await_segments(2)
        process = str(recorder.process_number)
        if is_whole_machine(target):
            events = target.shell(["sh", "-c", FILL, "sh", process]).split()
            if events[:1] != ["oom_kill"] or events[1] == "0":
                raise FaultFailed(f"the limit of memory ended nothing: {' '.join(events)}")
        else:
            target.shell(["kill", "-9", process])
        recorder.wait()
    if is_whole_machine(target):
        target.shell(["rmdir", GROUP])
    kept = check_kept(target, recorder, camera)
    check_next(target, camera, FOLDER, recorder.file)
    how = f"a group of {LIMIT_MIB} MiB" if is_whole_machine(target) else "injected: killed as the system would"
    return f"{how}; {kept} lines kept, the next recording is whole"
