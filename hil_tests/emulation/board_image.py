"""The parts of an emulated aarch64 machine: QEMU's system emulator, a kernel, and a disk with Python and our libraries.

All from Debian packages and wheels, without administrator rights or mounts: the disk is filled by `mke2fs -d`, the
kernel starts from an archive that we write (initramfs.py). No systemd: BusyBox starts the machine in seconds.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from hil_tests.emulation.debian import RELEASE, Apt, debian_keyring
from hil_tests.emulation.initramfs import initramfs
from hil_tests.places.runtime_wheels import AARCH64_PYTHON, install_for, wheel_recipe
from hil_tests.places.tool import NotAvailable, Steps, run_tool

HOST_PACKAGES = ("qemu-system-arm", "e2fsprogs")
KERNEL = "linux-image-cloud-arm64"
BOARD_PACKAGES = ("python3.11", "libgomp1", "libstdc++6", "openssh-server", "busybox-static")
DRIVERS = (
    "virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk", "failover",
    "net_failover", "virtio_net", "virtio-rng",
)  # fmt: skip
"""In the order in which the kernel can take them."""
NOT_NEEDED = (
    "usr/share",
    "usr/lib/systemd",
    "usr/lib/aarch64-linux-gnu/perl-base",
    "usr/games",
    "usr/lib/aarch64-linux-gnu/gconv",
)
SITE = "opt/site"
DISK_MIB = 2048
"""Of the file system; the file has holes, so it takes what is used."""
ADDRESS = "10.0.2.15"
"""Of the board in the emulator's own network."""

APPLETS = (
    "sh", "cat", "chmod", "chown", "cp", "date", "dd", "df", "dmesg", "du", "echo", "env", "false", "find", "free",
    "gunzip", "grep", "gzip", "head", "hostname", "id", "ifconfig", "init", "kill", "ln", "ls", "mkdir", "mount",
    "mv", "nproc", "ping", "poweroff", "ps", "pwd", "readlink", "reboot", "rm", "rmdir", "sed", "sha256sum", "sleep",
    "sort", "stat", "sync", "tail", "tar", "taskset", "test", "timeout", "touch", "tr", "true", "umount", "uname",
    "uptime", "wc", "which",
)  # fmt: skip

FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\nnobody:x:65534:65534::/:/bin/false\n"
    ),
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost board\n",
    "etc/hostname": "board\n",
    "etc/inittab": "::sysinit:/etc/start\n::respawn:/usr/sbin/sshd -D -e\n::ctrlaltdel:/bin/reboot\n",
    "etc/ssh/sshd_config": (
        "HostKey /etc/ssh/host_key\nAuthorizedKeysFile /etc/ssh/authorized_keys\nPermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\nStrictModes no\n"
        "PrintMotd no\nPrintLastLog no\nMaxSessions 32\nMaxStartups 32\nSubsystem sftp internal-sftp\n"
    ),
    "etc/start": f"""#!/bin/sh
mount -t proc none /proc
mount -t sysfs none /sys
mkdir -p /dev/pts /dev/shm /run
mount -t devpts none /dev/pts
mount -t tmpfs none /dev/shm
mount -t tmpfs none /run
mount -t tmpfs none /tmp
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/sshd
chmod 755 /run/sshd
chown 0:0 /etc/ssh/host_key
hostname board
ifconfig lo 127.0.0.1 up
ifconfig eth0 {ADDRESS} netmask 255.255.255.0 up
""",
}  # fmt: skip


def board_recipe() -> str:
    """What decides what the board is made of: packages, this file, the wheels."""
    return "\n".join([RELEASE, Path(__file__).read_text(), wheel_recipe()])


def host_program(tools: Path, program: str) -> list[str | Path]:
    """The start of a command for a program of the host's packages, with its own libraries and their own loader."""
    libraries = [path for base in ("lib", "usr/lib") for path in sorted((tools / base).glob("*-linux-gnu"))]
    loader = next(path for folder in libraries for path in sorted(folder.glob("ld-linux-*.so.*")))
    return [loader, "--library-path", ":".join(map(str, libraries)), tools / program]


