"""Where a training step of the flight network spends its time, by PyTorch's profiler: plain operations, compiled.

One thread; the least of ROUNDS profiled steps for each part, in ms and as a share of their sum. Writes
benchmarks/results/flight_profile.json and .md.

    python -m benchmarks.bench_flight_profile
"""

from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
from torch.profiler import profile

from benchmarks.harness.flight_step import flight_step
from benchmarks.harness.record import save
from model.network.flight_config import FlightConfig
from model.training.heap import keep_freed_memory

CONFIG, CROP = FlightConfig(), (2, 64, 16, 36)
ROUNDS = 5
PARTS = {
    "layers, forward": ("ClippedProduct", "aten::addmm"),
    "layers, backward": ("ClippedProductBackward", "aten::mm"),
    "clips": ("aten::hardtanh_", "aten::hardtanh", "aten::hardtanh_backward"),
    "memory of lines": ("WeightedMean", "WeightedMeanBackward"),
    "filter, gate, sums": ("Filter", "FilterBackward", "aten::mul", "aten::add", "aten::add_", "aten::sum"),
    "copies, zeros": ("aten::copy_", "aten::cat", "aten::fill_", "aten::zero_", "aten::constant_pad_nd"),
}
OTHERS = "all others"
SWITCHES = ("model.network.clipped_layers.is_compiled_path", "model.batches.flight_batches.is_compiled_path")


def part_times(step: Callable[[], None]) -> dict[str, float]:
    """Own time of the parts of one step, in ms."""
    with profile() as recorded:
        step()
    times = dict.fromkeys([*PARTS, OTHERS], 0.0)
    for event in recorded.key_averages():
        part = next((name for name, keys in PARTS.items() if event.key in keys), OTHERS)
        times[part] += event.self_cpu_time_total / 1e3
    return times


def least_times(step: Callable[[], None]) -> dict[str, float]:
    """Of each part, the least over rounds."""
    step()  # compiles
    rounds = [part_times(step) for _ in range(ROUNDS)]
    return {part: min(times[part] for times in rounds) for part in rounds[0]}


def main() -> None:
    """Profile both variants and write the table."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    step = flight_step(CONFIG, *CROP, "cpu")
    compiled = least_times(step)
    with mock.patch(SWITCHES[0], return_value=False), mock.patch(SWITCHES[1], return_value=False):
        plain = least_times(step)
    rows: list[dict[str, Any]] = []
    for part in compiled:
        rows.append({"part": part})
        for name, times in (("plain", plain), ("compiled", compiled)):
            rows[-1][f"{name}_ms"] = round(times[part], 1)
            rows[-1][f"{name}_share"] = round(times[part] / sum(times.values()), 3)
    crop = "{} x {} x (4 + {}) x {}".format(*CROP)
    save("flight_profile", "python -m benchmarks.bench_flight_profile", rows, features=CONFIG.features, crop=crop)


if __name__ == "__main__":
    main()
