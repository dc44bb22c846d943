"""What each form costs on a target, CPU and accelerator alike, in one table."""

from collections.abc import Sequence
from typing import Any

from hil_tests.findings.findings import FormCost
from hil_tests.report.numerals import NOT_MEASURED


def form_rows(forms: Sequence[FormCost]) -> list[dict[str, Any]]:
    """A row for each form, texts and numbers by the head of their column."""
    return [
        {
            "form": one.form,
            "executor": one.executor or "-",
            "bits/sample": one.bits_per_sample,
            "Msamples/s": one.msamples_per_s,
            "line, median ms": one.line_ms_median,
            "line, largest ms": one.line_ms_largest,
            "CPU s/Msample": one.cpu_seconds_per_msample,
            "J/Msample": joules(one, one.joules_per_msample, one.uncertainty),
            "above idle": joules(one, one.joules_per_msample_above_idle, one.uncertainty_above_idle),
        }
        for one in forms
    ]


def joules(form: FormCost, value: float | None, uncertainty: float | None) -> str:
    """The figure with its 95 % interval, and what it may be called where that is not `measured`."""
    if value is None:
        return NOT_MEASURED
    called = "" if form.joules_label == "measured" else f" {form.joules_label}"
    flag = "" if form.is_adequate else ", sampling NOT adequate"
    return f"{value:.3g} ± {uncertainty or 0.0:.2g}{called}{flag}"
