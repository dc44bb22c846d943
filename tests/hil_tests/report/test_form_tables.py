"""Rows of forms: executors of one form side by side, and each form against imagers that fly."""

from dataclasses import replace

import pytest

from hil_tests.findings.findings import FormCost
from hil_tests.findings.real_time import IMAGERS
from hil_tests.report.form_table import form_rows
from hil_tests.report.real_time_table import form_real_time_rows

CPU = FormCost(
    "network best", "onnxruntime", "measured", 3.6, 0.5, 2.0, 1.0, 4.0, "board VDD_IN", "measured", 10.0, 0.1, 6.0, 0.2
)
ACCELERATOR = replace(
    CPU, executor="onnxruntime:TensorRT", msamples_per_s=2.0, line_ms_median=0.3, line_ms_largest=0.9,
    joules_per_msample=4.0, joules_per_msample_above_idle=2.0,
)  # fmt: skip


def test_cpu_and_accelerator_stand_side_by_side() -> None:
    rows = form_rows([CPU, ACCELERATOR])
    assert [row["executor"] for row in rows] == ["onnxruntime", "onnxruntime:TensorRT"]
    assert [(row["J/Msample"], row["above idle"]) for row in rows] == [("10 ± 0.1", "6 ± 0.2"), ("4 ± 0.1", "2 ± 0.2")]
    assert [(row["line, median ms"], row["line, largest ms"]) for row in rows] == [(1.0, 4.0), (0.3, 0.9)]


def test_a_form_at_an_imagers_speed_is_in_real_time_for_it() -> None:
    enmap = IMAGERS[0]
    (row,) = form_real_time_rows([replace(CPU, msamples_per_s=enmap.msamples_per_s)])
    assert row[enmap.name] == f"{enmap.lines_per_s:g} (1)"
    assert (row["Msamples/s"], list(row)[3:]) == ("51.5", [imager.name for imager in IMAGERS])


def test_a_speed_that_is_not_of_hardware_says_so_and_none_has_no_row() -> None:
    (row,) = form_real_time_rows([replace(CPU, label="emulated"), replace(CPU, msamples_per_s=0.0)])
    assert row["Msamples/s"] == "0.5 emulated"


@pytest.mark.parametrize("speed", [0.0044, 0.5, 1000.0])
def test_lines_and_shares_keep_figures_however_slow(speed: float) -> None:
    for imager, found in zip(IMAGERS, (one.reached(speed) for one in IMAGERS), strict=True):
        lines, share = str(found).rstrip(")").split(" (")
        assert float(lines) == pytest.approx(found.lines_per_s, rel=5e-3), imager.name
        assert float(share) == pytest.approx(found.share, rel=5e-2)
