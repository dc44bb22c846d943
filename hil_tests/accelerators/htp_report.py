"""Qualcomm's HTP by its simulator: whether the sub-graphs give the package's bits, operator by operator."""

from collections.abc import Callable

from hil_tests.accelerators.own_trial import equal_row, own_json, own_trial
from hil_tests.accelerators.written_report import Report, Row, equality
from hil_tests.executors.own_process import HTP, ON_HTP
from hil_tests.places.own_environment import OwnEnvironment
from runtime.cell.flight_package import IntegerPackage

NOTES = (
    "The simulator of the HTP for x86 ran the uint8 sub-graphs; nothing ran on a Snapdragon. It says nothing of speed.",
    "CPU fallback is refused: every operator of every sub-graph was given to the HTP.",
    "",
    "Operator by operator: the outputs of all quantisers inside a sub-graph against those of ONNX Runtime's CPU,",
    "on what the recorded lines bring to it and on one tile of random integers of the whole range.",
)


def htp_report(package: IntegerPackage, log: Callable[[str], None]) -> Report:
    """The whole report. Raises SetupFailed where the environment `qnn` is not there."""
    place = OwnEnvironment("qnn")
    log("HTP simulator on the recorded lines")
    trial = own_trial(place, package, HTP)
    log("operator by operator")
    rows = own_json(place, "hil_tests.accelerators.operators", package.source.resolve(), "--provider", ON_HTP)
    equal = [equal_row(trial)]
    return Report(
        title="Qualcomm HTP in its simulator",
        label="simulated, functional only",
        tool=f"{trial['provider']}; {place.version('onnxruntime-qnn')}",
        answer=answer(equal, rows),
        notes=list(NOTES),
        tables={
            "Recorded lines through the whole cell": equal,
            "Outputs that differ from those of the CPU": rows,
        },
    )


def answer(equal: list[Row], operators: list[Row]) -> str:
    """The sentence of both tables."""
    n_away, n_outputs = (sum(row[name] for row in operators) for name in ("that differ", "outputs"))
    return (
        f"In the simulator of the HTP {equality(equal)}; operator by operator {n_away:,} of {n_outputs:,} outputs "
        "differ from the CPU's."
    )
