"""The page of a flight: buffer, forms, bits and delay over time with each event, and what was held."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from hil_tests.report.inline_svg import QUIET, SERIES, drawn, from_zero, plain
from hil_tests.report.short_page import html_table, write_short_page
from runtime.target.form_rule import FormRule


def write_page(found: Mapping[str, Any], path: Path) -> None:
    """Write the page by whole replacement. found: as the flight printed it."""
    title = found.get("error") or ("No accepted line lost" if found["passed"] else "A check of the flight failed")
    checks = [
        {"what": one["name"], "found": one["found"], "": "held" if one["is_held"] else "FAILED"}
        for one in found.get("checks", [])
    ]
    sections = [
        ("Over time", picture(found) if found.get("segments") else ""),
        ("Held", html_table(checks) if checks else ""),
    ]
    write_short_page(path, "linerwkv, flight", title, about(found), sections)


def about(found: Mapping[str, Any]) -> str:
    """What flew where."""
    if "lines" not in found:
        return f"{found['board']} ({found['label']})"
    left_out = "".join(f"; left out: {text}" for text in found["left_out"])
    return (
        f"{found['board']} ({found['label']}): {found['lines']} lines of {found['bands']} bands x {found['columns']} "
        f"columns, {found['imager_lines_per_s']} lines/s come, the network codes {found['network_lines_per_s']}; disk: "
        f"{found['disk']}; {found['streams']} streams of {found['bytes'] / 1e6:.1f} MB; "
        f"commit {found['commit']}{left_out}"
    )


def picture(found: Mapping[str, Any]) -> Markup:
    """Four panels over one time."""
    start = found["events"][0]["time"]
    segments, forms, rule = found["segments"], list(found["forms"]), FormRule()
    seconds = [one["time"] - start for one in segments]

    def draw(figure: Figure) -> None:
        fill, form, bits, delay = panels = figure.subplots(4, 1, sharex=True, height_ratios=[3, 2, 2, 2])
        fill.plot(seconds, [one["fill"] for one in segments], color=SERIES[0])
        for share in (rule.dearer_at, rule.cheaper_at, rule.last_resort_at):
            fill.axhline(share, color=QUIET, linewidth=0.7, linestyle=":")
        fill.set(ylim=(0, 1.02))
        fill.set_title("lines that wait, share of the buffer; dotted: where the rule changes the form", pad=76)
        form.step(seconds, [forms.index(one["form"]) for one in segments], where="pre", color=SERIES[1])
        instead = [(one, at) for one, at in zip(segments, seconds, strict=True) if one["form"] == forms[0]
                   and one["predictor"] == "ccsds123"]  # fmt: skip
        form.plot([at for _, at in instead], [0] * len(instead), "x", color=SERIES[3], markersize=5)
        form.set_yticks(range(len(forms)), [plain(name) for name in forms])
        form.invert_yaxis()
        form.set_title("form of each segment; x: by CCSDS 123, as the executor had failed")
        bits.plot(seconds, [one["bits_per_sample"] for one in segments], ".", color=SERIES[2], markersize=4)
        bits.set_title("bits per sample of each segment")
        delay.plot(seconds, [one["delay_s"] for one in segments], color=SERIES[3])
        delay.set_title("seconds from a segment's last line to its telemetry, the segment on the disk")
        delay.set_xlabel("seconds since the recorder was ready")
        from_zero(delay)
        for event in found["events"][1:]:
            at = event["time"] - start
            for axes in panels:
                axes.axvline(at, color=QUIET, linewidth=0.7)
            fill.text(at, 1.06, plain(event["name"]), rotation=60, fontsize=8, transform=fill.get_xaxis_transform())

    return drawn("flight", "Buffer, form, bits and delay of each segment over time", (12.5, 8.4), draw)
