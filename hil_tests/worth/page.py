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
from hil_tests.report.page import HERE, STYLE
from hil_tests.worth.answer import day_rows, energy_rows
from hil_tests.worth.break_even import RAW, Worth
from runtime.whole_output import replacing

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
LEAST_EFFICIENCY = 0.05


def write_page(found: Sequence[Worth], sentence: str, notes: Sequence[str], about: str, path: Path) -> None:
    """Write the page by whole replacement. about: of which report and link it is made."""
    style = (HERE / STYLE).read_text(encoding="utf-8")
    lines = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">',
        f"<title>{escape(sentence)}</title><style>{style}</style></head><body><header>",
        f"<p class='kicker'>linerwkv, worth</p><h1>{escape(sentence)}</h1>",
        f"<p class='about'>{escape(about)}</p></header>",
        f"<section><h2>J/Msample</h2>{html_table(energy_rows(found))}</section>",
        f"<section><h2>A day</h2>{html_table(day_rows(found))}{picture(found) or ''}</section>",
        *([f"<section><h2>Notes</h2><ul>{''.join(f'<li>{escape(one)}</li>' for one in notes)}</ul></section>"] if notes
          else []),
        "</body></html>",
    ]  # fmt: skip
    with replacing(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def html_table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows with equal keys."""

    def cell(value: Any) -> str:
        text = value if isinstance(value, str) else f"{value:.4g}"
        return f"<td>{escape(text)}</td>"

    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(cell(value) for value in row.values())}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


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
