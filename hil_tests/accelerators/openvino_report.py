"""OpenVINO on this CPU, by itself and as ONNX Runtime's provider: exactness on the recorded lines, and speed."""

from collections.abc import Callable
from typing import Any

from hil_tests.accelerators.own_trial import equal_row, own_trial
from hil_tests.accelerators.written_report import Report, Row, equality
from hil_tests.executors.own_process import ON_OPENVINO, OPENVINO, OPENVINO_PROVIDER
from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.place import Here, Place
from runtime.cell.flight_package import IntegerPackage

TILES = (1, 2, 4, 8)
SUBGRAPHS = "export.accelerator_executor:load_{}:" + ON_OPENVINO
NOTES = (
    "Steps of the line part alone, one thread, processor time of the process, the best of five rounds over a line of",
    "EnMAP (224 bands of 1000 columns) in tiles of groups of bands; random features, the state of the first line. ONNX",
    "Runtime's CPU is there for scale. Sub-graphs: the dense part in OpenVINO, the rest in Numba.",
)


def trials() -> list[tuple[str, Place, str]]:
    """Form, place and executor of each row. Raises SetupFailed where an environment is not there."""
    alone, provider = OwnEnvironment("openvino"), OwnEnvironment("onnxruntime-openvino")
    return [
        ("master cell", Here(), "onnxruntime"),
        ("master cell", alone, OPENVINO),
        ("master cell", provider, OPENVINO_PROVIDER),
        ("sub-graphs, int8", provider, SUBGRAPHS.format("int8")),
        ("sub-graphs, uint8", provider, SUBGRAPHS.format("uint8")),
    ]


def speed_rows(form: str, found: dict[str, Any]) -> list[Row]:
    """Msamples/s of each tile."""
    return [
        {"form": form, "executor": found["provider"], "groups of a tile": int(tile), "Msamples/s": speed}
        for tile, speed in found["msamples_per_s"].items()
    ]


def openvino_report(package: IntegerPackage, log: Callable[[str], None]) -> Report:
    """The whole report."""
    equal: list[Row] = []
    speeds: list[Row] = []
    for form, place, executor in trials():
        log(f"{form}, {place.name}, {executor}")
        found = own_trial(place, package, executor, TILES)
        equal.append({"form": form, **equal_row(found)})
        speeds += speed_rows(form, found)
    return Report(
        title="OpenVINO on the CPU",
        label="measured on this CPU",
        tool=f"{OwnEnvironment('openvino').version('openvino')}; "
        f"{OwnEnvironment('onnxruntime-openvino').version('onnxruntime-openvino')}",
        answer=answer(equal, speeds),
        notes=list(NOTES),
        tables={"Recorded lines": equal, "Speed": speeds},
    )


def answer(equal: list[Row], speeds: list[Row]) -> str:
    """The sentence of both tables; the first executor is ONNX Runtime's CPU."""
    best = max(speeds, key=lambda row: row["Msamples/s"])
    alone = max(row["Msamples/s"] for row in speeds if row["executor"] == speeds[0]["executor"])
    return (
        f"In OpenVINO {equality(equal)}; the fastest form, {best['form']}, runs the line part at "
        f"{best['Msamples/s']:.3g} Msamples/s on this CPU, ONNX Runtime's CPU at {alone:.3g}."
    )
