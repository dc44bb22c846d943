"""Faults that a board file asks for, injected one by one into a target that works (hil_tests/faults)."""

import importlib
from typing import Any

from hil_tests.acceptance.bench import Bench, State
from hil_tests.acceptance.outcome import StepResult
from hil_tests.board.board import Board
from hil_tests.findings.findings import Step
from runtime.errors import BadArgument


def fault_catalogue(board: Board) -> Any:
    """The module of the faults that the board file names; None where it names none. Raises BadArgument."""
    if not board.faults:
        return None
    try:
        catalogue = importlib.import_module("hil_tests.faults.catalogue")
    except ModuleNotFoundError as error:
        raise BadArgument(f"board file {board.path}: faults need {error.name}, which is not there") from None
    for name in board.faults:
        if name not in catalogue.FAULTS:
            allowed = ", ".join(catalogue.FAULTS)
            raise BadArgument(f"board file {board.path}: fault {name!r} is not known, allowed {allowed}")
    return catalogue


def fault(bench: Bench, catalogue: Any, name: str) -> StepResult:
    """One fault; afterwards nothing is known of the target."""
    bench.end_session()
    bench.reach(State.DEPLOYED)
    try:
        step: Step = catalogue.try_fault(name, bench.target, bench.began)
    finally:
        bench.lose()
    return StepResult(step.outcome, step.detail)
