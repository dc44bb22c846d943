"""What a run would do, from the board file alone: each step, what it needs and would measure. Nothing is touched."""

from dataclasses import dataclass
from pathlib import Path

from hil_tests.acceptance.energy_step import forms_of
from hil_tests.acceptance.fault_step import fault_catalogue
from hil_tests.acceptance.probe_step import executors_of
from hil_tests.acceptance.run_scene import SYNTHETIC, scene_file
from hil_tests.board.board import Board, board_file
from hil_tests.energy.energy_run import EnergyPlan, make_plan
from hil_tests.findings.limits import LIMITS, limits_in
from hil_tests.meters.meter import Meter
from hil_tests.meters.meter_factory import make_meters
from hil_tests.meters.this_machine import ThisMachine
from hil_tests.targets.target import Target
from hil_tests.targets.target_factory import make_target
from runtime.errors import BadArgument, LineRwkvError


@dataclass(frozen=True)
class PlannedStep:
    """One step of a run; texts of one line."""

    name: str
    needs: list[str]
    measures: list[str]
    """Empty: it measures nothing, or is left out, which `needs` says."""


def planned_steps(board: Board, beside: Path, *, is_short: bool) -> list[PlannedStep]:
    """The steps of a run in order, and the limits at its end.

    Everything of the board file is checked as a run does it. beside: as `make_target`. Raises BadArgument.
    """
    where = board_file(board.path)
    target, missing = planned_target(board, beside)
    meters = make_meters(board.meters, target, where)
    plan = make_plan(board.energy, where)
    fault_catalogue(board)
    there = [f"{board.transport} target {address(board)}".rstrip(), *missing, *power_needs(board)]
    lines = board.scene.short_lines if is_short else board.scene.lines
    coding = [f"{lines or 'all'} lines of scene {scene_words(board)}", f"a sign of life each {board.line_seconds:g} s"]
    figures = ["Msamples/s and CPU seconds", "time of each line", "clock and temperature"]
    steps = {
        "bring-up": PlannedStep("bring-up", there, power_read(board)),
        "deploy": PlannedStep("deploy", deploy_needs(board), ["processor, system, Python and libraries there"]),
        "self-test": PlannedStep("self-test", ["the package's recorded lines"], ["whether all integers are equal"]),
        "probe": PlannedStep(
            "probe", [f"executors that run ONNX files: {', '.join(executors_of(board))}"],
            ["rounding, saturation and sums of each, and whether sub-graphs can be exact"],
        ),
        "encode": PlannedStep("encode", coding, [*figures, "bits per sample", "peak memory", "equal bit for bit"]),
        "decode": PlannedStep("decode", coding, [*figures, "equal bit for bit"]),
        "soak": soak_step(board, is_short=is_short),
        "energy": energy_step(board, meters, plan, is_short=is_short),
        **{f"fault {name}": PlannedStep(f"fault {name}", ["the fault may be made there"], ["whether all that was "
           "promised is there after it"]) for name in board.faults},
    }  # fmt: skip
    limits = [
        f"{name} {'<=' if LIMITS[name].is_ceiling else '>='} {board.limits[name]:g} {LIMITS[name].unit}"
        for name in limits_in(board.limits, is_short=is_short)
    ]
    return [*(steps[name] for name in board.step_names), PlannedStep("limits", [], limits)]


def planned_target(board: Board, beside: Path) -> tuple[Target, list[str]]:
    """The target of the board file, and what is missing here to make it; this machine then stands in for its meters.

    Raises BadArgument.
    """
    try:
        return make_target(board, beside), []
    except BadArgument:
        raise
    except LineRwkvError as error:
        return ThisMachine(beside), [str(error)]


def address(board: Board) -> str:
    """Where the target is, as far as the table of its transport says it in a word."""
    return str(board.options.get("host") or board.options.get("environment") or "")


def power_needs(board: Board) -> list[str]:
    """What must be possible there so that the power mode can be set."""
    mode = board.power
    wanted = [
        *([f"nvpmodel {mode.nvpmodel}"] if mode.nvpmodel else []),
        *([f"governor {mode.governor}"] if mode.governor else []),
        *(["jetson_clocks"] if mode.jetson_clocks else []),
    ]
    return [f"root there{' by sudo -n' if mode.sudo else ''} to set {', '.join(wanted)}"] if wanted else []


def power_read(board: Board) -> list[str]:
    """What of the power mode is read back."""
    mode = board.power
    named = {"nvpmodel": mode.nvpmodel, "governor": mode.governor, "jetson_clocks": mode.jetson_clocks}
    return [f"{name}, read back" for name, is_wanted in named.items() if is_wanted]


def deploy_needs(board: Board) -> list[str]:
    """Of Python, libraries, package, executor and processors."""
    python = board.python or ("this interpreter" if board.transport == "local" else "python3")
    return [
        f"{python}, 3.11 to 3.13 with the libraries of the base install, there or from a package index here",
        f"package {board.package}, stage {board.stage or 'the best that it allows'}, executor {board.executor_words}",
        f"at most {board.start_seconds:g} s each for import, self-test and compilation",
        *([f"processors {', '.join(map(str, board.processors))} to pin to"] if board.processors else []),
    ]


def scene_words(board: Board) -> str:
    """The scene that a run would take here."""
    name = board.scene.name
    is_here = name == SYNTHETIC or scene_file(board.scene, board.path.parent) is not None
    return name if is_here else f"{name}, which is not on this machine: a synthetic one stands in"


def soak_step(board: Board, *, is_short: bool) -> PlannedStep:
    """Left out in a short run and where the board file has none."""
    if is_short or board.soak_minutes == 0:
        return PlannedStep("soak", [f"left out: {'a short run' if is_short else 'no soak in the board file'}"], [])
    return PlannedStep(
        "soak", [f"{board.soak_minutes:g} minutes"], ["equal streams", "Msamples/s, clock and temperature over time"]
    )  # fmt: skip


def energy_step(board: Board, meters: list[Meter], plan: EnergyPlan, *, is_short: bool) -> PlannedStep:
    """Left out in a short run and where the board file names neither a meter nor forms."""
    forms = [" ".join(filter(None, (form.name, form.executor))) for form in forms_of(board)]
    if is_short or not (meters or board.forms):
        why = "a short run" if is_short else "the board file names no meter"
        return PlannedStep("energy", [f"left out: {why}; joules are not measured"], [])
    figures = ["bits per sample, Msamples/s, time of a line and of its parts of each form"] if board.forms else []
    if not meters:
        return PlannedStep("energy", [f"no meter: {', '.join(forms)} are coded, joules are not measured"], figures)
    seconds = plan.warm_up_s + plan.idle_s + 4 * plan.settle_s + (1 + plan.min_windows) * plan.window_s
    rails = [f"{one.name}: {', '.join(one.rails) or 'all its rails, which only the target knows'}" for one in meters]
    return PlannedStep(
        "energy", [*(f"meter {rail}" for rail in rails), f"{seconds:g} s or more for each of {', '.join(forms)}"],
        [*figures, "J/Msample idle included and above idle, with its 95 % interval, of each rail"],
    )  # fmt: skip
