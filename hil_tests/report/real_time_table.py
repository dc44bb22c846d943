"""What each form of a run reaches of the line rates of imagers that fly."""

from collections.abc import Sequence

from hil_tests.findings.findings import FormCost
from hil_tests.findings.real_time import real_times


def form_real_time_rows(forms: Sequence[FormCost]) -> list[dict[str, str]]:
    """A row for each form whose speed is known, texts by the head of their column."""
    return [
        {
            "form": one.form,
            "executor": one.executor or "-",
            "Msamples/s": f"{one.msamples_per_s:.3g} {one.label}".removesuffix(" measured"),
            **{found.imager.name: str(found) for found in real_times(one.msamples_per_s)},
        }
        for one in forms
        if one.msamples_per_s > 0
    ]
