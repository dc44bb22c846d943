"""Reports of accelerators: pure parts always, the tools themselves where their environments are set up (slow)."""

import json
import platform
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from export.accelerator_graphs import SubGraph
from export.integer_package import integer_package_parts
from export.package_files import write_package
from export.tosa_graph import tosa_plan
from hil_tests.accelerators.command import accelerator
from hil_tests.accelerators.operators import away_by_operator, difference_rows, opened_model, recorded_feeds
from hil_tests.accelerators.vela import CONFIGURATIONS
from hil_tests.accelerators.vela_report import estimates
from hil_tests.accelerators.written_report import Report, write_report
from hil_tests.executors.own_process import ON_HTP, ON_OPENVINO, TOSA, own_process
from hil_tests.places import own_environment
from hil_tests.places.own_environment import OwnEnvironment
from hil_tests.places.tool import SetupFailed
from runtime.cell.flight_package import SHIPPED, IntegerPackage, open_integer_package
from runtime.cell.integer_cell import CellShape
from runtime.errors import BadArgument, Corrupt
from runtime.executors.array_executor import Arrays
from runtime.executors.provider import ON_CPU
from runtime.executors.self_test import check_executor
from tests.reference.random_cell import random_cell

MASTER = "runtime.executors.onnxruntime_arrays:onnxruntime_arrays"


def needs(name: str) -> OwnEnvironment:
    try:
        return OwnEnvironment(name)
    except SetupFailed as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def shipped() -> IntegerPackage:
    return open_integer_package(SHIPPED)


def adds_pairs_in_32_bits() -> bool:
    """Whether this processor adds two products of uint8 and int8 without saturation (runtime/cell/tie_free.py)."""
    return platform.machine() != "x86_64" or "vnni" in Path("/proc/cpuinfo").read_text()


@pytest.mark.skipif(adds_pairs_in_32_bits(), reason="of x86 without VNNI")
def test_a_cpu_that_saturates_pairs_is_refused_as_the_reference(shipped: IntegerPackage) -> None:
    with pytest.raises(Corrupt, match="the sub-graphs on the CPU are not the package's"):
        recorded_feeds(shipped)


@pytest.mark.skipif(not adds_pairs_in_32_bits(), reason="x86 without VNNI saturates, which the test above has")
def test_on_the_cpu_no_operator_differs_from_itself(shipped: IntegerPackage) -> None:
    rows = difference_rows(shipped.cell, recorded_feeds(shipped), "recorded lines", ON_CPU)
    assert {row["operator"] for row in rows} >= {"Conv 1 x 1", "Conv 1 x 3", "Relu"}
    assert all(row["outputs"] > 1000 and row["that differ"] == row["by at most"] == 0 for row in rows)


def test_what_differs_is_put_down_to_its_operator(shipped: IntegerPackage) -> None:
    _, behind = opened_model(shipped.cell, "mix_0", 1, 3)
    zeros = {name: np.zeros((2, 1, 3), np.uint8) for name in behind}
    relu = next(name for name, kind in behind.items() if kind == "Relu")

    def theirs(_: Arrays) -> Arrays:
        return zeros | {relu: np.array([255, 0, 1, 0, 0, 0], np.uint8).reshape(2, 1, 3)}

    found = away_by_operator(behind, [{}, {}], theirs, lambda _: zeros)
    assert {kind: int((away > 0).sum()) for kind, away in found.items()} == {"Conv 1 x 1": 0, "Relu": 4, "output": 0}
    assert found["Relu"].max() == 255


def test_a_report_says_what_it_is_in_both_files(shipped: IntegerPackage, tmp_path: Path) -> None:
    tables = {"Figures": [{"sub-graph": "mix_0", "cycles": 12, "share": 0.25}]}
    report = Report("A tool", "estimated by Vela", "tool 1.0", "It is so.", ["A note."], tables)
    write_report(report, shipped, "a command", tmp_path / "found.json")
    record = json.loads((tmp_path / "found.json").read_text())
    assert record["label"] == "estimated by Vela"
    assert record["tables"] == tables
    text = (tmp_path / "found.md").read_text()
    for line in ("# A tool", "It is so.", "- label: estimated by Vela", "- tool: tool 1.0", "A note.", "## Figures"):
        assert line in text.splitlines()
    assert "| mix_0 | 12 | 0.25 |" in text
    assert {"commit", "processor", "onnxruntime", "package"} <= set(record)


