"""report.html: the findings of a run as one self-contained page."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hil_tests.findings.findings import Findings, Reading
from hil_tests.findings.limits import speed
from hil_tests.findings.line_times import line_times
from hil_tests.findings.real_time import real_time_sentence, real_times
from hil_tests.report.certificate_table import decision, operator_rows
from hil_tests.report.comparison import SHOWN, compared, comparison_picture, figures_of
from hil_tests.report.form_table import form_rows
from hil_tests.report.numerals import NOT_MEASURED, aligned, fixed, given, moment, number, with_uncertainty
from hil_tests.report.part_table import part_picture, part_rows
from hil_tests.report.real_time_table import form_real_time_rows
from hil_tests.report.record_table import record_table
from hil_tests.report.run_pictures import latency_picture, power_picture, temperature_picture
from hil_tests.report.verdict import WHAT_LABELS_MEAN, rate_text, verdict_of
from runtime.whole_output import replacing

HERE = Path(__file__).parent
TEMPLATE, STYLE = "page.html.jinja", "page.css"


def write_page(findings: Findings, earlier: list[Findings], path: Path) -> None:
    """Write the page by whole replacement; earlier: runs to compare with, in any order. Raises BadArgument."""
    with np.errstate(all="ignore"):  # figures may be as large as floats are
        page = page_of(findings, earlier)
    with replacing(path) as part:
        part.write_text(page, encoding="utf-8", errors="replace")  # half a surrogate pair has no bytes


def page_of(findings: Findings, earlier: Sequence[Findings]) -> str:
    """The text of the page."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    for one in (aligned, fixed, given, moment, number, with_uncertainty):
        environment.filters[one.__name__] = one
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
        rate_text=rate_text,
        real_time=real_time_of(findings),
        real_times=real_times,
        median=median,
        certificates=[(one, operator_rows(one), decision(one)) for one in findings.certificates],
        forms=form_rows(findings.forms),
        form_real_times=form_real_time_rows(findings.forms),
        parts=part_rows(findings.forms),
        runs=runs,
        last_runs=runs[-SHOWN:],
        pictures={
            "power": power_picture(findings.energy, findings.phases),
            "latency": latency_picture(findings.latencies),
            "temperature": temperature_picture(findings.readings),
            "comparison": comparison_picture(runs),
            "parts": part_picture(findings.forms),
        },
        estimates=record_table(findings.estimates, first="label"),
        telemetry=record_table(findings.telemetry, gather=True),
        NOT_MEASURED=NOT_MEASURED,
    )


def real_time_of(findings: Findings) -> tuple[float, str] | None:
    """The speed of encoding in Msamples/s, and what it is enough for; None where it was not measured."""
    found = speed("encode")(findings)
    return (found, real_time_sentence(found)) if found is not None and found > 0 else None


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
