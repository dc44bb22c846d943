"""The limits that a board file may set, and what of a run is held against each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hil_tests.findings.findings import Findings, Limit
from hil_tests.findings.line_times import line_times

ENCODE, DECODE = "encode", "decode"


@dataclass(frozen=True)
class LimitKind:
    """One key of `[limits]`."""

    unit: str
    is_ceiling: bool
    found: Callable[[Findings], float | None]
    """None: not measured."""


def speed(phase: str) -> Callable[[Findings], float | None]:
    """Msamples/s of a phase, the slowest where there are several."""
    return lambda findings: min((s.msamples_per_s for s in findings.speeds if s.phase == phase), default=None)


def line_time(figure: str) -> Callable[[Findings], float | None]:
    """A figure of the times of lines while encoding."""

    def found(findings: Findings) -> float | None:
        times = [line_times(latency.lines_ms) for latency in findings.latencies if latency.phase == ENCODE]
        return max((float(getattr(one, figure)) for one in times), default=None)

    return found


def lines_per_s(findings: Findings) -> float | None:
    """Lines of the scene coded in a second."""
    rate, (_, bands, columns) = speed(ENCODE)(findings), findings.scene_shape
    return None if rate is None else rate * 1e6 / (bands * columns)


def of_line_rates(name: str) -> Callable[[Findings], float | None]:
    """A count over all replayed recordings."""

    def found(findings: Findings) -> float | None:
        return float(sum(getattr(rate, name) for rate in findings.line_rates)) if findings.line_rates else None

    return found


def hottest(findings: Findings) -> float | None:
    """Of all readings."""
    return max((r.temperature_c for r in findings.readings if r.temperature_c is not None), default=None)


def joules(findings: Findings) -> float | None:
    """Idle included, of the first rail of the first meter (docs/energy.md); where a meter fails, its step does too."""
    return findings.energy[0].joules_per_msample if findings.energy else None


LIMITS: Mapping[str, LimitKind] = {
    "msamples_per_s_encode": LimitKind("Msamples/s", False, speed(ENCODE)),
    "msamples_per_s_decode": LimitKind("Msamples/s", False, speed(DECODE)),
    "lines_per_s": LimitKind("lines/s", False, lines_per_s),
    "line_ms_first": LimitKind("ms", True, line_time("first")),
    "line_ms_median": LimitKind("ms", True, line_time("median")),
    "line_ms_p99": LimitKind("ms", True, line_time("p99")),
    "line_ms_max": LimitKind("ms", True, line_time("largest")),
    "line_ms_jitter": LimitKind("ms", True, line_time("jitter")),
    "lines_late": LimitKind("lines", True, of_line_rates("late")),
    "lines_dropped": LimitKind("lines", True, of_line_rates("dropped")),
    "peak_mib": LimitKind("MiB", True, lambda findings: findings.peak_memory_mib),
    "bits_per_sample": LimitKind("bits", True, lambda findings: findings.bits_per_sample),
    "temperature_c": LimitKind("degrees C", True, hottest),
    "joules_per_msample": LimitKind("J/Msample", True, joules),
}
OF_LONG_RUNS = ("joules_per_msample",)
"""A short run does not hold these."""


def limits_in(allowed: Mapping[str, float], *, is_short: bool) -> list[str]:
    """The limits that a run holds."""
    return [name for name in allowed if not (is_short and name in OF_LONG_RUNS)]


def limits_of(allowed: Mapping[str, float], findings: Findings, *, is_short: bool) -> list[Limit]:
    """Each limit of a board file against what was found."""
    return [
        Limit(name, LIMITS[name].is_ceiling, allowed[name], LIMITS[name].found(findings), LIMITS[name].unit)
        for name in limits_in(allowed, is_short=is_short)
    ]
