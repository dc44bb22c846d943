"""The results of the rate benchmark as Markdown."""

from collections.abc import Iterable
from typing import Any

from benchmarks.rate.codecs import EIGHTHS, GAMMAS, GRID, THETA
from benchmarks.rate.means import ranked, row_of, speed, table, whole_rows
from benchmarks.rate.measure import DEFAULT, ONE
from benchmarks.rate.rows import MAX_ERRORS
from benchmarks.rate.scenes import NEAR_LOSSLESS
from benchmarks.rate.store import Key, Measurement, Results
from hil_tests.findings.provenance import MOST_COLUMNS

ANSWERED = {
    "flight-best": "LineRWKV (`flight`, which has seen these scenes)", "rls-best": "the adaptive stage alone",
    "ccsds123-tuned-sample-adaptive": "CCSDS 123 tuned for each scene", "jpegxl-difference": "JPEG XL of differences",
    "jpegls-difference": "JPEG-LS of differences", "zstd-shuffle": "zstd -19, shuffled",
}  # fmt: skip
"""Rows of the sentence that the report begins with."""
ABOUT = f"""Bits per sample, every byte counted; each stream was decoded and compared (but for rows `-float`, whose
bytes are counted only). `-none`, `-fast`, `-best`: the adaptive stage after a network; `rls`: the stage alone.
`unseen`: a cross-validation model, on scenes that it was not trained on. `seen`: the network was trained on this
scene. `ccsds123-anchor`: P = 3, v = -1..3, t_inc = 2^6, D the scene's own; `tuned`: the best for the scene and the
coder of {", ".join(f"{name} in {values}" for name, values in GRID.items())},
near-lossless then of phi and psi in {EIGHTHS} with Theta = {THETA}, then of gamma* in {GAMMAS}. How the peers
are set is in benchmarks/rate/peers.py. neon_mlbs is the mean of 46 plots; the mean is over samples."""

ABOUT_SPEED = """Thread CPU time over all scenes, segments of 64 lines; samples a step of the loop timed beside it
(benchmarks/harness/reference_loop.py); memory of a process that encodes and decodes hyspecnet_dt4950_x03110438. Scenes
of few columns and lines, as these, hold the networks and the stage back, and each row was timed at the commit of its
run. Files of 250 columns, every form at one commit: benchmarks/results/threads.md, whose speeds rate_speed.png shows;
lines of 1000 columns without the entropy coder: benchmarks/results/int8_line.md."""
SUMMARY = (
    "flight-best", "flight-large-best", "rls-best", "ccsds123-tuned-sample-adaptive", "ccsds123-anchor-sample-adaptive",
    "jpegls-difference", "jpegxl-difference", "jpeg2000-difference", "ccsds121", "zstd-shuffle",
)  # fmt: skip


