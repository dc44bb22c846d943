"""A short run on this machine with the shipped package: steps, report, going on after a stop, limits, exit codes."""

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from hil_tests.acceptance.acceptance_run import AcceptanceRun
from hil_tests.acceptance.bench import State
from hil_tests.board.board import Board, load_board
from hil_tests.commands import hil
from hil_tests.findings.findings import Findings, Outcome
from hil_tests.findings.findings_file import read_findings
from hil_tests.targets.target import TargetFailed
from runtime.codec.compression import restored_lines
from runtime.codec.decoder import Decoder
from runtime.codec.stream_reader import StreamReader
from runtime.commands.cli import cli, main
from runtime.errors import Corrupt
from runtime.kernels.kernel_cache import cache_base

BOARD = """
name = "bench"
transport = "local"
segment_lines = 2
stage = "none"  # a third of the time to compile; local.toml has the default
reading_seconds = 0.01
[scene]
name = "synthetic"
short_lines = 3
bands = 6
columns = 17
[local]
folder = "TARGET"
[[imager]]
lines_per_s = 1e6
buffer_lines = 2
recording_lines = 10
[variables]
NUMBA_CACHE_DIR = "KERNELS"
[limits]
peak_mib = 4000
""".replace("KERNELS", str(cache_base()))  # those of the tests, whose sources the wheel has
MEASURED = ("bring-up", "deploy", "self-test", "encode", "decode")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all runs here: they share the deployed runtime and its compiled kernels."""
    return tmp_path_factory.mktemp("hil")


def board_of(folder: Path, more: str = "") -> Board:
    path = folder / "bench.toml"
    kept = os.environ.get("NUMBA_CACHE_DIR")  # of make test, where the kernels of this runtime outlive a test run
    path.write_text(BOARD.replace("TARGET", f"{kept}/hil_target" if kept else "target") + more)
    return load_board(path)


@pytest.fixture(scope="module")
def run(folder: Path) -> tuple[AcceptanceRun, Findings]:
    with AcceptanceRun(board_of(folder), output=folder / "first", is_short=True) as acceptance:
        for name in acceptance.steps:
            acceptance.perform(name)
        return acceptance, acceptance.finish()


def test_every_step_passes_and_the_report_says_so(run: tuple[AcceptanceRun, Findings]) -> None:
    acceptance, findings = run
    outcomes = {step.name: (step.outcome, step.detail) for step in findings.steps}
    assert {name: outcomes[name][0] for name in MEASURED} == dict.fromkeys(MEASURED, Outcome.PASSED), outcomes
    assert {outcomes[name][0] for name in ("soak", "energy")} == {Outcome.SKIPPED}
    assert findings.passed
    assert read_findings(acceptance.folder / "report.json") == findings
    files = {path.name for path in acceptance.folder.glob("*.*")}
    assert files == {"report.json", "run.json", "target.log", "host.lrwk", "target.lrwk"}


def test_what_the_target_encoded_decodes_here_bit_for_bit(run: tuple[AcceptanceRun, Findings]) -> None:
    acceptance, findings = run
    with (acceptance.folder / "target.lrwk").open("rb") as file:
        reader = StreamReader(file)
        lines = list(restored_lines(Decoder(reader.header, [acceptance.package]), reader.pieces()))
    assert np.array_equal(np.stack(lines), acceptance.scene.samples)
    assert (acceptance.folder / "host.lrwk").read_bytes() == (acceptance.folder / "target.lrwk").read_bytes()
    assert (
        findings.bits_per_sample == 8 * (acceptance.folder / "target.lrwk").stat().st_size / acceptance.scene.n_samples
    )


def test_the_runtime_of_the_run_is_the_wheel_not_the_checkout(run: tuple[AcceptanceRun, Findings]) -> None:
    acceptance, findings = run
    assert f"runtime in {acceptance.target.folder}/site-" in findings.steps[1].detail


def test_figures_are_those_of_the_scene(run: tuple[AcceptanceRun, Findings]) -> None:
    _, findings = run
    assert findings.scene_shape == (3, 6, 17)
    assert (findings.scene_kind, findings.label) == ("synthetic", "measured")
    assert [speed.phase for speed in findings.speeds] == ["encode", "decode"]
    for speed, latency in zip(findings.speeds, findings.latencies, strict=True):
        assert speed.samples == 3 * 6 * 17
        assert len(latency.lines_ms) == 3
        assert sum(latency.lines_ms) <= 1e3 * speed.seconds
    spans = [(phase.name, phase.began_s, phase.ended_s) for phase in findings.phases]
    steps = {step.name: step for step in findings.steps}
    for name, began, ended in spans:  # by the target's clock, here the same one
        assert steps[name].began_s <= began < ended <= steps[name].began_s + steps[name].seconds
    assert {limit.name: limit.outcome for limit in findings.limits} == {"peak_mib": Outcome.PASSED}
    assert findings.machine["executor"].startswith("ONNX Runtime")
    (rate,) = findings.line_rates
    assert rate.dropped > 0
    assert any("real time for none of these imagers" in note for note in findings.notes)


def test_a_run_that_is_started_again_repeats_nothing(run: tuple[AcceptanceRun, Findings], folder: Path) -> None:
    _, findings = run
    with AcceptanceRun(board_of(folder), output=folder / "first", is_short=True) as again:
        steps = [again.perform(name) for name in again.steps]
        assert steps == findings.steps
        assert again.bench.state is State.UNKNOWN  # nobody asked for the target
        assert again.started == findings.started
        assert asdict(again.finish()) == asdict(findings)


def test_another_board_file_begins_anew(run: tuple[AcceptanceRun, Findings], folder: Path) -> None:
    with AcceptanceRun(board_of(folder, "line_ms_p99 = 1\n"), output=folder / "first", is_short=True) as other:
        assert not any(other.kept.read(name) for name in other.steps)


def test_a_limit_that_is_not_met_is_exit_code_1(
    run: tuple[AcceptanceRun, Findings],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    board = board_of(folder, "msamples_per_s_encode = 1e9\n")
    code = exit_code(monkeypatch, "run", "--board", str(board.path), "--short", "--output", str(folder / "second"))
    assert code == 1
    out = capsys.readouterr().out
    assert "decoded here bit for bit" in out
    limits = {limit.name: limit.outcome for limit in read_findings(folder / "second" / "report.json").limits}
    assert limits == {"peak_mib": Outcome.PASSED, "msamples_per_s_encode": Outcome.FAILED}
    with AcceptanceRun(board, output=folder / "third", is_short=True) as third:
        assert [one.started for one in third.earlier(())] == sorted(
            read_findings(folder / name / "report.json").started for name in ("first", "second")
        )
        with pytest.raises(Corrupt):
            third.earlier([folder / "none.json"])


def exit_code(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Of `linerwkv hil` with these words."""
    monkeypatch.setitem(cli.commands, "hil", hil)  # where the checkout was installed before it had the verb
    monkeypatch.setattr(sys, "argv", ["linerwkv", "hil", *words])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_corrupted_board_file_is_exit_code_2_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "board.toml"
    path.write_bytes(BOARD.encode()[:60] + b"\xff\x00")
    assert exit_code(monkeypatch, "run", "--board", str(path)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(path) in error


def test_a_target_that_dies_is_brought_up_again(folder: Path) -> None:
    with AcceptanceRun(board_of(folder), output=folder / "dying", is_short=True) as dying:
        program = dying.bench.ready()
        program.child.kill()
        program.child.wait()
        died = dying.perform("encode")
        assert died.outcome is Outcome.FAILED
        assert "encode" in died.detail
        assert dying.bench.state is State.UNKNOWN
        assert dying.perform("decode").outcome is Outcome.PASSED
        with pytest.raises(TargetFailed, match='job: key do: found null, allowed "clock", '):
            dying.bench.ready().do(None, seconds=20)  # type: ignore[arg-type]  # the target must refuse it
        with pytest.raises(TargetFailed, match="no sign of life in 0 s"):
            dying.bench.ready().do("self_test", seconds=0, executor="onnxruntime", all_settings=True)


def test_a_failure_that_a_reset_cures_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with AcceptanceRun(board_of(folder), output=folder / "cured", is_short=True) as cured:
        bring_up, failures = cured.target.bring_up, [TargetFailed("here: no answer")]

        def at_the_second_attempt() -> None:
            if failures:
                raise failures.pop()
            bring_up()

        monkeypatch.setattr(cured.target, "bring_up", at_the_second_attempt)
        assert cured.perform("bring-up").outcome is Outcome.PASSED
        assert "bring-up: a reset was needed, here: no answer" in cured.finish().notes


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"board": 3}', "[" * 100000])
def test_a_report_that_is_not_one_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(Corrupt, match="report"):
        read_findings(path)


