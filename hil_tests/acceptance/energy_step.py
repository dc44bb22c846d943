"""The energy of a run: meters of the board file around the encoding of the scene (docs/energy.md)."""

from dataclasses import asdict

from hil_tests.acceptance.bench import SCENE, Bench
from hil_tests.acceptance.coding_steps import FROM_TARGET
from hil_tests.acceptance.outcome import StepResult
from hil_tests.energy.energy_run import EnergyPlan, measure_energy
from hil_tests.findings.findings import Outcome
from hil_tests.meters.meter import Meter
from runtime.codec.compression import progress


def energy(bench: Bench, meters: list[Meter], plan: EnergyPlan) -> StepResult:
    """Warm-up, a performance run without meters, then idle spans and windows of work with them."""
    if not meters:
        note = "energy: not measured, the board file names no meter"
        return StepResult.skipped("no meter in the board file", {"notes": [note]})
    session = bench.ready()

    def workload() -> None:
        session.do("encode", seconds=bench.board.line_seconds, source=SCENE, output=FROM_TARGET, **bench.coding())

    with progress(0, "energy") as bar:
        metered = measure_energy(
            meters, workload, bench.scene.n_samples / 1e6, label=bench.target.label, run_began=bench.began, plan=plan,
            log=bar.set_description,
        )  # fmt: skip
    found = {
        "energy": [asdict(one) for one in metered.energies],
        "phases": [asdict(one) for one in metered.phases],
        "notes": list(metered.not_measured),
    }
    if metered.not_measured:
        return StepResult(Outcome.NOT_MEASURED, metered.not_measured[0], found)
    figures = [
        f"{one.meter} {one.rail}: {one.joules_per_msample:.3g} +- {one.uncertainty:.2g} J/Msample"
        for one in metered.energies
    ]
    return StepResult.passed("; ".join(figures), found)
