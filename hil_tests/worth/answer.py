"""The answer in one sentence, what is missing for it, and the tables."""

import math
from collections.abc import Sequence
from typing import Any

from hil_tests.findings.findings import Findings
from hil_tests.report.numerals import NOT_MEASURED
from hil_tests.worth.break_even import DAY_S, MEASURED, RAW, Uncertain, Worth, references

NOT_THERE = "not in the report"


def answer(found: Sequence[Worth]) -> str:
    """Which form to fly, against the one that saves most on the radio; without joules what a form may cost."""
    known = [one for one in found if one.total is not None]
    if len(known) < 2:
        return break_even(found)
    fitting = [one for one in known if one.fits]
    best = min(fitting or known, key=total)
    others = [one for one in known if one is not best]
    rivals = [one for one in others if one.form.name != RAW] or others
    rival = min(rivals, key=lambda one: one.form.bits_per_sample)
    labels = {one.form.label for one in known if one.form.name != RAW} - {MEASURED}
    said = f"{', '.join(sorted(labels))}: " if labels else ""
    net = rival.net(best)
    assert net is not None
    unsure = f", which is within the uncertainty of {net.half:.2g}" if abs(net.value) <= net.half else ""
    limit = "" if fitting else "; no form fits into the contact and the day"
    return f"{said}fly {best.form.name}: {against(rival, best)}{unsure}{why_not_cheaper(best, known)}{limit}"


def total(one: Worth) -> float:
    """J/Msample, of a form whose joules are known."""
    assert one.total is not None
    return one.total


def against(rival: Worth, best: Worth) -> str:
    """What the rival costs and saves beside the best form."""
    assert rival.form.board is not None
    assert best.form.board is not None
    more = rival.form.board.value - best.form.board.value
    saved = best.radio.value - rival.radio.value
    on_board = f"costs {more:.2g} J/Msample more" if more >= 0 else f"saves {-more:.2g} J/Msample on board"
    on_radio = f"saves {saved:.2g} on the radio" if saved >= 0 else f"costs {-saved:.2g} more on the radio"
    return f"{rival.form.name} {on_board} and {on_radio}"


def why_not_cheaper(best: Worth, known: Sequence[Worth]) -> str:
    """Names a cheaper form that does not fit into the contact or the day."""
    cheaper = [one for one in known if total(one) < total(best)]
    if not cheaper:
        return ""
    (first, *_) = sorted(cheaper, key=total)
    place = "the day is too short to code it" if first.coding_s > DAY_S else "the contact is too short for it"
    return f"; {first.form.name} needs fewer joules, but {place}"


def break_even(found: Sequence[Worth]) -> str:
    """Without joules of any form: how much each may cost on board until raw is cheaper."""
    raw, *forms = found
    if not forms:
        return "no answer: the report has no form that was encoded"
    allowed = ", ".join(f"{one.form.name} {raw.radio.value - one.radio.value:.2g}" for one in forms)
    return f"no answer, joules are not measured; worth it below these J/Msample on board: {allowed}"


def missing(found: Sequence[Worth], findings: Findings) -> list[str]:
    """What the answer lacks, a line each."""
    lines = [f"{one.form.name}: joules are not measured, so it is in no sum" for one in found if one.form.board is None]
    lines += [
        f"{name}: not in the report; name it in [[forms]] of the board file" for name, one in references(found).items()
        if one is None
    ]  # fmt: skip
    lines += [f"{one.form.name}: sampling NOT adequate, see the report" for one in found if not one.form.is_adequate]
    if findings.label != MEASURED:
        lines.append(f"the target is {findings.label}: its speeds are of no hardware")
    if findings.scene_kind != "real":
        lines.append(f"bits are of a {findings.scene_kind} scene, not of an imager")
    return lines


def energy_rows(found: Sequence[Worth]) -> list[dict[str, Any]]:
    """J/Msample of each form, and what it costs more than raw, ccsds123 and rls; negative is better."""
    chosen = references(found)
    return [
        {
            "form": one.form.name,
            "bits/sample": one.form.bits_per_sample,
            "board": shown(one.form.board),
            "radio": shown(one.radio),
            **{
                f"net, against {name}": NOT_THERE if other is None else shown(one.net(other))
                for name, other in chosen.items()
            },
        }
        for one in found
    ]


def day_rows(found: Sequence[Worth]) -> list[dict[str, Any]]:
    """A day of each form; saved is beside raw."""
    raw = found[0]
    return [
        {
            "form": one.form.name,
            "net, kJ": shown(scaled(one.net(raw), one.link.msamples_per_day / 1e3)),
            "contact, s": one.contact_s,
            "contact saved, s": raw.contact_s - one.contact_s,
            "GB": one.gigabytes,
            "GB saved": raw.gigabytes - one.gigabytes,
            "coding, h": one.coding_s / 3600,
            "fits": "yes" if one.fits else "no",
        }
        for one in found
    ]


def scaled(value: Uncertain | None, factor: float) -> Uncertain | None:
    """Of a figure that may not be measured."""
    return None if value is None else value.times(factor)


def shown(value: Uncertain | None) -> str:
    """The figure to the digits that its uncertainty leaves."""
    if value is None:
        return NOT_MEASURED
    if value.half == 0:
        return f"{value.value:.3g}"
    decimals = max(0, 1 - math.floor(math.log10(value.half)))
    return f"{value.value:.{decimals}f} ± {value.half:.{decimals}f}"
