"""The energy of a run: meters of the board file around the encoding of the scene, form by form (docs/energy.md)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hil_tests.acceptance.bench import SCENE, Bench
from hil_tests.acceptance.coding_steps import FROM_TARGET
from hil_tests.acceptance.outcome import StepResult
from hil_tests.acceptance.waiting import waiting
from hil_tests.board.board import Board, FormChoice
from hil_tests.energy.energy_run import EnergyPlan, Metered, measure_energy
from hil_tests.energy.operations import LABEL, estimate
from hil_tests.findings.findings import FormCost, Outcome
from hil_tests.findings.line_times import line_times
from hil_tests.meters.meter import Meter
from runtime.cell.flight_package import IntegerPackage
from runtime.codec.coding_options import coding_options
from runtime.stream.kinds import PredictorKind

NETWORK = "network"


@dataclass(frozen=True)
class Form:
    """A way to code, as the target's jobs take it."""

    name: str
    executor: str
    """What runs the network; empty where there is none."""
    package: str
    """Of the network, by its name in the board file."""
    words: dict[str, str]
    """Of `CodingOptions`; empty: those of the board file."""


def forms_of(board: Board) -> list[Form]:
    """The forms of the board file, or the one that every step of it codes by."""
    if not board.forms:
        return [Form(f"{NETWORK} {board.stage}".rstrip(), board.executor_words, board.package, {})]
    return [form_of(choice, board) for choice in board.forms]


def form_of(choice: FormChoice, board: Board) -> Form:
    """`network best` and so on, `rls fast`, `rls best`, `ccsds123`; a package of its own stands behind a comma."""
    predictor, _, stage = choice.name.partition(" ")
    words = {"predictor": "linerwkv" if predictor == NETWORK else predictor, **({"stage": stage} if stage else {})}
    executor = (choice.executor or board.executor_words) if choice.has_network else ""
    name = f"{choice.name}, {choice.package}" if choice.package else choice.name
    return Form(name, executor, choice.package or board.package, words)


def energy(bench: Bench, meters: list[Meter], plan: EnergyPlan) -> StepResult:
    """For each form: coded once, then warm-up, a run without meters, idle spans and windows of work with them.

    Forms are coded without a meter too; their joules are then not measured.
    """
    none = "energy: not measured, the board file names no meter"
    if not meters and not bench.board.forms:
        return StepResult.skipped("no meter in the board file", {"notes": [none]})
    found: dict[str, Any] = {
        "forms": [], "energy": [], "phases": [], "estimates": [], "notes": [] if meters else [none]
    }  # fmt: skip
    failures: list[str] = []
    forms = forms_of(bench.board)
    for form in forms:
        one, metered = form_cost(bench, form, meters, plan)
        found["forms"].append(asdict(one))
        found["estimates"] += estimated(bench, form)
        prefix = f"{one.form} {one.executor}: ".replace(" :", ":") if bench.board.forms else ""
        found["energy"] += [asdict(replace(each, form=prefix.removesuffix(": "))) for each in metered.energies]
        found["phases"] += [asdict(replace(phase, name=prefix + phase.name)) for phase in metered.phases]
        failures += [prefix + line for line in metered.not_measured]
    if bench.network != (bench.board.executor_words, bench.board.package):
        bench.end_session()
    found["notes"] += failures
    if failures:
        return StepResult(Outcome.NOT_MEASURED, failures[0], found)
    if not meters:
        return StepResult.skipped(f"no meter in the board file; {len(forms)} forms coded without", found)
    figures = [
        f"{one['form'] or one['meter']} {one['rail']}: {one['joules_per_msample']:.3g} +- {one['uncertainty']:.2g} "
        "J/Msample"
        for one in found["energy"]
    ]
    return StepResult.passed("; ".join(figures), found)


def estimated(bench: Bench, form: Form) -> list[dict[str, Any]]:
    """What its operations would cost by published energies; nothing for a form whose operations are not counted."""
    package, image = bench.packages[form.package], bench.scene.image
    coding = coding_options(bench.coding(form.words)["coding"]).coding(package, image)
    if coding.predictor is PredictorKind.CCSDS123 or not isinstance(package, IntegerPackage):
        return []
    shape = package.cell.shape if coding.predictor is PredictorKind.LINERWKV else None
    return [{"label": LABEL, "form": form.name, **estimate(shape, coding.stage, image.n_bands, image.n_columns)}]


def form_cost(bench: Bench, form: Form, meters: Sequence[Meter], plan: EnergyPlan) -> tuple[FormCost, Metered]:
    """What a form costs on the target. Raises TargetFailed."""
    msamples = bench.scene.n_samples / 1e6
    bench.use_network(form.executor, form.package)
    session, coding = bench.ready(), bench.coding(form.words)
    with waiting(f"energy, {form.name}") as say:
        say("compile there, minutes where the kernels are new")
        session.do("warm_up", seconds=bench.board.start_seconds, **coding)
        encode: Callable[[], Any] = lambda: session.do(  # noqa: E731
            "encode", seconds=bench.board.line_seconds, source=SCENE, output=FROM_TARGET, **coding
        )
        say("encode once")
        result = encode().result
        say("its parts")
        parts = session.do("parts", seconds=bench.board.start_seconds, source=SCENE, **coding).result["cpu_seconds"]
        metered = Metered()
        if meters:
            metered = measure_energy(
                meters, encode, msamples, label=bench.target.label, run_began=bench.began, plan=plan,
                log=say,
            )  # fmt: skip
    times = line_times(result["lines_ms"])
    cost = FormCost(
        form=form.name,
        executor=form.executor,
        label=bench.target.label,
        bits_per_sample=8 * result["bytes"] / bench.scene.n_samples,
        msamples_per_s=metered.msamples_per_s or msamples / result["seconds"],
        cpu_seconds_per_msample=result["cpu_seconds"] / msamples,
        line_ms_median=times.median,
        line_ms_largest=times.largest,
        parts={name: seconds / msamples for name, seconds in parts.items()},
    )
    first = [one for one in metered.energies if one.meter == meters[0].name] if meters else []
    if not first:
        return cost, metered
    (one, *_) = first
    return (
        replace(
            cost, meter=f"{one.meter} {one.rail}", joules_label=one.label, joules_per_msample=one.joules_per_msample,
            uncertainty=one.uncertainty, joules_per_msample_above_idle=one.joules_per_msample_above_idle,
            uncertainty_above_idle=one.uncertainty_above_idle, is_adequate=one.is_adequate,
        ),
        metered,
    )  # fmt: skip
