"""Every emulated processor codes, decodes and predicts the same bits as this machine."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spectral

from hil_tests.emulation.cpus import CPUS, X86_64, cpu_named
from hil_tests.emulation.emulator import Emulator
from hil_tests.emulation.setup import prepare
from hil_tests.places.place import Here, Place
from hil_tests.places.tool import NotAvailable
from runtime.executors.executor_process import ExecutorProcess
from runtime.executors.onnxruntime_arrays import onnxruntime_arrays
from tests.hil_tests.executors.integer_graph import expected_outputs, random_inputs, write_graph

pytestmark = pytest.mark.slow
PREDICTORS = ("dpcm", "ccsds123")
DEADLINE_S = 300.0


def scene() -> np.ndarray:
    """(Y, Z, X) uint16, 12 bits used, smooth over columns and bands with some noise."""
    generator = np.random.default_rng(5)
    trend = np.cumsum(generator.integers(-9, 10, (10, 6, 37)), axis=2) + 60 * np.arange(6)[:, None]
    return (trend + generator.integers(0, 12, trend.shape) + 1500).astype(np.uint16)


def commands(folder: Path, streams: Path) -> list[list[str]]:
    """Compress the scene into `folder` and restore what `streams` holds, by each predictor."""
    compress = [
        ["compress", str(streams / "scene.npy"), str(folder / f"{name}.lrwk"), "--predictor", name]
        for name in PREDICTORS
    ]
    decompress = [["decompress", str(streams / f"{name}.lrwk"), str(folder / f"{name}.hdr")] for name in PREDICTORS]
    return [*compress, *decompress]


def run_there(place: Place, folder: Path, streams: Path, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Run the commands in a place; its report."""
    jobs = folder / "jobs.json"
    jobs.write_text(json.dumps(commands(folder, streams)))
    done = subprocess.run(
        place.command("tests.hil_tests.emulation.several_commands", jobs), env=environment or place.environment(),
        capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{place.name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == "", done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the scene and of its streams made here."""
    folder = tmp_path_factory.mktemp("here")
    np.save(folder / "scene.npy", scene())
    run_there(Here(), folder, folder)
    return folder


@pytest.fixture(scope="module", params=list(CPUS))
def emulator(request: pytest.FixtureRequest) -> Emulator:
    try:
        prepare(cpu_named(request.param).architecture)
    except NotAvailable as error:
        pytest.skip(f"no emulation here: {error}")
    return Emulator(request.param)


@pytest.fixture(scope="module")
def there(emulator: Emulator, streams: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of what the emulated processor made, with its `report.json`."""
    if emulator.cpu.architecture == X86_64:  # the host compiles the kernels, in a tenth of the time
        run_there(Here(), tmp_path_factory.mktemp("compile"), streams, emulator.environment())
    folder = tmp_path_factory.mktemp(emulator.name)
    report = run_there(emulator, folder, streams)
    (folder / "report.json").write_text(json.dumps(report))
    yield folder


def test_it_is_that_machine_with_our_libraries(emulator: Emulator, there: Path) -> None:
    report = json.loads((there / "report.json").read_text())
    constraints = dict(
        line.split("==")
        for line in (Path(__file__).parents[3] / "constraints.txt").read_text().split("\n")
        if "==" in line
    )
    assert report["machine"] == emulator.cpu.architecture
    for library in ("numpy", "numba", "onnxruntime"):
        assert report[library] == constraints[library]


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_it_makes_the_same_stream(there: Path, streams: Path, predictor: str) -> None:
    assert (there / f"{predictor}.lrwk").read_bytes() == (streams / f"{predictor}.lrwk").read_bytes()


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_it_restores_our_stream(there: Path, predictor: str) -> None:
    image = spectral.envi.open(str(there / f"{predictor}.hdr"))
    np.testing.assert_array_equal(image.open_memmap(interleave="bil"), scene())


def test_an_integer_graph_gives_the_same_numbers_there(emulator: Emulator, tmp_path: Path) -> None:
    graph = write_graph(tmp_path)
    local = onnxruntime_arrays(graph)
    command = emulator.command("runtime.executors.executor_server", graph)
    with ExecutorProcess(command, environment=emulator.environment(), start_deadline_s=120) as remote:
        assert remote.sha256 == local.sha256
        for n_bands, n_columns in ((8, 33), (1, 33), (3, 5), (1, 1)):
            inputs = random_inputs(n_bands, n_columns, seed=n_bands)
            answers = remote.run(inputs)
            ours = local.run(inputs)
            for name, values in expected_outputs(inputs).items():
                np.testing.assert_array_equal(ours[name], values, err_msg=name)
                np.testing.assert_array_equal(answers[name], values, err_msg=f"{emulator.name} {name}")
