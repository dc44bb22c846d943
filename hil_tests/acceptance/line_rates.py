"""A recording at an imager's line rate, replayed with the latencies that were measured on the target."""

from collections.abc import Sequence

from hil_tests.board.board import Imager
from hil_tests.findings.findings import LineRate

RECORDINGS = 4
"""How often lines arrive and pause; a backlog that grows from one recording to the next shows in these."""


def replay(imager: Imager, lines_ms: Sequence[float], *, bands: int, columns: int) -> LineRate:
    """What happens to the imager's lines where each takes as long as a measured one, in turn.

    lines_ms: of lines of `bands` x `columns` samples; those of the imager take longer by the ratio of their samples. A
    line is late that is not coded when the next one arrives; it waits in the buffer, and is dropped where that is full.
    """
    scale = samples_of_line(imager, bands, columns) / (bands * columns)
    period = 1 / imager.lines_per_s
    pause = imager.recording_lines * period * (1 / imager.duty_cycle - 1)
    done_at: list[float] = []
    """When each line that was taken is coded, in order."""
    n_done = late = dropped = largest = 0
    for index in range(RECORDINGS * imager.recording_lines):
        arrived = index * period + (index // imager.recording_lines) * pause
        while n_done < len(done_at) and done_at[n_done] <= arrived:
            n_done += 1
        if len(done_at) - n_done >= imager.buffer_lines:
            dropped += 1
            continue
        seconds = lines_ms[len(done_at) % len(lines_ms)] * scale / 1e3
        done_at.append(max(arrived, done_at[-1] if done_at else arrived) + seconds)
        late += done_at[-1] > arrived + period
        largest = max(largest, len(done_at) - n_done)
    mean_s = sum(lines_ms) / len(lines_ms) * scale / 1e3
    return LineRate(
        imager.lines_per_s, imager.duty_cycle, imager.buffer_lines, late, dropped, largest, period / mean_s
    )  # fmt: skip


def samples_of_line(imager: Imager, bands: int, columns: int) -> int:
    """Of the imager, where it does not say so of the scene."""
    return (imager.bands or bands) * (imager.columns or columns)


def line_rate_note(imager: Imager, rate: LineRate, *, bands: int, columns: int) -> str:
    """One line for the notes: what was replayed, how it was scaled, and what came of it."""
    n_lines = RECORDINGS * imager.recording_lines
    size = samples_of_line(imager, bands, columns)
    scaled = "" if size == bands * columns else f", latencies scaled from {bands * columns} samples a line"
    return (
        f"{imager.name}: {n_lines} lines of {size} samples at {imager.lines_per_s:g} lines/s in {RECORDINGS} "
        f"recordings, duty cycle {imager.duty_cycle:g}{scaled}: {rate.late} late, {rate.dropped} dropped with a buffer "
        f"of {imager.buffer_lines} lines, {rate.real_time_factor:.3g} of real time (replayed, not recorded live)"
    )
