"""A processor in software as a place where modules of the runtime run."""

import hashlib
import sys
from pathlib import Path

from typing_extensions import override

from hil_tests.emulation.cpus import AARCH64, cpu_named
from hil_tests.emulation.setup import EMULATION
from hil_tests.places.place import REPOSITORY, Place, bare_environment
from hil_tests.places.tool import SetupFailed


def runtime_identity() -> str:
    """A name for the present source of the runtime; compiled kernels of another one must not be used."""
    digest = hashlib.sha256()
    for file in sorted((REPOSITORY / "runtime").rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


class Emulator(Place):
    """A `Place` on an emulated processor: `neoverse-n1`, `cortex-a53`, `Haswell-noTSX` or `SandyBridge`.

    aarch64: Debian's Python 3.11 with the runtime's libraries. x86: this interpreter with all its libraries. Files of
    this machine are seen under their own names, except /proc/cpuinfo and, for aarch64, what its root has in /etc, /lib
    and /usr. Emulated code takes 10 to 50 times as long.
    """

    def __init__(self, cpu: str) -> None:
        """Raises BadArgument (no such processor) or SetupFailed (not set up yet)."""
        self.cpu = cpu_named(cpu)
        self.name = cpu
        self.qemu = EMULATION / "qemu" / f"qemu-{self.cpu.architecture}-static"
        self.view = EMULATION / AARCH64 / "views" / cpu
        if not self.qemu.is_file() or (self.cpu.architecture == AARCH64 and not self.view.is_dir()):
            raise SetupFailed(f"the emulator of {cpu} is not set up: run make emulation")

    @override
    def command(self, module: str, *arguments: str | Path) -> list[str]:
        emulator = [str(self.qemu), "-cpu", self.cpu.qemu_model]
        if self.cpu.architecture == AARCH64:
            python = str(EMULATION / AARCH64 / "root" / "usr" / "bin" / "python3.11")
            emulator += ["-L", str(self.view), python]
        else:
            emulator += [sys.executable]
        return [*emulator, "-m", module, *map(str, arguments)]

    @override
    def environment(self) -> dict[str, str]:
        cache = EMULATION / "numba" / f"{self.cpu.architecture}-{self.cpu.kernels_for}-{runtime_identity()}"
        more = {
            "NUMBA_CACHE_DIR": str(cache),
            "NUMBA_CPU_NAME": self.cpu.kernels_for,
            "NUMBA_CPU_FEATURES": "",  # those of that processor, nothing of the one that compiles
        }
        if self.cpu.architecture == AARCH64:
            more["PYTHONPATH"] = f"{EMULATION / AARCH64 / 'site'}:{REPOSITORY}"
        return bare_environment(**more)
