"""Bits per sample of CCSDS 123.0-B-2 on every shared scene (python -m benchmarks.bench_ccsds123_rate).

`anchor` rows use one set of parameters with D the scene's own depth, BIL order. `tuned` rows take the predictor
parameters that are best for the scene over GRID, judged lossless with the sample-adaptive coder.
"""

import itertools
import json
import time
from typing import Any

from benchmarks import ccsds123_scenes
from benchmarks.ccsds123_scenes import IntArray
from benchmarks.machine import ROOT, head
from runtime.ccsds123 import Ccsds123Parameters, decode, encode

RESULTS = ROOT / "benchmarks" / "results"
CODERS = ("sample_adaptive", "hybrid", "block_adaptive")
MAX_ERRORS = (0, 1, 2, 5, 10)
GRID: dict[str, tuple[Any, ...]] = {
    "P": (3, 6, 15),
    "v": ((-1, 3), (1, 5), (3, 7), (-1, 6)),
    "log2_tinc": (6, 8),
    "extra_depth": (0, 2, 4),
}
"""v: (v_min, v_max). extra_depth: bits that D lies above the scene's depth, which slows the weights down as v does."""


class Clock:
    """Samples and thread CPU seconds of encoding and decoding."""

    def __init__(self) -> None:
        self.n_samples = 0
        self.encode_s = 0.0
        self.decode_s = 0.0

    def speeds(self) -> dict[str, float]:
        """Msamples/s."""
        speeds = {"encode": self.n_samples / self.encode_s / 1e6, "decode": self.n_samples / self.decode_s / 1e6}
        return {name: round(speed, 1) for name, speed in speeds.items()}


def rate(image: IntArray, values: dict[str, Any], clock: Clock | None = None) -> float:
    """Bits per sample; where a clock is given, the stream is decoded and its errors are checked too."""
    parameters = Ccsds123Parameters.from_dict(values)
    start = time.thread_time()
    stream = encode(image, parameters)
    encoded = time.thread_time()
    if clock is not None:
        decoded = decode(stream)
        clock.decode_s += time.thread_time() - encoded
        clock.encode_s += encoded - start
        clock.n_samples += image.size
        assert abs(decoded.astype("int64") - image).max() <= values.get("a", 0)
    return len(stream) * 8 / image.size


def tuned(image: IntArray) -> dict[str, Any]:
    """The grid point that is best for a scene, as changes of the anchor parameters."""
    anchor = ccsds123_scenes.parameters(image)
    rates = {}
    for point in itertools.product(*GRID.values()):
        n_previous, (first, last), interval, extra_depth = point
        changes = {"P": n_previous, "vmin": first, "vmax": last, "log2_tinc": interval, "D": anchor["D"] + extra_depth}
        rates[point] = (rate(image, anchor | changes), changes)
    return min(rates.values(), key=lambda pair: pair[0])[1]


def measure(name: str, clocks: dict[str, Clock]) -> dict[str, Any]:
    """All rates of a scene."""
    image = ccsds123_scenes.samples(name)
    anchor = ccsds123_scenes.parameters(image)
    best = tuned(image)
    rates: dict[str, dict[str, float]] = {}
    for max_error in MAX_ERRORS:
        row = rates.setdefault(str(max_error), {})
        fidelity = {"fidelity": "absolute", "a": max_error} if max_error else {}
        for coder in CODERS:
            clock = clocks.setdefault(f"{coder} m={max_error}", Clock())
            values = anchor | fidelity | {"coder": coder}
            row[coder] = round(rate(image, values, clock), 4)
            row[f"tuned {coder}"] = round(rate(image, values | best), 4)
    return {"samples": image.size, "D": anchor["D"], "signed": anchor["signed"], "tuned": best, "rates": rates}


def markdown(result: dict[str, Any]) -> str:
    """The result as tables."""
    scenes = result["scenes"]
    columns = [*CODERS, *(f"tuned {coder}" for coder in CODERS)]
    text = ["# CCSDS 123.0-B-2: bits per sample", "", __doc__.split("\n\n", 1)[1].strip(), ""]
    text += [f"Grid: {json.dumps(GRID)}. Head: {json.dumps(result['head'])}.", ""]
    text += ["| coder and max error | encode Msamples/s | decode Msamples/s |", "|---|---|---|"]
    text += [f"| {name} | {speed['encode']} | {speed['decode']} |" for name, speed in result["speeds"].items()]
    total = sum(scene["samples"] for scene in scenes.values())
    for max_error in map(str, MAX_ERRORS):
        text += [
            "",
            f"## Max error {max_error}",
            "",
            f"| scene | D | {' | '.join(columns)} | tuned P, v, log2 t_inc, D |",
        ]
        text += ["|" + "---|" * (len(columns) + 3)]
        for name, scene in scenes.items():
            row, best = scene["rates"][max_error], scene["tuned"]
            cells = [f"{row[column]:.3f}" for column in columns]
            point = f"{best['P']}, {best['vmin']}..{best['vmax']}, {best['log2_tinc']}, {best['D']}"
            text.append(f"| {name} | {scene['D']}{'s' * scene['signed']} | {' | '.join(cells)} | {point} |")
        means = [
            sum(scene["rates"][max_error][column] * scene["samples"] for scene in scenes.values()) / total
            for column in columns
        ]
        text.append(f"| mean over samples | | {' | '.join(f'{mean:.3f}' for mean in means)} | |")
    return "\n".join(text) + "\n"


def main() -> None:
    """Measure every scene, print and store the tables."""
    clocks: dict[str, Clock] = {}
    scenes = {}
    for name in ccsds123_scenes.names():
        scenes[name] = measure(name, clocks)
        print(name, scenes[name]["tuned"], scenes[name]["rates"]["0"], flush=True)
    speeds = {name: clock.speeds() for name, clock in clocks.items()}
    result = {"head": head(), "grid": GRID, "speeds": speeds, "scenes": scenes}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "ccsds123_rate.json").write_text(json.dumps(result, indent=1) + "\n")
    (RESULTS / "ccsds123_rate.md").write_text(markdown(result))


if __name__ == "__main__":
    main()