def markdown_table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Lines of a table, or of several with the same first column where there are more than MOST_COLUMNS."""
    names, cells = list(names), [list(row) for row in rows]
    n_others = len(names) - 1
    n_tables = max(1, -(-n_others // (MOST_COLUMNS - 1)))
    size = -(-n_others // n_tables)
    lines: list[str] = []
    for start in range(1, n_others + 1, max(1, size)):
        places = (0, *range(start, min(start + size, n_others + 1)))
        kept = [[row[i] for i in places] for row in (names, ["---"] * len(names), *cells)]
        lines += ([""] if lines else []) + [f"| {' | '.join(row)} |" for row in kept]
    return lines


def answer(results: Results) -> str:
    """The means of the rows that most ask for, segments of 64 lines."""
    means = whole_rows(table(results, DEFAULT))
    said = [f"{what} {means[name].rate:.2f}" for name, what in ANSWERED.items() if name in means]
    if not said:
        return "No row has every scene yet."
    return f"Lossless, bits per sample over all scenes, segments of 64 lines: {', '.join(said)}."


def lossless(results: Results, length: str) -> list[str]:
    """Rows by columns, the mean first."""
    found = table(results, length)
    means = whole_rows(found)
    columns = list(dict.fromkeys(name for row in found.values() for name in row))
    rows = []
    for name in ranked(found):
        row = found[name]
        cells = [f"{row[c].rate:.3f}{' seen' if row[c].seen else ''}" if c in row else "" for c in columns]
        rows.append([name, f"{means[name].rate:.3f}" if name in means else "", *cells])
    return markdown_table(["row", "mean", *columns], rows)


def summary(results: Results) -> list[str]:
    """A scene a row, the codecs that most ask for as columns; segments of 64 lines."""
    found = table(results, DEFAULT)
    columns = [name for name in SUMMARY if name in found]
    means = whole_rows(found)
    rows = []
    for scene in (*NEAR_LOSSLESS, "sandiego"):
        cells = [found[name].get(scene) for name in columns]
        seen = any(cell is not None and cell.seen for cell in cells)
        rows.append([scene + " (seen)" * seen, *(f"{cell.rate:.2f}" if cell else "" for cell in cells)])
    rows.append(["mean of all scenes", *(f"{means[name].rate:.2f}" if name in means else "" for name in columns)])
    return markdown_table(["scene", *columns], rows)


def speeds(results: Results) -> list[str]:
    """Speed and memory of each row."""
    peaks = {row_of(m): m for m in results.measurements.values() if "peak_mib" in m}
    rows = []
    for name in ranked(table(results, DEFAULT)):
        found, peak = speed(results, name), peaks.get(name)
        if found is not None:
            memory = [f"{peak['peak_mib']:.0f}", f"{peak['above_start_mib']:.0f}"] if peak else ["", ""]
            rows.append([name, *(f"{value:.3g}" for value in found), *memory])
    ways = ["encode Msamples/s", "decode Msamples/s", "encode samples/step", "decode samples/step"]
    return markdown_table(["row", *ways, "peak MiB", "above start MiB"], rows)


def text(measurement: Measurement | None, name: str) -> str:
    """One value of a near-lossless table."""
    if measurement is None:
        return ""
    value: Any = measurement["rate"][ONE] if name == "rate" else measurement.get(name)
    if value is None:
        return "inf" if name == "psnr_db" else "0"
    return f"{value:.2f}" if name == "psnr_db" else f"{value:.3f}"


def near_lossless(results: Results, scene: str, name: str) -> list[str]:
    """Rows by maximum error, for one scene and quantity."""
    names = {key.row for key in results.measurements if key.scene == scene and key.max_error}
    rows = []
    for row in sorted(names):
        values = [results.measurements.get(Key(row, scene, max_error)) for max_error in MAX_ERRORS]
        seen = any(value is not None and value.get("seen", False) for value in values)
        rows.append([row + " (seen)" * seen, *(text(value, name) for value in values)])
    return markdown_table(["row", *(f"M = {max_error}" for max_error in MAX_ERRORS)], rows)


QUANTITIES = {
    "rate": "bits per sample, one segment",
    "psnr_db": "PSNR over the scene's range, dB",
    "angle_mean_deg": "mean spectral angle error, degrees",
    "angle_max_deg": "largest spectral angle error, degrees",
}


def markdown(results: Results) -> str:
    """The whole report."""
    lines = ["# Rate", "", answer(results), "", "## Summary", "", *summary(results)]
    lines += ["", "## What the rows are", "", *ABOUT.split("\n")]
    lines += ["", "## Lossless, segments of 64 lines", "", *lossless(results, DEFAULT)]
    lines += ["", "## Lossless, one segment a scene", "", *lossless(results, ONE)]
    lines += ["", "## Speed and memory", ""]
    lines += [*ABOUT_SPEED.split("\n"), "", *speeds(results)]
    coded = {key.scene for key in results.measurements if key.max_error}
    for scene in (scene for scene in NEAR_LOSSLESS if scene in coded):
        for name, what in QUANTITIES.items():
            lines += ["", f"## Maximum error M, {scene}: {what}", "", *near_lossless(results, scene, name)]
    lines += ["", "## How it was measured", "", "`python -m benchmarks.rate`, by these runs:", ""]
    lines += [
        f"- {number}: {', '.join(f'{name} {value}' for name, value in run.items())}"
        for number, run in enumerate(results.runs)
    ]
    return "\n".join(lines) + "\n"
