"""What each form of a run reaches of the line rates of imagers that fly."""

from collections.abc import Sequence

from hil_tests.findings.findings import FormCost
from hil_tests.findings.real_time import RealTime, real_times


def cell(found: RealTime) -> str:
    """Lines per second, and the share of real time."""
    return f"{found.lines_per_s:.3g} ({found.share:.3g})"


def form_real_time_rows(forms: Sequence[FormCost]) -> list[dict[str, str]]:
    """A row for each form whose speed is known, texts by the head of their column."""
    return [
        {
            "form": one.form,
            "executor": one.executor or "-",
            "Msamples/s": f"{one.msamples_per_s:.3g} {one.label}".removesuffix(" measured"),
            **{found.imager.name: cell(found) for found in real_times(one.msamples_per_s)},
        }
        for one in forms
        if one.msamples_per_s > 0
    ]
