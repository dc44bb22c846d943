"""Set up the emulators: `python -m hil_tests.emulation.setup aarch64|x86|all|board`.

From Debian packages and wheels into `.emulation/` of the checkout, without administrator rights, chroot, binfmt or
mounts. What is there already and follows the same recipe is kept.
"""

import platform
import shutil
import sys
from pathlib import Path

import click

from hil_tests.emulation.board_image import board_recipe, make_board
from hil_tests.emulation.cpus import AARCH64, CPUS, X86_64
from hil_tests.emulation.debian import RELEASE, Apt, debian_keyring
from hil_tests.places.place import REPOSITORY
from hil_tests.places.prepared_folder import is_prepared, locked, megabytes, replaced
from hil_tests.places.runtime_wheels import AARCH64_PYTHON, install_for, wheel_recipe
from hil_tests.places.tool import NotAvailable, Steps, run_tool
from runtime.errors import LineRwkvError

EMULATION = REPOSITORY / ".emulation"
BOARD = EMULATION / "board"
DEBIAN_NAMES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
ROOT_PACKAGES = ("python3.11", "libgomp1", "libstdc++6")
QEMU = "qemu-user-static"
EXIT_FAILED, EXIT_NOT_AVAILABLE = 2, 3


def host_architecture() -> str:
    """Debian's name of this machine's processor. Raises NotAvailable."""
    try:
        return DEBIAN_NAMES[platform.machine()]
    except KeyError:
        raise NotAvailable(f"no emulator for a host of type {platform.machine()}") from None


def make_qemu(folder: Path, steps: Steps) -> None:
    """Fill a folder with the emulators of the architectures that we emulate."""
    host = host_architecture()
    steps.log(f"{QEMU} of Debian {RELEASE}")
    apt = Apt(folder / "apt", host, debian_keyring(folder, host))
    apt.unpack(QEMU, folder / "all")
    for architecture in (AARCH64, X86_64):
        name = f"qemu-{architecture}-static"
        (folder / "all" / "usr" / "bin" / name).rename(folder / name)
    for scratch in ("apt", "all", "own-apt", "keyring"):
        shutil.rmtree(folder / scratch, ignore_errors=True)


def make_aarch64(folder: Path, steps: Steps) -> None:
    """Fill a folder with `root` (Debian with Python), `site` (libraries), and one view of `root` a processor."""
    steps.log(f"Python of Debian {RELEASE} for arm64")
    apt = Apt(folder / "apt", "arm64", debian_keyring(folder, host_architecture()))
    apt.unpack_with_dependencies(ROOT_PACKAGES, folder / "root")
    steps.log("wheels for aarch64")
    install_for(AARCH64, AARCH64_PYTHON, folder / "site")
    for cpu in CPUS.values():
        if cpu.architecture == AARCH64:
            view = folder / "views" / cpu.name
            (view / "proc").mkdir(parents=True)
            (view / "proc" / "cpuinfo").write_text(cpu.cpuinfo())
            for name in ("etc", "lib", "usr"):
                (view / name).symlink_to(Path("..") / ".." / "root" / name)
    for scratch in ("apt", "own-apt", "keyring"):
        shutil.rmtree(folder / scratch, ignore_errors=True)


def prepare(architecture: str) -> None:
    """Make the emulator of `aarch64` or `x86_64` ready. Raises SetupFailed, or NotAvailable without network or apt."""
    if architecture == X86_64 and host_architecture() != "amd64":
        raise NotAvailable(
            "x86 processors are emulated on x86-64 hosts only: they run this environment's own libraries"
        )
    with locked(EMULATION):
        steps = Steps(f"emulation {architecture}")
        qemu_recipe = f"{QEMU} {RELEASE} {host_architecture()} 1"
        if not is_prepared(EMULATION / "qemu", qemu_recipe):
            with replaced(EMULATION / "qemu", qemu_recipe) as folder:
                make_qemu(folder, steps)
        if architecture == AARCH64:
            cpuinfo = "".join(cpu.cpuinfo() for cpu in CPUS.values() if cpu.architecture == AARCH64)
            recipe = "\n".join([f"{RELEASE} {ROOT_PACKAGES} 1", cpuinfo, wheel_recipe()])
            if not is_prepared(EMULATION / AARCH64, recipe):
                with replaced(EMULATION / AARCH64, recipe) as folder:
                    make_aarch64(folder, steps)
        qemu = EMULATION / "qemu" / f"qemu-{architecture}-static"
        version = run_tool([qemu, "--version"]).split("\n")[0]
        steps.log(f"ready: {version}; {EMULATION.name} has {megabytes(EMULATION)} MB")


def prepare_board() -> None:
    """Make the emulated aarch64 machine ready. Raises SetupFailed, or NotAvailable without network or apt."""
    recipe = board_recipe()
    with locked(EMULATION):
        steps = Steps("emulated board")
        if not is_prepared(BOARD, recipe):
            with replaced(BOARD, recipe) as folder:
                make_board(folder, host_architecture(), steps)
        steps.log(f"ready: {BOARD.relative_to(REPOSITORY)} has {megabytes(BOARD)} MB, holes of the disk counted")


@click.command()
@click.argument("what", type=click.Choice(["aarch64", "x86", "all", "board"]))
def main(what: str) -> None:
    """Set up the emulator of an architecture, of all, or a whole emulated machine."""
    wanted = {"aarch64": [AARCH64], "x86": [X86_64], "all": [AARCH64, X86_64], "board": []}[what]
    try:
        for name in wanted:
            prepare(name)
        if what == "board":
            prepare_board()
    except LineRwkvError as error:
        click.echo(f"emulation: {error}", err=True)
        sys.exit(EXIT_NOT_AVAILABLE if isinstance(error, NotAvailable) else EXIT_FAILED)


if __name__ == "__main__":
    main()
