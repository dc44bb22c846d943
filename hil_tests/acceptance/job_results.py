"""What each job of `runtime.target.target_run` must answer; a board that is ill may answer anything."""

from collections.abc import Mapping
from typing import Any

from hil_tests.targets.target import TargetFailed

NUMBER = (float, int)
CODING = {"seconds": NUMBER, "cpu_seconds": NUMBER, "lines_ms": (list,), "peak_mib": (float, int, type(None))}
RESULTS: dict[str, dict[str, tuple[type, ...]]] = {
    "clock": {},
    "load": {"machine": (dict,), "package_sha256": (str,), "runtime": (str,)},
    "warm_up": {"seconds": NUMBER},
    "self_test": {"rows": (list,)},
    "encode": {**CODING, "bytes": (int,), "sha256": (str,), "telemetry": (list,)},
    "decode": CODING,
    "parts": {"cpu_seconds": (dict,)},
}
ROW = {"executor": (str,), "tile": (str,), "finding": (str,)}
"""Of the self-test's rows, beside `is_equal`."""
READING = {
    "lines": (int,), "msamples_per_s": NUMBER, "clock_mhz": (float, int, type(None)),
    "temperature_c": (float, int, type(None)),
}  # fmt: skip


def is_number(value: Any) -> bool:
    """Whether it is a finite number, and below 2**63 in size, so that it can be reckoned with."""
    return type(value) in NUMBER and -(1 << 63) < value < 1 << 63


def check_answer(values: Any, wanted: Mapping[str, tuple[type, ...]], where: str) -> None:
    """Raise TargetFailed where a key is missing, of a wrong kind, or a number that no clock gives."""
    if not isinstance(values, dict):
        raise TargetFailed(f"{where}: {values!r} in place of a result")
    for key, kinds in wanted.items():
        value = values.get(key)
        if key not in values or isinstance(value, bool) or not isinstance(value, kinds):
            raise TargetFailed(f"{where}: {key} is {value!r}, allowed {' or '.join(kind.__name__ for kind in kinds)}")
        numbers: Any = [value] if isinstance(value, NUMBER) else value if key == "lines_ms" else []
        if key == "cpu_seconds" and isinstance(value, dict):  # of each part
            numbers = value.values()
        for number in numbers:
            if not is_number(number):
                raise TargetFailed(f"{where}: {key} has {number!r:.40}, allowed finite numbers below 2**63")
        if key == "telemetry" and not all(isinstance(entry, dict) for entry in values[key]):
            raise TargetFailed(f"{where}: telemetry has an entry that is no object")
    if "bytes" in wanted and values["bytes"] < 1:
        raise TargetFailed(f"{where}: bytes is {values['bytes']}, allowed 1 at least")
    if "lines_ms" in wanted and (not values["lines_ms"] or values["seconds"] <= 0):
        raise TargetFailed(
            f"{where}: {len(values['lines_ms'])} lines in {values['seconds']} s, allowed 1 at least in more than 0"
        )
