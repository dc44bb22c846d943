"""Where the time of each form goes, part by part, and its joules by shares of that time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from hil_tests.findings.findings import FormCost
from hil_tests.report.inline_svg import SERIES, drawable, drawn, from_zero, plain
from runtime.target.part_times import PARTS, WAITING

ON_PROCESSOR = tuple(part for part in PARTS if part != WAITING)


def part_rows(forms: Sequence[FormCost]) -> list[dict[str, Any]]:
    """A row for each form that was taken apart; a part that it has not is `-`."""
    return [
        {"form": one.form, "executor": one.executor or "-", **{part: part_text(one, part) for part in PARTS}}
        for one in forms
        if one.parts
    ]


def part_text(form: FormCost, part: str) -> str:
    """Seconds a million samples, and joules above idle where they were measured."""
    if part not in form.parts:
        return "-"
    seconds, joules = form.parts[part], joules_of(form, part)
    return f"{seconds:.3g} s" if joules is None else f"{seconds:.3g} s, {joules:.3g} J"


def joules_of(form: FormCost, part: str) -> float | None:
    """J/Msample above idle of a part of the processor's work, by its share of the processor's time; None: not known."""
    whole, joules = sum(form.parts.get(one, 0.0) for one in ON_PROCESSOR), form.joules_per_msample_above_idle
    if part == WAITING or joules is None or not whole > 0:
        return None
    return joules * form.parts[part] / whole


def is_drawable(form: FormCost) -> bool:
    """Whether all its parts are numbers that can be drawn."""
    return len(drawable(range(len(form.parts)), list(form.parts.values()))) == len(form.parts)


def part_picture(forms: Sequence[FormCost]) -> Markup | None:
    """A bar for each form, its parts one upon another. None where no form was taken apart."""
    shown = [one for one in forms if one.parts and is_drawable(one)]
    if not shown:
        return None

    def draw(figure: Figure) -> None:
        axes, below = figure.subplots(), np.zeros(len(shown))
        for part, colour in zip(ON_PROCESSOR, SERIES, strict=True):
            heights = np.array([one.parts.get(part, 0.0) for one in shown])
            axes.bar(range(len(shown)), heights, bottom=below, color=colour, label=part, width=0.6)
            below += heights
        axes.set_xticks(range(len(shown)), ["\n".join(map(plain, (one.form, one.executor))) for one in shown])
        axes.set(ylabel="CPU s / Msample")
        from_zero(axes)
        figure.legend(loc="outside upper left", ncols=len(ON_PROCESSOR))

    return drawn("parts", f"Processor time of {len(shown)} forms by part", (12.5, 3.0), draw)
