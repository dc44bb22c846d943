"""The energy of a run: meters of the board file around the encoding of the scene (docs/energy.md)."""

import importlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from hil_tests.acceptance.bench import SCENE, Bench
from hil_tests.acceptance.coding_steps import THERE
from hil_tests.acceptance.outcome import StepResult
from hil_tests.board import Board
from hil_tests.report.findings import Outcome
from hil_tests.targets.target import Target
from runtime.errors import BadArgument

NO_METER = "energy: not measured, the board file names no meter"


@dataclass(frozen=True)
class EnergyTools:
    """Meters, and how they are used."""

    meters: list[Any]
    plan: Any
    measure: Callable[..., Any]


def energy_tools(board: Board, target: Target) -> EnergyTools | None:
    """What the board file asks for; None without meters. Raises BadArgument."""
    if not board.meters:
        return None
    try:  # by name: a meter may need libraries that a run without meters does not
        run = importlib.import_module("hil_tests.energy.energy_run")
        making = importlib.import_module("hil_tests.meters.making")
    except ModuleNotFoundError as error:
        raise BadArgument(f"board file {board.path}: meters need {error.name}, which is not installed") from None
    return EnergyTools(making.make_meters(board.meters, target), run.make_plan(board.energy), run.measure_energy)


def energy(bench: Bench, tools: EnergyTools | None) -> StepResult:
    """Warm-up, a performance run without meters, then idle spans and windows of work with them."""
    if tools is None:
        return StepResult.skipped("no meter in the board file", {"notes": [NO_METER]})
    session = bench.ready()

    def workload() -> None:
        session.do("encode", seconds=bench.board.line_seconds, source=SCENE, output=THERE, **bench.coding())

    metered = tools.measure(
        tools.meters, workload, bench.scene.n_samples / 1e6, label=bench.target.label, run_began=bench.began,
        plan=tools.plan,
    )  # fmt: skip
    found = {
        "energy": [asdict(one) for one in metered.energies],
        "phases": [asdict(one) for one in metered.phases],
        "notes": list(metered.not_measured),
    }
    if metered.not_measured:
        return StepResult(Outcome.NOT_MEASURED, metered.not_measured[0], found)
    told = [
        f"{e.meter} {e.rail}: {e.joules_per_msample:.3g} +- {e.uncertainty:.2g} J/Msample" for e in metered.energies
    ]
    return StepResult.passed("; ".join(told), found)