def make_tools(folder: Path, host: str, steps: Steps) -> None:
    """Fill a folder with QEMU and mke2fs for this machine."""
    steps.log(f"{', '.join(HOST_PACKAGES)} for {host}")
    apt = Apt(folder / "apt", host, debian_keyring(folder, host))
    apt.unpack_with_dependencies(HOST_PACKAGES, folder)
    for scratch in ("apt", "own-apt", "keyring", "usr/share/doc", "usr/share/locale", "usr/share/man"):
        shutil.rmtree(folder / scratch, ignore_errors=True)


def make_keys(folder: Path) -> None:
    """Fill a folder with the board's own key and the key that opens it."""
    folder.mkdir()
    for name in ("host_key", "user_key"):
        run_tool(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name])


def make_kernel(folder: Path, apt: Apt, busybox: bytes) -> None:
    """Put `vmlinuz` and `initrd` into the folder."""
    apt.unpack_with_dependencies((KERNEL,), folder / "kernel")
    image = next((folder / "kernel" / "boot").glob("vmlinuz-*"))
    image.rename(folder / "vmlinuz")
    found = {path.stem: path.read_bytes() for path in (folder / "kernel" / "lib" / "modules").rglob("*.ko")}
    modules = {f"{name}.ko": found[name] for name in DRIVERS}
    (folder / "initrd").write_bytes(initramfs(busybox, modules, list(modules)))
    shutil.rmtree(folder / "kernel")


def make_root(root: Path, keys: Path) -> None:
    """Add to the unpacked packages what makes a machine of them."""
    for name in NOT_NEEDED:
        shutil.rmtree(root / name, ignore_errors=True)
    for name in ("proc", "sys", "dev", "run", "tmp", "root", "etc/ssh", "bin", "sbin", "opt", "var/empty"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in APPLETS:
        (root / "bin" / name).unlink(missing_ok=True)
        (root / "bin" / name).symlink_to("busybox")
    (root / "sbin" / "init").symlink_to("/bin/busybox")
    for name, text in FILES.items():
        (root / name).write_text(text)
    (root / "etc" / "start").chmod(0o755)
    shutil.copy(keys / "host_key", root / "etc" / "ssh" / "host_key")
    shutil.copy(keys / "user_key.pub", root / "etc" / "ssh" / "authorized_keys")


def compile_sources(root: Path) -> None:
    """Compile Python files here where this Python can: under emulation it takes minutes at the first start."""
    if f"{sys.version_info[0]}.{sys.version_info[1]}" != AARCH64_PYTHON:
        return
    folders = [root / "usr" / "lib" / f"python{AARCH64_PYTHON}", root / SITE]
    words = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", root, "-p", "/"]
    command = [sys.executable, *map(str, [*words, *folders])]
    subprocess.run(command, check=False, capture_output=True)  # some test files are no Python


def make_disk(folder: Path, tools: Path, root: Path) -> None:
    """Put `disk.img`, a file system of the folder `root`, into the folder."""
    mke2fs = host_program(tools, "sbin/mke2fs")
    run_tool([*mke2fs, "-q", "-t", "ext4", "-d", root, "-E", "root_owner=0:0", folder / "disk.img", f"{DISK_MIB}M"])


def make_board(folder: Path, host: str, steps: Steps) -> None:
    """Fill a folder with `tools`, `keys`, `vmlinuz`, `initrd` and `disk.img`. Raises SetupFailed or NotAvailable."""
    if shutil.which("ssh-keygen") is None:
        raise NotAvailable("ssh-keygen is not installed on this machine: apt-get install openssh-client")
    make_tools(folder / "tools", host, steps)
    make_keys(folder / "keys")
    steps.log(f"Python and sshd for arm64: {', '.join(BOARD_PACKAGES)}")
    apt = Apt(folder / "apt", "arm64", debian_keyring(folder, host))
    apt.unpack_with_dependencies(BOARD_PACKAGES, folder / "root")
    busybox = (folder / "root" / "bin" / "busybox").read_bytes()
    make_root(folder / "root", folder / "keys")
    steps.log(f"{KERNEL} and its drivers")
    shutil.rmtree(folder / "apt" / "archives")
    make_kernel(folder, Apt(folder / "apt", "arm64", debian_keyring(folder, host)), busybox)
    steps.log("wheels for aarch64")
    install_for("aarch64", AARCH64_PYTHON, folder / "root" / SITE)
    compile_sources(folder / "root")
    steps.log("the disk")
    make_disk(folder, folder / "tools", folder / "root")
    for scratch in ("apt", "own-apt", "keyring", "root"):
        shutil.rmtree(folder / scratch, ignore_errors=True)