@pytest.mark.parametrize("name", ["openvino", "vela", "htp"])
def test_an_environment_that_is_not_set_up_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_environment, "EXECUTORS", tmp_path)
    result = CliRunner().invoke(accelerator, [name, "-o", str(tmp_path / "report.json")])
    assert isinstance(result.exception, SetupFailed)
    assert "is not set up: run python -m hil_tests.places.executor_setup" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_tosa_reference_model_computes_any_weights_exactly(tmp_path: Path) -> None:
    needs("vela")
    for seed, shape in enumerate((CellShape(4, 24, 2, 1, 8, 1), CellShape(1, 5, 3, 2, 4, 0))):
        folder = tmp_path / str(seed)
        write_package(integer_package_parts(random_cell(shape, seed), "test", {}, {}), folder)
        with own_process("vela", TOSA, folder) as executor:
            check_executor(open_integer_package(folder), executor)


@pytest.mark.slow
def test_vela_takes_every_sub_graph(shipped: IntegerPackage) -> None:
    place = needs("vela")
    n_groups = 2
    for configuration, parts in estimates(place, shipped, n_groups, print).items():
        for name, part in parts.items():
            macs = tosa_plan(shipped.cell, name, n_groups=n_groups, n_columns=1000).macs
            assert part.macs >= macs  # copies count, too
            assert part.cycles >= part.npu_cycles >= macs / configuration.macs_per_cycle
    assert {configuration.accelerator[:10] for configuration in CONFIGURATIONS} == {
        "ethos-u55-", "ethos-u65-", "ethos-u85-"
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "executor"),
    [
        ("qnn", f"export.accelerator_executor:load_uint8:{ON_HTP}"),
        ("onnxruntime-openvino", f"export.accelerator_executor:load_uint8:{ON_OPENVINO}"),
        ("onnxruntime-openvino", f"export.accelerator_executor:load_int8:{ON_OPENVINO}"),
        ("onnxruntime-openvino", f"{MASTER}:{ON_OPENVINO}"),
    ],
)
def test_a_provider_passes_the_self_test(environment: str, executor: str, shipped: IntegerPackage) -> None:
    needs(environment)
    with own_process(environment, executor, shipped.source) as process:
        check_executor(shipped, process)


@pytest.mark.slow
def test_operators_that_the_htp_leaves_to_the_cpu_are_named(shipped: IntegerPackage) -> None:
    needs("qnn")
    with pytest.raises(BadArgument, match=r"QNN,backend_type=htp leaves \d+ of \d+ operators to the CPU: .*\d+ Floor"):
        own_process("qnn", f"{MASTER}:{ON_HTP}", shipped.source)


@pytest.mark.slow
def test_one_operator_that_the_htp_leaves_is_refused(shipped: IntegerPackage, tmp_path: Path) -> None:
    needs("qnn")
    model = SubGraph(shipped.cell, "uint8", 2, 8).built("context")
    file = tmp_path / "context.onnx"
    onnx.save(model, str(file))
    with own_process("qnn", f"{MASTER}:{ON_HTP}", file) as process:
        assert set(process.run({"spatial": np.full((1, shipped.cell.shape.features, 2, 8), 128, np.uint8)})) == {
            "contexts"
        }
    model.graph.node.append(onnx.helper.make_node("NonZero", ["contexts"], ["places"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("places", onnx.TensorProto.INT64, [4, "n"]))
    onnx.save(model, str(file))
    with pytest.raises(BadArgument, match=r"leaves 1 of \d+ operators to the CPU: 1 NonZero"):
        own_process("qnn", f"{MASTER}:{ON_HTP}", file)


@pytest.mark.slow
def test_a_device_that_is_not_here_is_refused(shipped: IntegerPackage) -> None:
    needs("onnxruntime-openvino")
    with pytest.raises(BadArgument, match="asked for OpenVINOExecutionProvider and fell back to CPUExecutionProvider"):
        own_process("onnxruntime-openvino", f"{MASTER}:OpenVINO,device_type=NPU", shipped.source)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["TensorRT", "VitisAI"])
def test_providers_of_boards_are_not_here(name: str, shipped: IntegerPackage) -> None:
    needs("qnn")
    with pytest.raises(BadArgument, match=f"provider '{name}' is not in this onnxruntime .*; here are: .*QNN"):
        own_process("qnn", f"{MASTER}:{name}", shipped.source)
