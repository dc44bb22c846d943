"""Qualcomm's HTP by its simulator: whether the sub-graphs give the package's bits, operator by operator."""

from collections.abc import Callable

from hil_tests.accelerators.own_trial import equal_row, own_json, own_trial
from hil_tests.accelerators.written_report import Report
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
    return Report(
        title="Qualcomm HTP in its simulator",
        label="simulated, functional only",
        tool=f"{trial['provider']}; {place.version('onnxruntime-qnn')}",
        notes=list(NOTES),
        tables={
            "Recorded lines through the whole cell": [equal_row(trial)],
            "Outputs that differ from those of the CPU": rows,
        },
    )
