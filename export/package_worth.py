"""What a package is worth on scenes: bits that its network takes off those of the adaptive stage alone.

Measured by the flight runtime, lossless, every byte counted, with the network in every segment. So a package may be
worth less than nothing, where `--network auto` would leave its network out.
"""

from collections.abc import Callable, Mapping

from tqdm import tqdm

from export.coded_scene import Samples, stage_stream, stream_of
from runtime.cell.flight_package import IntegerPackage
from runtime.executors.executors import make_executor
from runtime.stream.kinds import AdaptiveStage

FLIGHT_STAGE = AdaptiveStage.BEST
STAGES = (AdaptiveStage.NONE, FLIGHT_STAGE)
BEST = FLIGHT_STAGE.name.lower()
NOTICED = 0.0005
"""Bits per sample: less is not told from nothing in a report of three digits."""

Scenes = Mapping[str, Callable[[], Samples]]
"""Scenes (Y, Z, X) by name, each made or read when it is asked for, so that one is in memory at a time."""
Rates = dict[str, dict[str, float]]
"""Bits per sample by stage and scene."""


def rates_of(package: IntegerPackage, scenes: Scenes, what: str, stages: tuple[AdaptiveStage, ...] = STAGES) -> Rates:
    """The rates of a package, by default alone and followed by the stage of flight, after its self-test."""
    executor = make_executor(package)
    rates: Rates = {stage.name.lower(): {} for stage in stages}
    for name, samples_of in tqdm(scenes.items(), desc=f"code with {what}", unit="scene", disable=None, leave=False):
        samples = samples_of()
        for stage in stages:
            rates[stage.name.lower()][name] = rate(stream_of(package, executor, samples, stage), samples)
    return rates


def stage_rates(scenes: Scenes) -> dict[str, float]:
    """Bits per sample of the stage of flight alone, by scene."""
    found = {}
    for name, samples_of in tqdm(scenes.items(), desc="code without", unit="scene", disable=None, leave=False):
        samples = samples_of()
        found[name] = rate(stage_stream(samples, FLIGHT_STAGE), samples)
    return found


def rate(stream: bytes, samples: Samples) -> float:
    """Bits per sample."""
    return 8 * len(stream) / samples.size


def worth(alone: Mapping[str, float], rates: Rates) -> dict[str, float]:
    """By scene, bits per sample of the stage alone less those with the network before it."""
    return {name: alone[name] - found for name, found in rates[BEST].items()}


def worse(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """The scenes on which a package is worth noticeably less than before, the worst first, and by how much."""
    lost = {name: before[name] - now for name, now in after.items() if before[name] - now >= NOTICED}
    return dict(sorted(lost.items(), key=lambda item: -item[1]))
