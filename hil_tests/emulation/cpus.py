"""The processors that we emulate, and what their /proc/cpuinfo says."""

from dataclasses import dataclass

from runtime.errors import BadArgument

AARCH64 = "aarch64"
X86_64 = "x86_64"


@dataclass(frozen=True)
class Cpu:
    """A processor of QEMU's user mode."""

    name: str
    architecture: str
    qemu_model: str
    """The argument of -cpu. x86: without the system features that the emulator would warn about."""
    kernels_for: str
    """LLVM's name of the processor that Numba compiles for. Compiling is the slow part under emulation, so the aarch64
    processors share code for the smaller one, and code for x86 may be compiled by the host."""
    features: str = ""
    """aarch64: as Linux names them. Libraries choose kernels by them, so they must be what `qemu_model` executes."""
    part: int = 0
    """aarch64: primary part number of the main identity register."""
    variant: int = 0
    revision: int = 0

    def cpuinfo(self) -> str:
        """The cpuinfo of one such processor under aarch64 Linux; libraries crash on the x86 text of the host."""
        rows = {
            "processor\t": "0", "BogoMIPS\t": "50.00", "Features\t": self.features, "CPU implementer\t": "0x41",
            "CPU architecture": "8", "CPU variant\t": f"0x{self.variant:x}", "CPU part\t": f"0x{self.part:03x}",
            "CPU revision\t": str(self.revision),
        }  # fmt: skip
        return "".join(f"{name}: {value}\n" for name, value in rows.items()) + "\n"


V8 = "fp asimd evtstrm aes pmull sha1 sha2 crc32"
CPUS = {
    cpu.name: cpu
    for cpu in (
        Cpu("cortex-a53", AARCH64, "cortex-a53", "cortex-a53", f"{V8} cpuid", part=0xD03, variant=0, revision=4),
        Cpu(
            "neoverse-n1", AARCH64, "neoverse-n1", "cortex-a53",
            f"{V8} atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs", part=0xD0C, variant=3, revision=1,
        ),
        Cpu("Haswell-noTSX", X86_64, "Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid", "haswell"),
        Cpu("SandyBridge", X86_64, "SandyBridge,-x2apic,-tsc-deadline", "sandybridge"),
    )
}  # fmt: skip


def cpu_named(name: str) -> Cpu:
    """A processor by name. Raises BadArgument."""
    if name not in CPUS:
        raise BadArgument(f"processor {name!r} is not known; known: {', '.join(CPUS)}")
    return CPUS[name]