def test_a_report_of_a_later_release_reads(run: tuple[AcceptanceRun, Findings], tmp_path: Path) -> None:
    acceptance, findings = run
    values = json.loads((acceptance.folder / "report.json").read_text())
    path = tmp_path / "report.json"
    path.write_text(json.dumps({**values, "moon_phase": 0.5}))
    assert read_findings(path) == findings


METERED = """
[[meters]]
kind = "hwmon"
root = "SYSFS"
period_s = 0.02
[energy]
warm_up_s = 0.1
idle_s = 0.3
settle_s = 0.1
window_s = 0.3
min_windows = 2
max_windows = 2
"""


def test_a_whole_run_meters_energy_and_soaks(run: tuple[AcceptanceRun, Findings], folder: Path) -> None:
    sensor = folder / "sys" / "class" / "hwmon" / "hwmon0"
    sensor.mkdir(parents=True)
    (sensor / "name").write_text("ina226\n")
    (sensor / "power1_input").write_text("5000000\n")  # 5 W, whatever is done
    more = METERED.replace("SYSFS", str(folder / "sys"))
    board = board_of(folder, more)
    board = replace(board, soak_minutes=0.01, scene=replace(board.scene, lines=3), limits={"joules_per_msample": 1e9})
    with AcceptanceRun(board, output=folder / "metered") as whole:
        for name in ("bring-up", "deploy", "soak", "energy"):
            step = whole.perform(name)
            assert step.outcome is Outcome.PASSED, step.detail
        findings = whole.finish()
    assert findings.passed
    (energy,) = findings.energy
    assert energy.active_watts == pytest.approx(5, rel=1e-6)
    assert energy.joules_per_msample == pytest.approx(5 / energy.msamples_per_s, rel=1e-6)
    assert {"soak", "performance", "window 2"} <= {phase.name for phase in findings.phases}
    assert findings.readings
    (soak,) = findings.speeds
    assert soak.samples % whole.scene.n_samples == 0
    assert soak.seconds <= 60


