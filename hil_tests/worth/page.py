"""The page: the sentence, the picture and the tables, in one file that fetches nothing."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from hil_tests.report.inline_svg import QUIET, SERIES, drawn, plain
from hil_tests.report.short_page import html_table, write_short_page
from hil_tests.worth.answer import day_rows, energy_rows
from hil_tests.worth.break_even import RAW, Worth

LEAST_EFFICIENCY = 0.05


def write_page(found: Sequence[Worth], sentence: str, notes: Sequence[str], about: str, path: Path) -> None:
    """Write the page by whole replacement. about: of which report and link it is made."""
    said = "".join(f"<li>{escape(one)}</li>" for one in notes)
    sections = [
        ("J/Msample", html_table(energy_rows(found))),
        ("A day", f"{html_table(day_rows(found))}{picture(found) or ''}"),
        ("Notes", f"<ul>{said}</ul>" if said else ""),
    ]
    write_short_page(path, "linerwkv, worth", sentence, about, sections)


def picture(found: Sequence[Worth]) -> Markup | None:
    """Net energy a day against the link's efficiency, a line and its 95 % band for each form; None without joules."""
    raw, *forms = found
    known = [one for one in forms if one.form.board is not None]
    if not known:
        return None
    efficiencies = np.linspace(LEAST_EFFICIENCY, 1.0, 60)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, one in enumerate(known):
            values, halves = net_a_day(one, raw, efficiencies)
            colour = SERIES[index % len(SERIES)]
            style = "-" if index < len(SERIES) else "--"
            axes.plot(efficiencies, values, color=colour, linestyle=style, label=plain(one.form.name))
            axes.fill_between(efficiencies, values - halves, values + halves, color=colour, alpha=0.2, linewidth=0)
        axes.axhline(0, color=QUIET, linewidth=0.8)
        axes.axvline(raw.link.efficiency, color=QUIET, linewidth=0.8, linestyle=":")
        labels = {one.form.label for one in known}
        axes.set(
            xlabel="efficiency of the link (dotted: this one)",
            title=plain(f"kJ a day more than {RAW} ({', '.join(sorted(labels))}); below the line is worth it", 80),
        )
        axes.set_yscale("symlog", linthresh=0.1)
        axes.legend()

    return drawn("worth", "Net energy a day against the efficiency of the link", (9.0, 3.6), draw)


def net_a_day(one: Worth, raw: Worth, efficiencies: Any) -> tuple[Any, Any]:
    """KJ a day more than raw, and half of the 95 % interval, at each efficiency; its relative uncertainty stays."""
    nets = []
    for efficiency in efficiencies:
        share = one.link.efficiency_uncertainty / one.link.efficiency
        link = replace(one.link, efficiency=float(efficiency), efficiency_uncertainty=share * float(efficiency))
        net = replace(one, link=link).net(replace(raw, link=link))
        assert net is not None
        nets.append(net.times(link.msamples_per_day / 1e3))
    return np.array([net.value for net in nets]), np.array([net.half for net in nets])
