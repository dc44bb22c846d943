"""How many threads this process may keep busy: by its affinity, and by its control groups (Linux, both versions)."""

import contextlib
import os
from pathlib import Path, PurePosixPath

PROC = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


def usable_cores(proc: Path = PROC, mount: Path = MOUNT) -> int:
    """1 or more; a quota of 2.5 cores is 3."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *quotas(proc, mount)]))


def quotas(proc: Path, mount: Path) -> list[int]:
    """Cores of each group from the process's own to the root, as far as they are limited."""
    found = []
    with contextlib.suppress(OSError):
        for line in proc.read_text().splitlines():
            _, controllers, path = (line + "::").split(":")[:3]
            if not path or (controllers and "cpu" not in controllers.split(",")):
                continue
            root = mount / "cpu" if controllers else mount
            for group in (own := PurePosixPath(path.lstrip("/")), *own.parents):
                found += group_quota(root / group)
    return found


def group_quota(group: Path) -> list[int]:
    """Of one group; none where it has no limit."""
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = (int(word) for word in (group / "cpu.max").read_text().split())
        return [-(-quota // period)]
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        quota = int((group / "cpu.cfs_quota_us").read_text())
        period = int((group / "cpu.cfs_period_us").read_text())
        return [-(-quota // period)] if quota > 0 else []
    return []
