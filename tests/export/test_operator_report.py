"""The operator report: what runs where, with its shares adding up."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from export.accelerator_target import read_targets
from export.integer_package import integer_package_parts
from export.operator_report import operator_report
from export.operators_command import operators
from export.package_files import write_package
from runtime.cell.flight_inputs import LEVELS, LINE_FEATURES
from runtime.cell.flight_package import SHIPPED_FLOAT
from runtime.cell.integer_cell import CellShape
from runtime.errors import BadArgument, Corrupt
from runtime.executors.subgraph_cell import subgraph_layers
from tests.export.test_accelerator_graphs import tie_free_cell

SHAPE = CellShape(4, 8, 2, 1, 5, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cell = tie_free_cell(SHAPE, 1)
    target = tmp_path_factory.mktemp("report") / "package"
    write_package(integer_package_parts(cell, "report", {}, {}), target)
    return target


def test_the_report_adds_up(folder: Path) -> None:
    report = operator_report(folder)
    n = SHAPE.features
    assert list(report["subgraphs"]) == list(subgraph_layers(SHAPE))
    macs = sum(row["macs_per_sample"] for row in report["subgraphs"].values())
    # the spectral part is the host's
    of_the_host = sum(spec.n_in * spec.n_out for spec in SHAPE.spectral_layers())
    assert macs == pytest.approx(SHAPE.macs - of_the_host, abs=1)
    assert report["unmet_conditions"] == []
    # inputs and the spatial features of a group, for one of its bands
    entered = LINE_FEATURES + LEVELS + n / SHAPE.group
    assert report["subgraphs"]["enter"]["border_bytes_per_sample"] == pytest.approx(entered)
    rows = {row["target"]: row for row in report["targets"]}
    assert rows["ONNX Runtime CPU"]["master_cell"] and rows["OpenVINO CPU"]["master_cell"]
    assert not rows["Qualcomm HTP"]["master_cell"]
    for name in ("ONNX Runtime CPU", "OpenVINO CPU", "Qualcomm HTP", "NVIDIA TensorRT", "Arm Ethos-U through TOSA"):
        assert rows[name]["mac_share"] == pytest.approx(macs / SHAPE.macs), name
    dpu = rows["AMD Vitis AI DPU"]
    assert dpu["refused_subgraphs"] == {} and dpu["needs_one_shift_for_each_layer"]


def test_every_target_names_its_source() -> None:
    assert len(read_targets()) == 6
    for target in read_targets():
        assert target.source and target.url.startswith("https://") and target.checked


def test_the_command_prints_text_or_json(folder: Path) -> None:
    text = CliRunner().invoke(operators, [str(folder)])
    assert text.exit_code == 0 and "Qualcomm HTP: not the master cell" in text.output
    as_json = CliRunner().invoke(operators, [str(folder), "--json"])
    assert json.loads(as_json.output)["arithmetic"] == "int8-v2"


def test_a_float_package_has_a_master_cell_only() -> None:
    report = operator_report(SHIPPED_FLOAT)
    assert report["arithmetic"] == "float32" and "subgraphs" not in report
    assert all("mac_share" not in row for row in report["targets"])


def test_no_package_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadArgument):
        operator_report(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Corrupt):
        operator_report(tmp_path / "empty")
