"""Faults that a board file asks for, injected one by one into a target that works."""

import importlib
from collections.abc import Callable, Mapping

from hil_tests.acceptance.bench import Bench
from hil_tests.acceptance.outcome import StepResult
from hil_tests.board import Board
from runtime.errors import BadArgument

Fault = Callable[[Bench], str]
"""Injects it and checks what must hold; one line on what was seen. Raises LineRwkvError where it does not hold."""


def known_faults(board: Board) -> Mapping[str, Fault]:
    """Those that the board file names. Raises BadArgument."""
    if not board.faults:
        return {}
    try:
        known: Mapping[str, Fault] = importlib.import_module("hil_tests.faults.catalogue").FAULTS
    except ModuleNotFoundError as error:
        raise BadArgument(f"board file {board.path}: faults need {error.name}, which is not there") from None
    for name in board.faults:
        if name not in known:
            raise BadArgument(f"board file {board.path}: fault {name!r} is not known, allowed {', '.join(known)}")
    return {name: known[name] for name in board.faults}


def inject(bench: Bench, fault: Fault) -> StepResult:
    """One fault; afterwards nothing is known of the target."""
    bench.ready()
    try:
        return StepResult.passed(fault(bench))
    finally:
        bench.lose()
