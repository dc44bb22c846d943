"""The small file system in memory that a kernel starts from: drivers of the disk and the network, then the disk.

An archive of the kind `newc` (kernel documentation, early userspace, buffer format): for each entry 13 numbers of eight
hexadecimal digits after a magic, the name with a zero byte, then the content, both filled up to four bytes.
"""

import stat
from collections.abc import Mapping, Sequence

MAGIC = b"070701"
TRAILER = "TRAILER!!!"
START = """#!/bin/busybox sh
for module in {modules}; do /bin/busybox insmod /modules/$module || echo "no driver $module"; done
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox mount -t ext4 -o noatime /dev/vda /root || /bin/busybox reboot -f
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
"""


def padded(data: bytes) -> bytes:
    """The bytes, filled with zeros to a multiple of four."""
    return data + bytes(-len(data) % 4)


def entry(number: int, name: str, mode: int, content: bytes = b"", *, device: tuple[int, int] = (0, 0)) -> bytes:
    """One entry; `device` (major, minor) of a character device."""
    numbers = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
    head = MAGIC + b"".join(b"%08X" % value for value in numbers)
    return padded(head + name.encode() + b"\0") + padded(content)


def initramfs(busybox: bytes, modules: Mapping[str, bytes], order: Sequence[str]) -> bytes:
    """An archive whose `init` loads the modules in this order, mounts the first disk and starts the system there."""
    start = START.format(modules=" ".join(order)).encode()
    entries = [(folder, stat.S_IFDIR | 0o755, b"", (0, 0)) for folder in ("bin", "dev", "modules", "root")]
    entries += [("bin/busybox", stat.S_IFREG | 0o755, busybox, (0, 0)), ("init", stat.S_IFREG | 0o755, start, (0, 0))]
    entries += [("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))]
    entries += [(f"modules/{name}", stat.S_IFREG | 0o644, content, (0, 0)) for name, content in modules.items()]
    written = [
        entry(number, name, mode, content, device=device)
        for number, (name, mode, content, device) in enumerate(entries, start=1)
    ]
    return b"".join(written) + entry(0, TRAILER, 0)
