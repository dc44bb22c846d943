"""Joules on board against joules on the radio, for each form of a report."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hil_tests.findings.findings import Findings, FormCost
from hil_tests.worth.link import Link

RAW = "raw"
COMPARED = (RAW, "ccsds123", "rls")
"""What every form is held against; rls is the best of that kind that the report has."""
DAY_S = 86400.0
MEASURED = "measured"


@dataclass(frozen=True)
class Uncertain:
    """A figure, and half of its 95 % interval."""

    value: float
    half: float = 0.0

    def less(self, other: "Uncertain") -> "Uncertain":
        """The difference of two that are independent."""
        return Uncertain(self.value - other.value, math.hypot(self.half, other.half))

    def plus(self, other: "Uncertain") -> "Uncertain":
        """The sum of two that are independent."""
        return Uncertain(self.value + other.value, math.hypot(self.half, other.half))

    def times(self, factor: float) -> "Uncertain":
        """Scaled by a number that is known."""
        return Uncertain(self.value * factor, self.half * abs(factor))


@dataclass(frozen=True)
class Form:
    """What a report says of one way to code."""

    name: str
    bits_per_sample: float
    board: Uncertain | None
    """J/Msample; None is not measured."""
    msamples_per_s: float
    """Infinite where nothing is coded."""
    label: str = MEASURED
    """Of the joules."""
    is_adequate: bool = True


@dataclass(frozen=True)
class Worth:
    """A form on a link."""

    form: Form
    link: Link

    @property
    def radio(self) -> Uncertain:
        """J/Msample sent."""
        return radio(self.link, self.form.bits_per_sample)

    @property
    def total(self) -> float | None:
        """J/Msample on board and on the radio."""
        return None if self.form.board is None else self.form.board.value + self.radio.value

    def net(self, other: "Worth") -> Uncertain | None:
        """J/Msample that this form costs more than another one, both places together; None is not measured.

        0 against itself. The link is the same for both, so its uncertainty is of the difference of their bits alone.
        """
        if self.form.board is None or other.form.board is None:
            return None
        if self.form == other.form:
            return Uncertain(0.0)
        return self.form.board.less(other.form.board).plus(
            radio(self.link, self.form.bits_per_sample - other.form.bits_per_sample)
        )

    @property
    def contact_s(self) -> float:
        """Seconds of contact in a day that its data take."""
        link = self.link
        return link.msamples_per_day * self.form.bits_per_sample / (link.rate_mbit_per_s * link.efficiency)

    @property
    def gigabytes(self) -> float:
        """In a day; 1e9 bytes."""
        return self.link.msamples_per_day * self.form.bits_per_sample / 8e3

    @property
    def coding_s(self) -> float:
        """Seconds of coding in a day."""
        return self.link.msamples_per_day / self.form.msamples_per_s

    @property
    def fits(self) -> bool:
        """Whether the contact of a day is long enough, and the day for coding."""
        return self.contact_s <= 60 * self.link.contact_minutes_per_day and self.coding_s <= DAY_S


def radio(link: Link, bits: float) -> Uncertain:
    """J/Msample that so many bits a sample cost on the radio, or save where there are fewer than none."""
    joules = bits * link.joules_per_bit_of_sample
    return Uncertain(joules, abs(joules) * link.relative_uncertainty)


def worths(findings: Findings, link: Link) -> list[Worth]:
    """Raw first, then every form of the report in its order."""
    raw = Form(RAW, link.raw_bits, Uncertain(0.0), math.inf)
    return [Worth(form, link) for form in [raw, *forms_of(findings, link.idle)]]


def forms_of(findings: Findings, idle: str) -> list[Form]:
    """The forms of an energy run, else the one that the run coded by; none where nothing was encoded."""
    if findings.forms:
        names = [one.form for one in findings.forms]
        return [form_of(one, idle, is_alone=names.count(one.form) == 1) for one in findings.forms]
    speed = next((one.msamples_per_s for one in findings.speeds if one.phase == "encode"), math.nan)
    if findings.bits_per_sample is None or not speed > 0:
        return []
    form = Form(f"{findings.package}, as it was run", findings.bits_per_sample, None, speed)
    if not findings.energy:
        return [form]
    one = findings.energy[0]
    is_included = idle == "included"
    joules = one.joules_per_msample if is_included else one.joules_per_msample_above_idle
    half = one.uncertainty if is_included or one.uncertainty_above_idle is None else one.uncertainty_above_idle
    return [replace(form, board=Uncertain(joules, half), label=one.label, is_adequate=one.is_adequate)]


def form_of(cost: FormCost, idle: str, *, is_alone: bool) -> Form:
    """One form; its executor is named where several of the same name are in the report."""
    pairs = {
        "included": (cost.joules_per_msample, cost.uncertainty),
        "above": (cost.joules_per_msample_above_idle, cost.uncertainty_above_idle),
    }
    joules, half = pairs[idle]
    return Form(
        name=cost.form if is_alone else f"{cost.form} {cost.executor}",
        bits_per_sample=cost.bits_per_sample,
        board=None if joules is None else Uncertain(joules, half or 0.0),
        msamples_per_s=cost.msamples_per_s,
        label=cost.joules_label or cost.label,
        is_adequate=cost.is_adequate,
    )


def references(found: Sequence[Worth]) -> dict[str, Worth | None]:
    """Of COMPARED, the form of the report, or None where it has none; of several rls the one with the fewest bits."""
    chosen: dict[str, Worth | None] = {}
    for name in COMPARED:
        same = [one for one in found if one.form.name.split(" ")[0] == name]
        chosen[name] = min(same, key=lambda one: one.form.bits_per_sample, default=None)
    return chosen
