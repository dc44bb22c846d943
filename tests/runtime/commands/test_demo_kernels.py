"""Both processes of the demo compile what they say: the other one's errors would be silent."""

import subprocess
import sys

import pytest

from hil_tests.places.place import REPOSITORY
from runtime.cell.flight_package import SHIPPED, open_package
from runtime.commands import demo_kernels
from runtime.commands.demo_kernels import PARTS, STAGES, compile_part, compiled_beside


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_by_itself(part: str) -> None:
    command = [sys.executable, "-m", "runtime.commands.demo_kernels", part, str(SHIPPED)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("n_cores", [1, 2])
def test_beside_it_this_process_compiles_the_stages(n_cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_kernels, "usable_cores", lambda: n_cores)
    package = open_package(SHIPPED)
    with compiled_beside(package):
        compile_part(STAGES, package)


def test_the_other_process_ends_with_an_error_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_kernels, "usable_cores", lambda: 2)
    with pytest.raises(ZeroDivisionError), compiled_beside(open_package(SHIPPED)):
        raise ZeroDivisionError
