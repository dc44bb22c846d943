"""report.html: the findings of a run as one self-contained page."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hil_tests.acceptance.line_times import line_times
from hil_tests.report.comparison import SHOWN, compared, comparison_picture, figures_of
from hil_tests.report.findings import Findings, Reading
from hil_tests.report.numerals import NOT_MEASURED, aligned, duration, number
from hil_tests.report.run_pictures import latency_picture, power_picture, temperature_picture
from hil_tests.report.verdict import WHAT_LABELS_MEAN, told_rate, verdict_of
from runtime.whole_output import replacing

HERE = Path(__file__).parent
TEMPLATE, STYLE = "page.html.jinja", "page.css"
MANY_SEGMENTS = 60
"""Of more, the first and last half of these are in the table."""


def write_page(findings: Findings, earlier: list[Findings], path: Path) -> None:
    """Write the page by whole replacement; earlier: runs to compare with, in any order. Raises BadArgument."""
    page = page_of(findings, earlier)
    with replacing(path) as part:
        part.write_text(page, encoding="utf-8", errors="replace")  # half a surrogate pair has no bytes


def page_of(findings: Findings, earlier: Sequence[Findings]) -> str:
    """The text of the page."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, duration=duration, aligned=aligned, cell=cell)
    runs = compared(findings, earlier)
    template = environment.get_template(TEMPLATE)
    return template.render(
        findings=findings,
        style=(HERE / STYLE).read_text(encoding="utf-8"),
        verdict=verdict_of(findings),
        meaning=WHAT_LABELS_MEAN.get(findings.label, ""),
        figures=figures_of(findings),
        times=[(one, line_times(one.lines_ms)) for one in findings.latencies if one.lines_ms],
        counters=counters(findings.readings),
        told_rate=told_rate,
        runs=runs,
        last_runs=runs[-SHOWN:],
        pictures={
            "power": power_picture(findings.energy, findings.phases),
            "latency": latency_picture(findings.latencies),
            "temperature": temperature_picture(findings.readings),
            "comparison": comparison_picture(runs),
        },
        estimate_keys=["label", *keys(findings.estimates, but=("label",))],
        telemetry_keys=keys(findings.telemetry),
        telemetry=shortened(findings.telemetry),
        NOT_MEASURED=NOT_MEASURED,
    )


def counters(readings: Sequence[Reading]) -> list[tuple[str, str, list[float]]]:
    """For clock, temperature and speed: name, unit, and what was read, sorted; empty where it was not measured."""
    columns = {
        "clock": ("MHz", [one.clock_mhz for one in readings]),
        "temperature": ("\u00b0C", [one.temperature_c for one in readings]),
        "throughput between readings": ("Msamples/s", [one.msamples_per_s for one in readings]),
    }
    return [
        (name, unit, sorted(value for value in values if value is not None)) for name, (unit, values) in columns.items()
    ]


def keys(records: Iterable[dict[str, Any]], but: tuple[str, ...] = ()) -> list[str]:
    """Every key of the records, in the order in which they first occur."""
    return [key for key in dict.fromkeys(key for record in records for key in record) if key not in but]


def shortened(records: Sequence[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """The records; of many the first and the last ones, and None for those between."""
    if len(records) <= MANY_SEGMENTS:
        return list(records)
    half = MANY_SEGMENTS // 2
    return [*records[:half], None, *records[-half:]]


def cell(value: Any) -> str:
    """Any value of JSON in a table."""
    if value is None or value == []:
        return "\u2013"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value, 4)
    if isinstance(value, int):
        return number(value, 15) if abs(value) < 10**9 else str(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {cell(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return "; ".join(cell(entry) for entry in value)
    return value if isinstance(value, str) else json.dumps(value)
