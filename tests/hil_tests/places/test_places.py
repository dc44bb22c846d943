"""The pieces that places are made of, without network: names, folders that are whole or absent, errors on one line."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hil_tests.emulation import emulator as emulator_module
from hil_tests.emulation import setup as emulation_setup
from hil_tests.emulation.cpus import AARCH64, CPUS, cpu_named
from hil_tests.emulation.emulator import Emulator
from hil_tests.places import executor_setup, own_environment
from hil_tests.places.place import Here, bare_environment
from hil_tests.places.prepared_folder import is_prepared, replaced
from hil_tests.places.runtime_wheels import runtime_requirements
from hil_tests.places.tool import NotAvailable, SetupFailed, run_tool
from runtime.errors import BadArgument
from runtime.executors.executor_registry import load_executor


def test_the_kernels_of_a_processor_are_not_compiled_for_a_larger_one() -> None:
    small = set(cpu_named("cortex-a53").features.split())
    assert small <= set(cpu_named("neoverse-n1").features.split())
    assert {cpu.kernels_for for cpu in CPUS.values() if cpu.architecture == AARCH64} == {"cortex-a53"}
    assert "asimddp" not in small  # a library would then use an instruction that this processor has not


def test_cpuinfo_reads_as_linux_writes_it() -> None:
    rows = [line.split(":") for line in cpu_named("neoverse-n1").cpuinfo().splitlines() if line]
    found = {name.strip(): value.strip() for name, value in rows}
    assert found["CPU part"] == "0xd0c"
    assert found["CPU implementer"] == "0x41"
    assert "asimddp" in found["Features"].split()


def test_a_processor_that_is_not_known() -> None:
    with pytest.raises(BadArgument, match="'pentium' is not known; known: cortex-a53"):
        Emulator("pentium")


def test_an_emulator_that_is_not_set_up_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator_module, "EMULATION", tmp_path)
    with pytest.raises(SetupFailed, match="run make emulation"):
        Emulator("cortex-a53")


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with replaced(home, "recipe 1") as folder:
        (folder / "file").write_text("1")
        assert not home.exists()
    assert is_prepared(home, "recipe 1")
    assert not is_prepared(home, "recipe 2")
    with pytest.raises(SetupFailed), replaced(home, "recipe 2") as folder:
        (folder / "file").write_text("2")
        raise SetupFailed("interrupted")
    assert (home / "file").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_tool_that_fails_is_one_line() -> None:
    with pytest.raises(NotAvailable, match="no-such-tool is not installed"):
        run_tool(["no-such-tool"])
    with pytest.raises(SetupFailed, match=r"E: no package \(exit code 3\)") as caught:
        run_tool([sys.executable, "-c", "print('Reading...\\nE: no package\\n'); exit(3)"])
    assert not isinstance(caught.value, NotAvailable)
    with pytest.raises(NotAvailable, match="Could not resolve"):
        run_tool([sys.executable, "-c", "print('Err: Could not resolve host'); exit(100)"])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the messages are those of an x86-64 host")
def test_without_apt_the_setup_is_one_line_and_exit_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulation_setup, "EMULATION", tmp_path / "emulation")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(emulation_setup.main, ["aarch64"])
    assert done.exit_code == 3
    assert done.stderr == "emulation: apt-get is not installed on this machine\n"
    assert not (tmp_path / "emulation" / "qemu").exists()


def test_without_network_the_executor_setup_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> str:
        raise NotAvailable("pip: NewConnectionError")

    monkeypatch.setattr(executor_setup, "EXECUTORS", tmp_path / "executors")
    monkeypatch.setattr(executor_setup, "run_tool", refuse)
    done = CliRunner().invoke(executor_setup.main, ["openvino"])
    assert done.exit_code == 2
    assert done.stderr == "executors: pip: NewConnectionError\n"


def test_a_place_runs_modules_of_the_repository_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run(
        Here().command("runtime.commands.cli", "--help"),
        env=Here().environment(),
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"compress" in done.stdout


def test_variables_of_another_interpreter_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    monkeypatch.setenv("LD_PRELOAD", "/elsewhere/lib.so")
    monkeypatch.setenv("HOME", "/home/someone")
    environment = bare_environment()
    assert "PYTHONHOME" not in environment
    assert "LD_PRELOAD" not in environment
    assert environment["HOME"] == "/home/someone"


def test_other_environments_get_what_the_base_install_needs() -> None:
    names = {line.split(">")[0] for line in runtime_requirements()}
    assert {"numpy", "numba", "onnxruntime", "click", "msgspec", "tqdm", "typing_extensions"} <= names


def test_openvino_by_name_says_how_to_set_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_environment, "EXECUTORS", tmp_path)
    with pytest.raises(BadArgument, match=r"not set up: run python -m hil_tests\.places\.executor_setup openvino$"):
        load_executor("hil_tests.executors.own_process:load_openvino", tmp_path)
