"""A whole aarch64 machine in software: its own kernel, disk, clock and memory limit, reached only by SSH."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import override

from hil_tests.board.board import Seconds
from hil_tests.emulation.board_image import ADDRESS, SITE, board_recipe, host_program
from hil_tests.emulation.setup import BOARD, EMULATION
from hil_tests.places.prepared_folder import is_prepared, locked, replaced
from hil_tests.places.tool import SetupFailed, run_tool
from hil_tests.targets.qmp import Monitor
from hil_tests.targets.ssh import SshTarget
from hil_tests.targets.target import TargetFailed
from runtime.checked_table import AtLeast1

MACHINE = EMULATION / "machine"
"""The folder of the disk that is written to, with the deployed runtime and its compiled kernels."""
ALIAS = "emulated-board"


class QemuTarget(SshTarget):
    """A whole emulated machine, label `emulated`. One process uses the machine at a time; another one waits for it."""

    is_whole_machine = True
    """Its clock, memory limits and power switch are ours."""

    def __init__(
        self,
        *,
        name: str = "emulated_aarch64",
        folder: str = "/root/linerwkv",
        cpu: str = "cortex-a53",
        n_processors: AtLeast1 = 2,
        memory_mib: AtLeast1 = 1024,
        processors: Sequence[int] = (),
        start_seconds: Seconds = 300.0,
        variables: Mapping[str, str] | None = None,
        board: Path = BOARD,
        machine: Path = MACHINE,
    ) -> None:
        """Raises SetupFailed (not set up yet) or BadArgument (no SSH client)."""
        if not is_prepared(board, board_recipe()):
            raise SetupFailed("the emulated board is not set up, or as an older recipe says: run make emulated-board")
        self.board, self.machine = board, machine
        self.cpu, self.n_processors, self.memory_mib = cpu, n_processors, memory_mib
        kernels = {"NUMBA_CPU_NAME": "cortex-a53", "NUMBA_CPU_FEATURES": ""}
        super().__init__(
            name=name, host="127.0.0.1", user="root", folder=folder, label="emulated",
            python="python3.11", key=board / "keys" / "user_key", known_hosts=machine / "known_hosts",
            host_key_alias=ALIAS, variables={**kernels, **(variables or {})}, sites=(f"/{SITE}",),
            processors=processors, connect_seconds=start_seconds,
        )  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.lock = contextlib.ExitStack()

    @override
    def bring_up(self) -> None:
        """Switches the machine on where it is off, and again where its monitor is dead."""
        if not self.is_on():
            self.switch_off()
            self.switch_on()
        super().bring_up()

    def is_on(self) -> bool:
        """Whether the machine runs and its monitor answers."""
        if self.process is None or self.process.poll() is not None:
            return False
        try:
            with Monitor(self.machine / "monitor") as monitor:
                return bool(monitor.command("query-status")["status"] == "running")
        except TargetFailed:
            return False

    def switch_on(self) -> None:
        """Start the emulator, on the disk as it was left. Raises TargetFailed."""
        self.lock.enter_context(locked(self.machine.with_name(self.machine.name + "-lock")))
        self.prepare_disk()
        self.end_left_over()
        self.connection.port = free_port()
        with (self.machine / "emulator.log").open("wb") as log:
            self.process = subprocess.Popen(
                list(map(str, self.command())), cwd=self.machine, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + self.connection.connect_seconds
        while not (self.machine / "monitor").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                text = (self.machine / "emulator.log").read_text(errors="replace").strip().splitlines()
                self.switch_off()
                raise TargetFailed(f"{self.name}: the emulator did not start: {text[-1] if text else 'no output'}")
            time.sleep(0.05)

    def command(self) -> list[str | Path]:
        """The emulator's command."""
        forwarded = f"user,id=network,restrict=on,hostfwd=tcp:127.0.0.1:{self.connection.port}-{ADDRESS}:22"
        return [
            *host_program(self.board / "tools", "usr/bin/qemu-system-aarch64"),
            "-L", self.board / "tools" / "usr" / "share" / "qemu", "-nodefaults", "-display", "none",
            "-M", "virt", "-accel", "tcg,thread=multi", "-cpu", self.cpu, "-smp", str(self.n_processors),
            "-m", str(self.memory_mib), "-kernel", self.board / "vmlinuz", "-initrd", self.board / "initrd",
            "-append", "console=ttyAMA0 panic=-1 quiet", "-serial", "file:console.log",
            "-drive", "file=disk.img,format=raw,if=none,id=disk", "-device", "virtio-blk-pci,drive=disk",
            "-netdev", forwarded, "-device", "virtio-net-pci,id=link,netdev=network,romfile=",
            "-device", "virtio-rng-pci", "-qmp", "unix:monitor,server=on,wait=off",
        ]  # fmt: skip

    def prepare_disk(self) -> None:
        """Copy the disk of the present recipe, unless this machine has it already."""
        if not is_prepared(self.machine, board_recipe()):
            with replaced(self.machine, board_recipe()) as folder:
                run_tool(["cp", "--sparse=always", self.board / "disk.img", folder / "disk.img"])
                kind, key = (self.board / "keys" / "host_key.pub").read_text().split()[:2]
                (folder / "known_hosts").write_text(f"{ALIAS} {kind} {key}\n")

    def end_left_over(self) -> None:
        """End the machine of a process that died without switching it off."""
        monitor = self.machine / "monitor"
        with contextlib.suppress(TargetFailed):
            with Monitor(monitor) as connection, contextlib.suppress(TargetFailed):  # it may end before it answers
                connection.command("quit")
            time.sleep(1.0)
        monitor.unlink(missing_ok=True)

    def switch_off(self) -> None:
        """Cut the power."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        self.lock.close()

    @override
    def reset(self) -> None:
        """The reset line, so that everything in the machine's memory is lost.

        The connection ends after it: programs there that see the end of their input would finish their work.
        """
        if self.is_on():
            with Monitor(self.machine / "monitor") as monitor:
                monitor.command("system_reset")
        else:
            self.switch_off()
        self.connection.close()

    @override
    def cut_link(self) -> None:
        """Unplug the network cable; connections hang until they give up."""
        self.set_link(is_up=False)

    @override
    def restore_link(self) -> None:
        """Plug the network cable in again, and connect again. Raises TargetFailed."""
        self.set_link(is_up=True)
        super().restore_link()

    def set_link(self, *, is_up: bool) -> None:
        """The state of the network card's cable."""
        with Monitor(self.machine / "monitor") as monitor:
            monitor.command("set_link", name="link", up=is_up)

    @override
    def close(self) -> None:
        """Writes what is to be written and switches off."""
        if self.is_on():
            with contextlib.suppress(TargetFailed):
                self.connection.run("sync", seconds=30)
        super().close()
        self.switch_off()


def free_port() -> int:
    """A port of the loopback on which no program listens now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
