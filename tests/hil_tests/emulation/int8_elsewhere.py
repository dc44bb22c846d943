"""An INT8 stream made here decodes on other executors and processors, and back: the tests of each place.

Streams are compared byte for byte, images sample for sample. The stream of this machine is made by ONNX Runtime with
two threads; every other place makes its own of the same image, and restores ours. The files that run them share out
the places, so that two run at once.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hil_tests.emulation.cpus import CPUS, X86_64, cpu_named
from hil_tests.emulation.emulator import Emulator
from hil_tests.emulation.setup import prepare as prepare_emulation
from hil_tests.places.executor_setup import prepare as prepare_executor
from hil_tests.places.place import REPOSITORY, Here, Place
from hil_tests.places.tool import NotAvailable
from runtime.cell.flight_package import SHIPPED, SHIPPED_LARGE, IntegerPackage, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.opened_encoder import Loaded, opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.images.image_of_scene import describe
from runtime.images.scene_reader import open_scene
from runtime.images.synthetic import synthetic_lines
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage

SCENE = REPOSITORY.parent / "shared" / "scenes" / "enmap_potsdam_a.hdr"
IMAGE = f"{'enmap_potsdam_a' if SCENE.exists() else 'synthetic'}-24x12x32"
LINES, BANDS, COLUMNS = slice(7, 31), slice(40, 52), slice(11, 43)
SEGMENT_LINES = 16  # so that a segment begins in the middle of the image
STAGES = ("none", "best")
TRUSTED_THREADS = 2
DEADLINE_S = 1800.0
"""Of one place. Most of it is the first compilation of the kernels under emulation, 15 minutes of one core."""

OPENVINO = "hil_tests.executors.own_process:load_openvino"
PYTORCH = "quantize.torch_executor:load_eager"
ONNX_RUNTIME = "onnxruntime"


def crop() -> npt.NDArray[np.integer[Any]]:
    """(Y, Z, X), of a real scene where there is one."""
    if SCENE.exists():
        return np.array(open_scene(SCENE).samples[LINES, BANDS, COLUMNS])
    return np.stack(list(synthetic_lines(24, 12, 32, np.random.default_rng(3))))


@dataclass(frozen=True)
class Trusted:
    """What this machine made."""

    folder: Path
    """With `scene.npy`, `package` and a stream for each stage."""
    package: IntegerPackage
    samples: npt.NDArray[np.integer[Any]]
    image: ImageDescription

    def stream(self, stage: str) -> Path:
        """The stream of a stage."""
        return self.folder / f"{stage}.lrwk"


@pytest.fixture(scope="module", params=[SHIPPED, SHIPPED_LARGE], ids=lambda path: path.name)
def trusted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    """What this machine made, of each shipped package."""
    folder = tmp_path_factory.mktemp("here")
    shutil.copytree(request.param, folder / "package")
    package = open_package(folder / "package")
    assert isinstance(package, IntegerPackage)
    np.save(folder / "scene.npy", crop())
    scene = open_scene(folder / "scene.npy")
    made = Trusted(folder, package, crop(), describe(scene, None))
    for stage in STAGES:
        options = CodingOptions(stage=AdaptiveStage[stage.upper()], segment_lines=SEGMENT_LINES)
        loaded = Loaded(package, OnnxRuntimeCell(package, TRUSTED_THREADS))
        with opened_encoder(options, made.image, loaded=loaded) as encoder:
            stream = encoder.header + b"".join(encoder.push(line) for line in scene.lines()) + encoder.finish()
        made.stream(stage).write_bytes(stream)
    return made


def place_of(name: str) -> Place:
    """The place by its name, set up."""
    try:
        if name in CPUS:
            prepare_emulation(cpu_named(name).architecture)
            return Emulator(name)
        if name == "OpenVINO":
            prepare_executor("openvino")
    except NotAvailable as error:
        pytest.skip(f"no {name} here: {error}")
    return Here()


def commands(trusted: Trusted, executor: str, folder: Path) -> list[list[str]]:
    """Restore our stream, make one, and hold the executor against the recorded lines of the package."""
    package = ["--package", str(trusted.folder / "package"), "--executor", executor]
    found = []
    for stage in STAGES:
        image, stream = str(folder / f"{stage}.hdr"), str(folder / f"{stage}.lrwk")
        settings = ["--stage", stage, "--segment-lines", str(SEGMENT_LINES)]
        found.append(["decompress", str(trusted.stream(stage)), image, *package])
        found.append(["compress", str(trusted.folder / "scene.npy"), stream, *settings, *package])
    return [*found, ["verify", str(trusted.folder / "package"), "--executor", executor, "--json"]]


def run_in(place: Place, jobs: list[list[str]], folder: Path, environment: dict[str, str]) -> str:
    """Run the commands in one process of a place; what it prints."""
    (folder / "jobs.json").write_text(json.dumps(jobs))
    done = subprocess.run(
        place.command("tests.hil_tests.emulation.several_commands", folder / "jobs.json"), env=environment, cwd=folder,
        capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{place.name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Made:
    """What another place made."""

    folder: Path
    verdicts: list[dict[str, Any]]
    machine: str


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, trusted: Trusted, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What a place made; parameter: its name, and the executor that runs there."""
    name, executor = request.param
    place, folder = place_of(name), tmp_path_factory.mktemp(name)
    jobs = commands(trusted, executor, folder)
    environment = place.environment()
    if isinstance(place, Emulator) and place.cpu.architecture == X86_64:  # the host compiles the kernels
        run_in(Here(), jobs[:-1], folder, environment)
    printed = run_in(place, jobs, folder, environment).splitlines()
    verdicts = next(json.loads(line) for line in printed if line.startswith('{"package"'))
    assert verdicts["package"] == trusted.package.sha256.hex()
    return Made(folder, verdicts["rows"], json.loads(printed[-1])["machine"])


def at(*places: tuple[str, str]) -> list[pytest.MarkDecorator]:
    """Marks of a file that runs the tests below at some places; each a name and an executor."""
    ids = [name for name, _ in places]
    return [pytest.mark.slow, pytest.mark.parametrize("made", places, indirect=True, scope="module", ids=ids)]


class StreamsElsewhere:
    """The tests of each place."""

    @pytest.mark.parametrize("stage", STAGES)
    def test_our_stream_decodes_there(self, stage: str, made: Made, trusted: Trusted) -> None:
        restored = open_scene(made.folder / f"{stage}.hdr")
        np.testing.assert_array_equal(restored.samples, trusted.samples, err_msg=IMAGE)

    @pytest.mark.parametrize("stage", STAGES)
    def test_the_stream_made_there_is_ours_byte_for_byte(self, stage: str, made: Made, trusted: Trusted) -> None:
        theirs = made.folder / f"{stage}.lrwk"
        assert theirs.read_bytes() == trusted.stream(stage).read_bytes()
        with theirs.open("rb") as file:
            reader = StreamReader(file)
            decoder = Decoder(reader.header, [trusted.package])
            lines = [line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)]
        np.testing.assert_array_equal(np.stack(lines), trusted.samples, err_msg=IMAGE)

    def test_verify_finds_every_setting_equal_there(self, made: Made) -> None:
        assert {row["finding"] for row in made.verdicts} == {"equal"}
        assert {row["tile"] for row in made.verdicts} >= {"1", "all", ""}
