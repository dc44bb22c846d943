"""A container's share of the processor bounds the threads; what cannot be read bounds nothing."""

import os
from pathlib import Path

import pytest

from runtime.usable_cores import usable_cores

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def group(folder: Path, files: dict[str, str]) -> Path:
    """A folder that looks like that of control groups."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n"}, ALL),
        ("0::/a/b\n", {"a/b/cpu.max": "100000 100000\n"}, 1),
        ("0::/a/b\n", {"a/b/cpu.max": "50000 100000\n"}, 1),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "100000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "99900000 100000\n"}, ALL),
        ("0::/\n", {"cpu.max": "0 0\n"}, ALL),
        ("0::/\n", {"cpu.max": "nonsense"}, ALL),
        ("0::/\n", {}, ALL),
        ("3:cpu,cpuacct:/x\n0::/\n", {"cpu/x/cpu.cfs_quota_us": "100000", "cpu/x/cpu.cfs_period_us": "100000"}, 1),
        ("3:cpu:/x\n", {"cpu/x/cpu.cfs_quota_us": "-1", "cpu/x/cpu.cfs_period_us": "100000"}, ALL),
        ("3:memory:/x\n", {"cpu/x/cpu.cfs_quota_us": "100000", "cpu/x/cpu.cfs_period_us": "100000"}, ALL),
        ("nonsense\n", {"cpu.max": "100000 100000\n"}, ALL),
    ],
)
def test_quotas(own: str, files: dict[str, str], expected: int, tmp_path: Path) -> None:
    proc = tmp_path / "cgroup"
    proc.write_text(own)
    assert usable_cores(proc, group(tmp_path / "mount", files)) == expected


def test_no_control_groups(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none", tmp_path) == ALL