OTHER_NETWORKS = """
[[forms]]
name = "network none"
[[forms]]
name = "network none"
executor = "export.accelerator_executor:load_int8"
[[forms]]
name = "network none"
package = "flight-large"
"""


def test_forms_of_other_executors_and_packages_are_coded_by_them(folder: Path) -> None:
    board = board_of(folder, OTHER_NETWORKS)
    board = replace(board, scene=replace(board.scene, lines=3))
    with AcceptanceRun(board, output=folder / "forms", only=("energy",)) as run:
        step = run.perform("energy")
        assert (step.outcome, step.detail) == (
            Outcome.SKIPPED, "no meter in the board file; 3 forms coded without",
        )  # fmt: skip
        assert run.bench.state is State.DEPLOYED  # so that the next step has the board file's network again
        plain, subgraphs, large = run.finish().forms
    assert [(one.form, one.executor) for one in (plain, subgraphs, large)] == [
        ("network none", "onnxruntime"), ("network none", "export.accelerator_executor:load_int8"),
        ("network none, flight-large", "onnxruntime"),
    ]  # fmt: skip
    assert plain.bits_per_sample == subgraphs.bits_per_sample, "the same integers, whoever computes them"
    assert plain.bits_per_sample != large.bits_per_sample
    assert all(0 < one.line_ms_median <= one.line_ms_largest for one in (plain, subgraphs, large))
    assert all(one.joules_per_msample is None for one in (plain, subgraphs, large))
