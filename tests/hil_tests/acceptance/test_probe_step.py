"""The probe as a step: executors on a local target, one that is right and some that are inexact on purpose."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hil_tests.acceptance.acceptance_run import AcceptanceRun
from hil_tests.acceptance.bench import State
from hil_tests.acceptance.probe_step import executors_of, parted
from hil_tests.board.board import FormChoice, load_board
from hil_tests.findings.findings import Certificate, Outcome
from hil_tests.findings.findings_file import read_findings
from hil_tests.report.certificate_table import decision, operator_rows
from hil_tests.report.page import write_page
from runtime.errors import BadArgument
from runtime.executors.executor_registry import BUILT_IN

INEXACT = Path(__file__).parents[1] / "accelerators" / "inexact_executor.py"
BOARD = """
name = "bench"
transport = "local"
[scene]
name = "synthetic"
short_lines = 3
bands = 6
columns = 17
[local]
folder = "TARGET"
"""


@pytest.fixture(scope="module")
def bench_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AcceptanceRun]:
    """A run whose target has the inexact executors as a module in its folder; nothing is coded or compiled."""
    folder = tmp_path_factory.mktemp("probe")
    kept = os.environ.get("NUMBA_CACHE_DIR")  # of make test, where the deployed runtime outlives a test run
    path = folder / "bench.toml"
    path.write_text(BOARD.replace("TARGET", f"{kept}/hil_target" if kept else "target"))
    with AcceptanceRun(load_board(path), output=folder / "run", is_short=True) as run:
        run.bench.reach(State.DEPLOYED)
        run.target.put(INEXACT, "inexact.py")
        yield run
        run.target.shell(["rm", "inexact.py"])


def certified(run: AcceptanceRun, executor: str, *others: str) -> tuple[Outcome, str, list[Certificate]]:
    """Outcome, detail and certificates of the step, with these executors in the board file."""
    forms = [FormChoice("network none", executor=other) for other in others]
    run.bench.board = replace(run.board, executor=executor, forms=forms)
    run.finished = [run.done("probe")]
    findings = run.finish()
    assert read_findings(run.folder / "report.json") == findings
    (step,) = findings.steps
    return step.outcome, step.detail, findings.certificates


def test_onnx_runtime_is_exact_under_conditions(bench_run: AcceptanceRun) -> None:
    outcome, detail, (one,) = certified(bench_run, "onnxruntime")
    assert outcome is Outcome.PASSED
    assert detail == f"onnxruntime, uint8: {one.verdict}" and one.verdict.startswith("exact where no sum is a half")
    assert one.provider.startswith("ONNX Runtime") and one.is_usable and not one.is_deciding
    assert {row["rounds"] for row in operator_rows(one)} == {"halves to even"}
    assert {row["can be exact"] for row in operator_rows(one)} == {"yes"}


def test_each_executor_of_the_board_file_is_probed_and_one_that_rounds_down_is_refused(
    bench_run: AcceptanceRun, tmp_path: Path
) -> None:
    outcome, detail, (right, wrong) = certified(bench_run, "inexact:exact", "inexact:cut")
    assert outcome is Outcome.FAILED
    assert detail == f"inexact:exact, uint8: exact; inexact:cut, uint8: refused, {wrong.verdict}"
    assert wrong.verdict.startswith("not exact: rounds down in 1 x 1 convolutions")
    assert {(row["rounds"], row["sums"]) for row in operator_rows(right)} == {("halves up", "25 bits or more")}
    assert {row["rounds"] for row in operator_rows(wrong)} == {"down", "down or to zero"}  # a Relu hides the difference
    write_page(read_findings(bench_run.folder / "report.json"), [], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert f"<b>{wrong.verdict}</b>. {decision(wrong)}" in page and decision(wrong).startswith("Refused")
    assert page.count('<td class="n">down</td>') == 3


def test_sub_graphs_are_probed_where_they_run(bench_run: AcceptanceRun) -> None:
    outcome, _, (one,) = certified(bench_run, "export.accelerator_executor:load_int8")
    assert (outcome, one.activation, one.is_deciding) == (Outcome.PASSED, "int8", True)
    assert one.provider.startswith("ONNX Runtime")


def test_an_executor_without_onnx_files_has_no_certificate(bench_run: AcceptanceRun) -> None:
    outcome, detail, found = certified(bench_run, "no_such_executor")
    assert (outcome, found) == (Outcome.SKIPPED, [])
    assert detail.startswith("no_such_executor: no certificate, it runs no ONNX file: executor 'no_such_executor'")


def test_a_refusal_of_the_master_cells_executor_leaves_the_self_test_to_decide() -> None:
    one = Certificate("openvino", "OpenVINO", "uint8", False, "not exact: none of the known", False)
    assert "the self-test decides" in decision(one) and "master cell" in decision(one)


def test_executors_are_named_once() -> None:
    board = load_board(Path(__file__).parents[3] / "hil_tests/boards/local.toml")
    forms = [FormChoice("network none"), FormChoice("network none", "htp"), FormChoice("network best", "htp")]
    assert executors_of(replace(board, forms=forms)) == ["onnxruntime", "htp"]


@pytest.mark.parametrize("key", ["executor", "package"])
def test_a_form_without_a_network_takes_neither_executor_nor_package(key: str, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(f'name = "desk"\ntransport = "local"\n[[forms]]\nname = "rls fast"\n{key} = "flight"\n')
    with pytest.raises(BadArgument, match=rf"key forms\[0\].{key}: form rls fast has no network"):
        load_board(path)


def test_an_executor_is_known_by_its_place_and_its_name() -> None:
    assert parted("onnxruntime:CUDA,device_id=0") == (BUILT_IN["onnxruntime"], "CUDA,device_id=0")
    assert parted("module:function:CUDA,device_id=0") == ("module:function", "CUDA,device_id=0")
    assert parted("export.accelerator_executor:load_int8") == ("export.accelerator_executor:load_int8", "")
