"""Every fault of the catalogue on a target that stands for a board.

The emulated board tries them as steps of a run: `make hil-emulated`.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil_tests.board.board import load_board
from hil_tests.faults import remote_recorder
from hil_tests.faults.camera import Camera
from hil_tests.faults.catalogue import FAULTS, try_fault
from hil_tests.faults.clock_jump import set_clock
from hil_tests.faults.fault_failed import FaultFailed
from hil_tests.faults.recording_checks import check_kept, check_killed, check_stream
from hil_tests.faults.remote_recorder import RemoteRecorder
from hil_tests.faults.remote_trial import account
from hil_tests.findings.findings import Outcome
from hil_tests.places.place import REPOSITORY
from hil_tests.places.runtime_wheel import build_runtime_wheel
from hil_tests.targets.local import LocalTarget
from hil_tests.targets.target import TargetFailed
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.images.synthetic import BIT_DEPTH
from runtime.kernels.kernel_cache import cache_base
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind

OF_A_WHOLE_MACHINE = {"link-cut", "clock-jump"}
"""A process of this machine has no cable and no clock of its own."""
COMPILES_LONG = {"answers-malformed", "answers-wrong", "state-flipped", "coded-flipped", "package-flipped"}
"""Alike in what they need of a target; tests/runtime/defences/test_faults.py has them in this process."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTarget]:
    folder = tmp_path_factory.mktemp("faults")
    kernels = {"NUMBA_CACHE_DIR": str(cache_base())}  # they are those of the tests, whose sources the wheel has
    local = LocalTarget(name="here", folder=folder / "target", variables=kernels)
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
    encoder = Encoder(image, CodingOptions(PredictorKind.DPCM, segment_lines=camera.segment_lines))
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


class Unwilling(LocalTarget):
    """A machine of its own where a command changes nothing, or is not taken; the others are this machine's."""

    is_whole_machine = True
    unwilling = ""
    is_deaf = False

    def shell(self, words: Sequence[str], **more: Any) -> str:
        if self.unwilling not in words:
            return super().shell(words, **more)
        if self.is_deaf:
            return ""
        raise TargetFailed("no connection")

    def reset(self) -> None:
        if self.unwilling != "reset":
            super().reset()


@pytest.fixture
def unwilling(target: LocalTarget) -> Iterator[Unwilling]:
    one = Unwilling(name="unwilling", folder=target.root)
    one.site = target.site
    yield one
    one.unwilling = ""
    one.close()


def test_a_clock_that_does_not_move_is_no_trial(unwilling: Unwilling) -> None:
    unwilling.unwilling, unwilling.is_deaf = "-s", True
    with pytest.raises(FaultFailed, match="the clock was set 400000000 s from ours and shows 1"):
        set_clock(unwilling, 400_000_000)


def test_a_disk_that_cannot_be_made_small_is_a_failure_where_it_must_be(unwilling: Unwilling) -> None:
    unwilling.unwilling = "mount"
    assert try_fault("disk-full", unwilling, time.monotonic()).outcome is Outcome.FAILED


def test_a_machine_that_is_not_reset_is_a_failure(unwilling: Unwilling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_recorder, "ANSWER_S", 2.0)
    monkeypatch.setattr(Unwilling, "is_whole_machine", False)
    unwilling.unwilling = "reset"
    step = try_fault("machine-reset", unwilling, time.monotonic())
    assert (step.outcome, step.detail) == (Outcome.FAILED, "the recorder does not end")


def test_a_recorder_that_ends_by_itself_was_not_killed(target: LocalTarget) -> None:
    camera = Camera()
    with RemoteRecorder(target, camera, "ends_by_itself") as recorder:
        recorder.feed(camera.raw(0, 10.5))
        recorder.await_segments(2)
        recorder.finish()
    assert check_kept(target, recorder, camera) == 10
    with pytest.raises(FaultFailed, match="10 lines of 2 finished segments: the recorder ended by itself"):
        check_killed(target, recorder, camera)


@pytest.mark.parametrize("said", [b"import of numpy is slow", b"3", b"{}", b'{"file": 1, "process": 2}', b"[" * 9999])
def test_a_recorder_that_talks_nonsense_is_a_failure(said: bytes, unwilling: Unwilling, tmp_path: Path) -> None:
    (tmp_path / "runtime" / "target").mkdir(parents=True)
    (tmp_path / "runtime" / "target" / "recorder.py").write_text(f"print({said.decode()!r})\n")
    unwilling.site = tmp_path
    with pytest.raises(FaultFailed, match="allowed an object with file, process"):
        RemoteRecorder(unwilling, Camera(), "nonsense")


FOUND: dict[str, Any] = {
    "provoked": [{"line": 10, "fault": "hang of process 7"}], "is_restored": True,
    "segments": [{"predictor": "ccsds123", "errors": [{"kind": "executor"}]}],
}  # fmt: skip


def test_a_trial_must_provoke_something_and_be_named_for_it() -> None:
    assert account(FOUND, ["executor"]).startswith("every line restored; telemetry says executor; 1 of 1")
    for provoked in ([], [{"line": 10, "fault": "nothing"}]):
        with pytest.raises(FaultFailed, match="provoked nothing; telemetry says executor"):
            account({**FOUND, "provoked": provoked}, ["executor"])
    with pytest.raises(FaultFailed, match="telemetry says executor, not self-test or decoding"):
        account(FOUND, ["self-test", "decoding"])


def test_the_emulated_board_tries_every_fault() -> None:
    board = load_board(REPOSITORY / "hil_tests" / "boards" / "emulated_aarch64.toml")
    assert set(board.faults) == set(FAULTS)
