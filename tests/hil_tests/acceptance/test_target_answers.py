"""A target that answers nonsense, or not at all, has failed, and says what it said."""

from pathlib import Path

import pytest

from hil_tests.acceptance import session
from hil_tests.acceptance.job_results import RESULTS, check_answer
from hil_tests.targets.local import LocalTarget
from hil_tests.targets.target import TargetFailed


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        {"seconds": "1", "cpu_seconds": 1.0, "lines_ms": [1.0], "peak_mib": None},
        {"seconds": 1.0, "cpu_seconds": float("nan"), "lines_ms": [1.0], "peak_mib": None},
        {"seconds": 1.0, "cpu_seconds": 1.0, "lines_ms": ["1"], "peak_mib": None},
        {"seconds": 1.0, "cpu_seconds": 1.0, "lines_ms": [], "peak_mib": None},
        {"seconds": 0.0, "cpu_seconds": 1.0, "lines_ms": [1.0], "peak_mib": None},
    ],
)
def test_a_target_that_answers_nonsense_has_failed(values: object) -> None:
    with pytest.raises(TargetFailed, match="board: decode"):
        check_answer(values, RESULTS["decode"], "board: decode")


CODED = {
    "seconds": 1.0,
    "cpu_seconds": 1.0,
    "lines_ms": [1.0],
    "peak_mib": None,
    "bytes": 9,
    "sha256": "",
    "telemetry": [],
}


@pytest.mark.parametrize(
    "more",
    [
        {"seconds": 10**400}, {"lines_ms": [-(10**400)]}, {"bytes": 10**400}, {"bytes": -1}, {"telemetry": None},
        {"telemetry": [3]}, {"seconds": -1.0},
    ],
)  # fmt: skip
def test_numbers_that_nothing_measures_and_telemetry_that_is_none_are_nonsense(more: dict[str, object]) -> None:
    check_answer(CODED, RESULTS["encode"], "board: encode")
    with pytest.raises(TargetFailed, match="board: encode"):
        check_answer({**CODED, **more}, RESULTS["encode"], "board: encode")


@pytest.mark.parametrize("said", ["[" * 99999, "[]", '{"event": "end"}', '{"event": "end", "at": 1' + "0" * 400 + "}"])
def test_a_target_whose_words_are_no_events_has_failed(said: str, tmp_path: Path) -> None:
    target = LocalTarget(name="board", folder=tmp_path / "board")
    target.bring_up()
    (target.root / "runtime" / "target").mkdir(parents=True, exist_ok=True)
    (target.root / "runtime" / "target" / "target_run.py").write_text(f"print({said!r}, flush=True)\ninput()\n")
    target.site = target.root
    with pytest.raises(TargetFailed, match="board: clock: no event"):
        session.Session(target, tmp_path / "target.log", start_seconds=20)
    target.close()


def test_a_target_that_closes_its_output_and_stays_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SECONDS_TO_END", 0.3)
    target = LocalTarget(name="board", folder=tmp_path / "board")
    target.bring_up()
    (target.root / "runtime" / "target").mkdir(parents=True)
    (target.root / "runtime" / "target" / "target_run.py").write_text("import os, time\nos.close(1)\ntime.sleep(60)\n")
    target.site = target.root
    with pytest.raises(TargetFailed, match="board: clock: closed its output and does not end"):
        session.Session(target, tmp_path / "target.log", start_seconds=20)
    assert [child.returncode for child in target.children] == [-9]
    target.close()
