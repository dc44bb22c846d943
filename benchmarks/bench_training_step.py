"""How many samples a second one training step (forward and backward) takes in, and how near that is to the hardware.

On the CPU: thread time of one core, best of five, beside a matrix product of the network's own size in the same run;
a sample is one that enters the loss. On CUDA: wall time, and the share of the memory's bandwidth, which a copy in the
same run gives. Writes benchmarks/results/training_step_DEVICE.json and .md.

    python -m benchmarks.bench_training_step [cpu|cuda]
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness.flight_step import flight_step
from benchmarks.harness.record import save
from model.batches.batches import MARGIN
from model.batches.flight_batches import LEAD
from model.evaluation.networks import AnyNetwork, count_macs
from model.network.config import PRESETS
from model.network.flight_config import FlightConfig
from model.network.flight_network import FlightNetwork
from model.network.network import LineRwkv
from model.training.heap import keep_freed_memory
from model.training.losses import rate_loss

ROUNDS = 5
FLIGHT = {"flight": FlightConfig(), "flight, 32": FlightConfig(features=32)}
"""Their crops have LEAD bands of context before the bands counted here."""
CASES = [
    *((preset, 2, 64, 16, columns) for preset in FLIGHT for columns in (36, 68)),
    ("small", 1, 64, 16, 20),
    ("small", 4, 64, 16, 20),
    ("paper", 1, 64, 16, 20),
    ("paper", 1, 64, 100, 20),
]
CUDA_CASES = [
    ("flight", 32, 64, 16, 68),
    ("small", 32, 64, 16, 68),
    ("paper", 16, 64, 16, 68),
    ("paper", 4, 64, 100, 68),
]
FLOPS_PER_MAC = 6  # a multiplication and an addition, forward and twice backward
MATRIX_ROWS, MATRIX_REPEATS = 16_128, 20
COPY_BYTES = 1 << 28


def cpu_seconds(work: Callable[[], None]) -> float:
    """Time of this thread."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def cuda_seconds(work: Callable[[], None]) -> float:
    """Wall time until the device has finished."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def training_step(preset: str, batch: int, lines: int, bands: int, columns: int, device: str) -> Callable[[], None]:
    """A step without the optimiser, which costs 1 % of it."""
    if preset in FLIGHT:
        return flight_step(FLIGHT[preset], batch, lines, bands, columns, device)
    torch.manual_seed(0)
    network = LineRwkv(PRESETS[preset]).to(device)
    with torch.no_grad():
        network.decoder.weight.normal_(std=0.1)
    samples = torch.randn(batch, lines, bands, columns, device=device)
    kept = torch.arange(MARGIN, columns - MARGIN, device=device)
    target = torch.randn(batch, lines - 1, bands, len(kept), device=device)
    scale = torch.ones(batch, bands, device=device)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        rate_loss(network(samples, kept), target, scale).backward()  # type: ignore[no-untyped-call]  # torch's own

    return step


def matrix_product(features: int, device: str) -> Callable[[], None]:
    """The product that the network is made of, alone and in the cache."""
    rows, weight = torch.randn(MATRIX_ROWS, features, device=device), torch.randn(features, features, device=device)
    out = torch.empty_like(rows)

    def work() -> None:
        for _ in range(MATRIX_REPEATS):
            torch.mm(rows, weight, out=out)

    return work


def copied(device: str) -> Callable[[], None]:
    """A copy of COPY_BYTES, which are read and written."""
    source = torch.empty(COPY_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return lambda: (target.copy_(source), None)[1]


def untrained(preset: str) -> AnyNetwork:
    """The network of a case."""
    return FlightNetwork(FLIGHT[preset]) if preset in FLIGHT else LineRwkv(PRESETS[preset])


def measure(case: tuple[str, int, int, int, int], device: str) -> dict[str, Any]:
    """One row of the table."""
    preset, batch, lines, bands, columns = case
    seconds = cuda_seconds if device == "cuda" else cpu_seconds
    network = untrained(preset)
    features = network.config.features
    step, product = training_step(*case, device), matrix_product(features, device)
    step()  # compiles
    product()
    step_times, product_times = [], []
    for _ in range(ROUNDS):  # in turn, so that both meet the same neighbours on the machine
        product_times.append(seconds(product))
        step_times.append(seconds(step))
    n_samples = batch * (lines - 1) * bands * (columns - 2 * MARGIN)
    step_gflops = n_samples * FLOPS_PER_MAC * count_macs(network) / min(step_times) / 1e9
    product_gflops = 2 * MATRIX_ROWS * features**2 * MATRIX_REPEATS / min(product_times) / 1e9
    row: dict[str, Any] = {
        "preset": preset,
        "features": features,
        "crop": f"{batch} x {lines} x {f'({LEAD} + {bands})' if preset in FLIGHT else bands} x {columns}",
        "msamples_per_s": round(n_samples / min(step_times) / 1e6, 4),
        "step_gflops": round(step_gflops, 1),
        "matrix_product_gflops": round(product_gflops, 1),
        "share_of_matrix_product": round(step_gflops / product_gflops, 3),
    }
    if device == "cuda" and preset not in FLIGHT:
        copy = copied(device)
        copy()
        bandwidth = 2 * COPY_BYTES / min(cuda_seconds(copy) for _ in range(ROUNDS))
        row["share_of_bandwidth"] = round(step_bytes(case) / min(step_times) / bandwidth, 3)
    return row


def step_bytes(case: tuple[str, int, int, int, int]) -> float:
    """Bytes that a step must move at least: each feature vector that its backward pass needs, written and read once."""
    preset, batch, lines, bands, columns = case
    config = PRESETS[preset]
    # of a block: input, 3 blends, 3 projections, gated, sum, 2 blends, 2 projections, square; of a convolution: 5
    vectors = 14 * config.line_blocks + 5 * (config.encoder_layers + config.band_layers) + 8 * config.band_attention
    return 2.0 * 4 * config.features * vectors * batch * (lines - 1) * bands * (columns - 2 * MARGIN)


def main() -> None:
    """Measure, print and write the table."""
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    rows = [measure(case, device) for case in (CUDA_CASES if device == "cuda" else CASES)]
    facts = {"device": torch.cuda.get_device_name() if device == "cuda" else "one thread", "torch": torch.__version__}
    save(f"training_step_{device}", f"python -m benchmarks.bench_training_step {device}", rows, **facts)


if __name__ == "__main__":
    main()
