"""Certificates of the probe as a report: executors of this environment and of those that are set up."""

from collections.abc import Callable
from functools import partial

from hil_tests.accelerators.probe import probed, verdict
from hil_tests.accelerators.written_report import Report, Row
from runtime.cell.flight_package import IntegerPackage
from runtime.executors.executor_registry import load_executor
from runtime.executors.subgraph_cell import ZERO_POINTS

EXECUTORS = {"ONNX Runtime's CPU": "onnxruntime", "the HTP simulator": "htp"}
NOTES = (
    "Each operator of the dense sub-graphs alone, on vectors that tell rules apart (docs/accelerators.md, The probe);",
    "the package has no part in it. On x86 without VNNI the CPU saturates by pairs; others do not.",
)


def probe_report(package: IntegerPackage, log: Callable[[str], None]) -> Report:
    """The whole report. Raises BadArgument where the environment `qnn` is not there."""
    operators: list[Row] = []
    verdicts: list[Row] = []
    for name, executor in EXECUTORS.items():
        for activation in ZERO_POINTS:
            log(f"{name}, {activation}")
            provider, findings = probed(partial(load_executor, executor), activation)
            who = {"executor": provider, "activations": activation}
            verdicts.append({**who, "verdict": verdict(findings)[1]})
            operators += [
                {**who, "operator": one.operator, "outputs": one.n_outputs, "finding": one.text} for one in findings
            ]
    return Report(
        title="Rules of executors, found by the probe",
        label="measured on this CPU; HTP: simulated, functional only",
        tool="linerwkv hil probe",
        answer=answer(verdicts),
        notes=list(NOTES),
        tables={"Verdicts": verdicts, "Operators": operators},
    )


def answer(verdicts: list[Row]) -> str:
    """The sentence of the verdicts."""
    names = [f"{name} with {activation}" for name in EXECUTORS for activation in ZERO_POINTS]
    said = "; ".join(f"{name}: {row['verdict']}" for name, row in zip(names, verdicts, strict=True))
    return f"{said}."
