"""A run on the target of `--board FILE`, step by step; the report is written even where steps fail."""

from collections.abc import Iterator

import pytest

from hil_tests.acceptance.acceptance_run import AcceptanceRun
from hil_tests.board.board import load_board
from hil_tests.findings.findings import Findings, Outcome
from hil_tests.findings.limits import limits_in
from hil_tests.places.prepared_folder import locked


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    option = metafunc.config.getoption
    board = load_board(option("--board"))
    if "step" in metafunc.fixturenames:
        metafunc.parametrize("step", board.step_names)
    if "limit" in metafunc.fixturenames:
        metafunc.parametrize("limit", limits_in(board.limits, is_short=option("--short")))


@pytest.fixture(scope="module")
def acceptance(request: pytest.FixtureRequest) -> Iterator[AcceptanceRun]:
    option = request.config.getoption
    board = load_board(option("--board"))
    with (
        AcceptanceRun(board, scene=option("--scene"), output=option("--output"), is_short=option("--short")) as run,
        locked(run.beside),
    ):
        yield run


@pytest.fixture(scope="module")
def findings(acceptance: AcceptanceRun) -> Findings:
    found = acceptance.finish()
    acceptance.write_page(found, ())
    return found


def test_step(acceptance: AcceptanceRun, step: str) -> None:
    done = acceptance.perform(step)
    if done.outcome is Outcome.SKIPPED:
        pytest.skip(done.detail)
    assert done.outcome is Outcome.PASSED, done.detail


def test_limit(findings: Findings, limit: str) -> None:
    found = next(one for one in findings.limits if one.name == limit)
    assert found.outcome is Outcome.PASSED, f"{found.found} {found.unit}, allowed {found.allowed}"


def test_report_says_what_was_run(acceptance: AcceptanceRun, findings: Findings) -> None:
    assert [step.name for step in findings.steps] == list(acceptance.steps)
    assert findings.package_sha256 == acceptance.package.sha256.hex()
