"""How many samples a second the flight network trains on from a bank, by number format and with or without compiling.

A whole step: gather of crops, forward, loss, backward, clip, optimiser; then its parts alone. Predicted samples count.
Wall time of the best of some rounds of several steps, the device waited for at the end of each round. The bank holds
random numbers: speed does not depend on them. Writes benchmarks/results/bank_step_DEVICE.json and .md.

    python -m benchmarks.bench_bank_step [cuda|cpu] [BATCH_SIZE ...]
"""

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks.harness.record import save
from model.batches.flight_bank import Bank, BankBatches, Rows
from model.batches.flight_batches import FlightPlan
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.training.losses import compiled_training_loss, training_loss
from runtime.cell.flight_inputs import BAND_FEATURES, LEVELS, LINE_FEATURES, TAPS

LINES, BANDS, COLUMNS = 64, 32, 64
SEGMENT = (LINES - 1, 100, 100)
SEGMENTS = {"cuda": 100, "cpu": 2}
BATCH_SIZES = {"cuda": (32,), "cpu": (1,)}
STEPS, ROUNDS = {"cuda": 10, "cpu": 1}, 3


class Variant(NamedTuple):
    """How a step computes."""

    precision: str
    is_compiled: bool


VARIANTS = [
    Variant("float32", False),
    Variant("tf32", False),
    Variant("bf16", False),
    Variant("tf32", True),
    Variant("bf16", True),
]


def random_bank(n_segments: int, device: torch.device) -> Bank:
    """A bank of noise."""
    n = n_segments * int(np.prod(SEGMENT))

    def integers(width: int, largest: int, kind: torch.dtype) -> torch.Tensor:
        return torch.randint(-largest, largest + 1, (n, width), dtype=kind, device=device)

    rows = Rows(
        integers(LINE_FEATURES + LEVELS, 64, torch.int8),
        integers(BAND_FEATURES, 64, torch.int8),
        integers(TAPS, 30, torch.int16),
        integers(1, 30, torch.int16),
    )
    first = np.arange(n_segments) * int(np.prod(SEGMENT))
    segments = np.column_stack([first, np.tile(SEGMENT, (n_segments, 1))])
    return Bank(rows, segments, np.full(n_segments, 1 / n_segments))


def milliseconds(work: Callable[[int], Any], device: str) -> float:
    """Of one call, the best of some rounds."""
    work(0)
    work(1)  # compiles what the first call left

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    times = []
    for _ in range(ROUNDS):
        wait()
        start = time.perf_counter()
        for i in range(STEPS[device]):
            work(i)
        wait()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times) / STEPS[device]


def measure(variant: Variant, bank: Bank, batch_size: int, device: str) -> dict[str, Any]:
    """One row of the table."""
    torch.set_float32_matmul_precision("high" if variant.precision == "tf32" else "highest")
    torch.manual_seed(0)
    network = FlightNetwork(FlightConfig()).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    plan = FlightPlan(LINES, BANDS, COLUMNS, batch_size)
    batches = BankBatches(bank, plan, STEPS[device] + 1, 0, 0)
    function = compiled_training_loss() if variant.is_compiled else training_loss
    batch = batches[0]

    def step(index: int | None, loss_name: str) -> None:
        now = batch if index is None else batches[index]
        with torch.autocast(device, torch.bfloat16, enabled=variant.precision == "bf16"):
            loss = function(network, now, loss_name, 0.3)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    step(0, "staged")
    first = time.perf_counter() - start
    whole = milliseconds(lambda i: step(i, "staged"), device)
    row = {
        "precision": variant.precision,
        "compiled": variant.is_compiled,
        "batch": batch_size,
        "msamples_per_s": round(batch_size * (LINES - 1) * BANDS * (COLUMNS - 4) / whole / 1e3, 2),
        "step_ms": round(whole, 2),
        "gather_ms": round(milliseconds(lambda i: batches[i], device), 2),
        "step_of_rate_loss_ms": round(milliseconds(lambda i: step(None, "rate"), device), 2),
        "first_step_s": round(first, 1),
    }
    if device == "cuda":
        row["peak_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 1)
    print(row, flush=True)
    return row


def main() -> None:
    """Measure, print and write the table."""
    device = sys.argv[1] if len(sys.argv) > 1 else "cuda"
    sizes = [int(word) for word in sys.argv[2:]] or BATCH_SIZES[device]
    torch.set_num_threads(1)
    bank = random_bank(SEGMENTS[device], torch.device(device))
    variants = [variant for variant in VARIANTS if device == "cuda" or variant == Variant("float32", False)]
    rows = [measure(variant, bank, size, device) for variant in variants for size in sizes]
    name = torch.cuda.get_device_name() if device == "cuda" else "one thread"
    crop = f"{LINES} lines, {BANDS} bands, {COLUMNS} columns"
    save(f"bank_step_{device}", f"python -m benchmarks.bench_bank_step {device}", rows, device=name, crop=crop)


if __name__ == "__main__":
    main()
