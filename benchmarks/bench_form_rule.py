"""The rule by which the recorder changes forms (runtime/target/form_rule.py), simulated before it flies.

An imager with lines of 224 bands x 1000 columns, every fourth run of lines three times as fast, each line late by up to
its period; forms by the speeds of benchmarks/results/threads.json on one thread, of one core. Simulated time, nothing
is coded.

    python -m benchmarks.bench_form_rule
"""

import json
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.harness.form_simulation import imager, simulated
from benchmarks.harness.record import RESULTS, save
from runtime.target.form_rule import FormRule

FORMS = ("flight-large, best", "flight, best", "rls, best", "rls, fast", "ccsds123")
MSAMPLES = 0.224  # of a line
N_LINES, BURST, BURST_LINES, JITTER = 20_000, 3.0, 200, 1.0
N_BUFFER, SEGMENT_LINES = 512, 32
DEMANDS = (0.8, 1.2, 2.5, 5.0, 10.0, 20.0)
"""Msamples/s that come on average."""
NEVER = 1.0
RULES = {
    "as it is": FormRule(),
    "one segment a form": FormRule(least_segments=1),
    "four segments a form": FormRule(least_segments=4),
    "late, 80 % and 50 %": FormRule(cheaper_at=0.8, dearer_at=0.5),
    "no last resort": FormRule(last_resort_at=NEVER),
    "half of the processor": FormRule(processor_share=0.5),
}
COLOURS = ("tab:blue", "tab:cyan", "tab:green", "tab:olive", "tab:orange")


def speeds() -> list[float]:
    """Msamples/s of the forms."""
    rows = json.loads((RESULTS / "threads.json").read_text())["rows"]
    found = {row["form"]: row["Msamples/s, 1"] for row in rows if row["way"] == "file, encoding"}
    return [float(found[form]) for form in FORMS]


def row(name: str, demand: float, n_buffer: int) -> dict[str, Any]:
    """Of one rule, rate and buffer."""
    seconds = [MSAMPLES / speed for speed in speeds()]
    arrivals = imager(MSAMPLES / demand, N_LINES, BURST, BURST_LINES, JITTER, np.random.default_rng(0))
    done = simulated(RULES[name], list(map(float, arrivals)), seconds, n_buffer, SEGMENT_LINES)
    changes = sum(one != other for one, other in zip(done.forms, done.forms[1:], strict=False))
    values: dict[str, Any] = {
        "rule": name, "buffer lines": n_buffer, "Msamples/s come": demand, "lines dropped": done.n_dropped,
        "largest fill": round(done.largest_fill, 3), "segments a change": round(len(done.forms) / max(1, changes), 1),
        "lines a segment": round(N_LINES / len(done.forms), 1),
        "processor, %": round(100 * done.busy / done.ended, 1),
    }  # fmt: skip
    for form, name_of_form in enumerate(FORMS):
        n_lines = sum(lines for one, lines in zip(done.forms, done.lines, strict=True) if one == form)
        values[name_of_form] = round(100 * n_lines / max(1, sum(done.lines)), 1)
    return values


def picture(rows: list[dict[str, Any]]) -> Figure:
    """Which forms the rule codes lines in, by what comes; rows: of this benchmark."""
    shown = [one for one in rows if one["rule"] == "as it is" and one["buffer lines"] == N_BUFFER]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    below = np.zeros(len(shown))
    for form, colour in zip(FORMS, COLOURS, strict=True):
        shares = np.array([one[form] for one in shown])
        axes.bar([str(one["Msamples/s come"]) for one in shown], shares, bottom=below, color=colour, label=form)
        below += shares
    axes.set(xlabel="Msamples/s that come, on average", ylabel="lines, %", ylim=(0, 100))
    figure.legend(loc="outside right upper")
    return figure


def main() -> None:
    """Rows by rule and rate, and the rule as it is with smaller buffers."""
    rows = [row(name, demand, N_BUFFER) for name in RULES for demand in DEMANDS]
    rows += [row("as it is", demand, n_buffer) for n_buffer in (128, 2048) for demand in DEMANDS]
    facts = {
        "speeds": dict(zip(FORMS, speeds(), strict=True)),
        "imager": f"{N_LINES} lines of {MSAMPLES} Msamples, of every {4 * BURST_LINES} lines {BURST_LINES} at "
        f"{BURST:g} times the rate of the others, late by up to {JITTER:g} periods",
        "segment lines": SEGMENT_LINES,
        "columns of forms": "lines coded in the form, %",
    }
    save("form_rule", "python -m benchmarks.bench_form_rule", rows, **facts)
    picture(rows).savefig(RESULTS / "form_rule.png", dpi=120)


if __name__ == "__main__":
    main()
