"""The rule of forms as it flew (benchmarks/results/fly, by `make fly`) against its simulation: the same lines, by hand.

Of the flight the part after the power cut, in which nothing else happens: lines come when the imager sent them, and a
line of each form takes what its segments took there, or in the whole flight where the part has none. Nothing is coded.

    python -m benchmarks.bench_flown_rule
"""

import json
from statistics import fmean
from typing import Any

from benchmarks.harness.form_simulation import simulated
from benchmarks.harness.record import RESULTS, save
from hil_tests.fault_programs.flight.configuration import BUFFER_LINES
from runtime.target.form_rule import FormRule

BEGIN, END = "ready again", "TERM"


def seconds_of(form: str, part: list[dict[str, Any]], whole: list[dict[str, Any]]) -> float:
    """Of a line, the mean of the segments of a form."""
    found = [one for one in part if one["form"] == form] or [one for one in whole if one["form"] == form]
    return fmean(one["seconds"] / one["lines"] for one in found)


def share(forms: list[int], lines: list[int], form: int) -> float:
    """Of the lines, %."""
    return round(100 * sum(n for one, n in zip(forms, lines, strict=True) if one == form) / sum(lines), 1)


def main() -> None:
    """A row for each form."""
    flown = json.loads((RESULTS / "fly" / "report.json").read_text())
    at = {one["name"]: one["time"] for one in flown["events"]}
    names: list[str] = flown["forms"]
    part = [one for one in flown["segments"] if at[BEGIN] <= one["time"] <= at[END] + 1]
    seconds = [seconds_of(name, part, flown["segments"]) for name in names]
    arrivals = [one - at[BEGIN] for one in flown["sent"] if at[BEGIN] <= one <= at[END]]
    done = simulated(FormRule(), arrivals, seconds, BUFFER_LINES, flown["segment_lines"])
    forms, lines = [names.index(one["form"]) for one in part], [one["lines"] for one in part]
    rows = [
        {
            "form": name, "ms a line": round(1000 * seconds[form], 2), "lines, %, flown": share(forms, lines, form),
            "lines, %, simulated": share(done.forms, done.lines, form),
        }
        for form, name in enumerate(names)
    ]  # fmt: skip
    facts = {
        "lines": {"flown": sum(lines), "simulated": sum(done.lines)},
        "largest fill": {"flown": max(one["fill"] for one in part), "simulated": round(done.largest_fill, 3)},
        "segments": {"flown": len(forms), "simulated": len(done.forms)},
        "dropped in the simulation": done.n_dropped,
        "flight": f"{flown['board']}, commit {flown['commit']}",
    }
    save("flown_rule", "python -m benchmarks.bench_flown_rule", rows, **facts)


if __name__ == "__main__":
    main()
