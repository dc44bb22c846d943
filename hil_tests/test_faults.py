"""Every fault of the catalogue on a target that stands for a board.

The emulated board tries them as steps of a run: `make hil-emulated`.
"""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from hil_tests.board import load_board
from hil_tests.faults.camera import Camera
from hil_tests.faults.catalogue import FAULTS, try_fault
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.faults.proof import check_stream
from hil_tests.place import REPOSITORY
from hil_tests.report.findings import Outcome
from hil_tests.runtime_wheel import build_runtime_wheel
from hil_tests.targets.local import LocalTarget
from runtime.encoder import Encoder
from runtime.image_description import ImageDescription
from runtime.stream_format import PredictorKind
from runtime.synthetic import BIT_DEPTH

OF_A_WHOLE_MACHINE = {"link-cut", "clock-jump"}
"""A process of this machine has no cable and no clock of its own."""
COMPILES_LONG = {"answers-malformed", "answers-wrong", "state-flipped", "coded-flipped", "package-flipped"}
"""Alike in what they need of a target; tests/runtime/test_faults.py has them in this process."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTarget]:
    folder = tmp_path_factory.mktemp("faults")
    local = LocalTarget(name="here", folder=folder / "target")
    local.bring_up()
    local.deploy(build_runtime_wheel(folder / "wheel"))
    yield local
    local.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in COMPILES_LONG else []) for name in FAULTS]
)
def test_nothing_accepted_is_lost(name: str, target: LocalTarget) -> None:
    step = try_fault(name, target, time.monotonic())
    wanted = Outcome.SKIPPED if name in OF_A_WHOLE_MACHINE else Outcome.PASSED
    if name == "disk-full" and "no small disk can be mounted" in step.detail:
        pytest.skip(step.detail)
    assert step.outcome is wanted, step.detail


def recorded(camera: Camera, lines: np.ndarray) -> bytes:
    image = ImageDescription(camera.n_bands, camera.n_columns, BIT_DEPTH, is_signed=False)
    encoder = Encoder(image, predictor=PredictorKind.DPCM, segment_lines=camera.segment_lines)
    return b"".join([encoder.header, *(encoder.push(line) for line in lines), encoder.finish()])


def test_the_proof_sees_a_lost_and_a_changed_line() -> None:
    camera = Camera(n_lines=8, segment_lines=4)
    whole = recorded(camera, camera.lines())
    assert check_stream(whole, camera, 2) == 8
    with pytest.raises(FaultFailed):
        check_stream(whole[: len(whole) // 2], camera, 2)
    other = camera.lines()
    other[5, 2, 3] ^= 1
    with pytest.raises(FaultFailed):
        check_stream(recorded(camera, other), camera, 2)


def test_the_emulated_board_tries_every_fault() -> None:
    board = load_board(REPOSITORY / "hil_tests" / "boards" / "emulated_aarch64.toml")
    assert set(board.faults) == set(FAULTS)
