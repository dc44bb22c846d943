"""Power that a Joulescope's software recorded, read by its maker's library; untested on the device."""

from pathlib import Path
from typing import Any

import numpy as np

from hil_tests.meters.meter import MeterFailed
from hil_tests.meters.recording import Recording

try:
    import pyjls
except ModuleNotFoundError:  # the extra `hil` is not installed
    pyjls = None

UNTESTED = "Joulescope: untested on the device"
BLOCK_S = 1.0


def read_jls(path: Path, *, signal: str, period_s: float) -> Recording:
    """Means over `period_s` of a signal in watts of a JLS version 2 file, by the instrument's sample clock.

    Raises MeterFailed.
    """
    if pyjls is None:
        raise MeterFailed("joulescope: pyjls is not installed; it comes with the extra hil")
    if not path.is_file():
        raise MeterFailed(f"{path}: no such file")
    try:
        with pyjls.Reader(str(path)) as reader:
            return means_of(reader, path, signal, period_s)
    except (RuntimeError, OSError, ValueError) as error:
        raise MeterFailed(f"{path}: not a readable JLS file: {' '.join(str(error).split())[:120]}") from None


def means_of(reader: Any, path: Path, signal: str, period_s: float) -> Recording:
    """As `read_jls`, block by block, so that megasamples by second fit."""
    found = next((one for one in reader.signals.values() if one.name == signal), None)
    if found is None or found.units != "W":
        names = ", ".join(f"{one.name} in {one.units}" for one in reader.signals.values() if one.signal_id)
        raise MeterFailed(f"{path}: no signal {signal!r} in W; there are: {names or 'none'}")
    n_mean = max(1, round(period_s * found.sample_rate))
    per_block = n_mean * max(1, round(BLOCK_S / period_s))
    n_whole = found.length // n_mean * n_mean
    means = []
    for begin in range(0, n_whole, per_block):
        samples = np.asarray(reader.fsr(found.signal_id, begin, min(per_block, n_whole - begin)), np.float64)
        means.append(samples.reshape(-1, n_mean).mean(axis=1))
    watts = np.concatenate(means) if means else np.empty(0)
    if len(watts) < 2 or not np.isfinite(watts).all():
        raise MeterFailed(
            f"{path}: {len(watts)} means of {period_s:g} s; two or more are needed, without missing samples"
        )
    ends = n_mean * np.arange(1, len(watts) + 1) / found.sample_rate
    return Recording(np.concatenate(([0.0], ends)), {signal: np.concatenate((watts[:1], watts))}, is_integrating=True)
