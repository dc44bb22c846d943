"""What a size of the residual, said by the network, would add to the contexts of the range coder.

The mapped residuals of scenes are taken from the real encoder (package `unseen`, stage `best`). A small perceptron
is trained on scenes that the package has seen to say how large each is: from what the range coder expects by its
neighbours alone, or from that and the hidden features of the network's decoder too, at least as good as an output of
the network's own. What is said is cut into contexts as fine as the coder's, and a context costs the entropy of what
lies in it. The coder's own contexts stand beside.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_expected_scale
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchmarks.harness.record import SCENES, save
from benchmarks.rate.codecs import StreamCodec
from benchmarks.rate.residuals import of_stream
from model.batches.flight_batches import segment_inputs
from model.evaluation.flight_evaluate import band_chunks, chunk_taps
from quantize.dequantized import float_network
from runtime.cell.flight_package import open_integer_package
from runtime.coders.residual_contexts import context, end_band, end_line, expected_size, fill_known, initial_contexts
from runtime.images.scene_reader import open_scene
from runtime.kernels.kernel_cache import njit
from runtime.stream.kinds import AdaptiveStage, PredictorKind

PACKAGE = Path(__file__).parent / "cross_validation" / "unseen"
TRAINED = ("abu_beach_2", "abu_urban_1", "jasper_ridge", "sandiego", "hyperion_paris")
MEASURED = ("abu_airport_3", "abu_urban_4", "enmap_potsdam_a", "hyspecnet_dt4950_x03110438")
PER_OCTAVE, ESCAPE, STEPS, BATCH = 8, 24, 3000, 4096
Floats = npt.NDArray[np.float32]


@njit(cache=False)
def fill_expected(mapped: Any, contexts: Any, out: Any) -> None:
    """What the range coder expects of a line (Z, X), in 1/16."""
    known = np.empty(mapped.shape[1], np.int64)
    for z in range(mapped.shape[0]):
        fill_known(z, mapped, contexts, known)
        for x in range(mapped.shape[1]):
            out[z, x] = expected_size(x, known, mapped[z])
        end_band(z, mapped[z], contexts)
    end_line(mapped, contexts)


def sample_of(name: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], Floats]:
    """Mapped residuals (N,), what is expected (N,), and hidden features (N, S), of all lines but the first."""
    scene = open_scene(SCENES / f"{name}.hdr")
    mapped = of_stream(StreamCodec("", PredictorKind.LINERWKV, AdaptiveStage.BEST, PACKAGE), scene)
    expected = np.empty(mapped.shape, np.int64)
    contexts = initial_contexts(*mapped.shape[1:])
    for line, out in zip(mapped, expected, strict=True):
        fill_expected(line.copy(), contexts, out)
    network = float_network(open_integer_package(PACKAGE).cell).eval()
    found: list[Tensor] = []
    network.decoder.register_forward_hook(lambda *call: found.append(call[2][0]))
    inputs = segment_inputs(np.asarray(scene.samples).astype(np.int32))
    for bands in band_chunks(network.config, mapped.shape[1]):
        chunk_taps(network, inputs, bands)
    hidden = torch.cat(found, dim=1).flatten(0, 2).numpy()
    return mapped[1:].reshape(-1), expected[1:].reshape(-1), hidden


class Size(nn.Module):
    """log2 of the expected residual: that of the coder, and what a perceptron adds."""

    def __init__(self, n_hidden: int) -> None:
        super().__init__()
        self.n_hidden = n_hidden
        sizes = (n_hidden + 1, 32, 32)
        hidden = [layer for n, m in itertools.pairwise(sizes) for layer in (nn.Linear(n, m), nn.ReLU())]
        self.layers = nn.Sequential(*hidden, nn.Linear(sizes[-1], 1))

    def forward(self, by_neighbours: Tensor, hidden: Tensor) -> Tensor:
        """(N,)."""
        inputs = torch.cat([by_neighbours[:, None] / 4, hidden[:, : self.n_hidden]], dim=1)
        added: Tensor = self.layers(inputs)[:, 0]
        return by_neighbours + added


def log_size(expected: npt.NDArray[np.int64]) -> Tensor:
    """log2, in samples."""
    return torch.from_numpy(np.log2((expected + 8) / 16)).float()


def trained(n_hidden: int, parts: list[tuple[Any, Any, Any]]) -> Size:
    """Makes the code length of geometric residuals small, by Adam; each scene counts the same."""
    torch.manual_seed(0)
    network = Size(n_hidden)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for step in range(STEPS):
        mapped, expected, hidden = parts[step % len(parts)]
        chosen = torch.randint(len(mapped), (BATCH,))
        mean = torch.exp2(network(log_size(expected[chosen]), torch.from_numpy(hidden[chosen])).clamp(-6, 16))
        values = torch.from_numpy(mapped[chosen]).float()
        bits = torch.log2(1 + mean) + values * (torch.log2(1 + mean) - torch.log2(mean))
        optimizer.zero_grad()
        bits.mean().backward()  # type: ignore[no-untyped-call]  # torch's own
        optimizer.step()
        decay.step()
    return network


def cost(mapped: npt.NDArray[np.int32], contexts: npt.NDArray[np.int64]) -> float:
    """Bits a sample where each context codes at its own entropy: symbols as the range coder's, low bits plain."""
    shifts = np.maximum(0, contexts // PER_OCTAVE - 6)
    symbols = np.minimum(mapped >> shifts, ESCAPE)
    rest = (mapped >> shifts) - ESCAPE + 1
    escaped = np.where(rest > 0, 2 * np.log2(np.maximum(rest, 1)) + 1, 0)
    counts = np.zeros((contexts.max() + 1, ESCAPE + 1))
    np.add.at(counts, (contexts, symbols), 1)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    entropy = -(counts * np.log2(np.maximum(shares, 1e-12))).sum()
    return float((entropy + shifts.sum() + escaped.sum()) / mapped.size)


def main() -> None:
    """Train twice, measure, write the table."""
    torch.set_num_threads(1)
    parts = [sample_of(name) for name in TRAINED]
    sizes = {name: trained(n, parts) for name, n in (("perceptron", 0), ("with network", parts[0][2].shape[1]))}
    rows = []
    for name in MEASURED:
        mapped, expected, hidden = sample_of(name)
        row: dict[str, Any] = {"scene": name, "coder": cost(mapped, np.array([context(e) for e in expected]))}
        for label, size in sizes.items():
            with torch.inference_mode():
                said = size(log_size(expected), torch.from_numpy(hidden)).numpy()
            steps = np.clip(np.floor(PER_OCTAVE * (said + 4)), 0, 176).astype(np.int64)
            row[label] = cost(mapped, steps)
        row["gain by network"] = row["perceptron"] - row["with network"]
        rows.append({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()})
    sha256 = open_integer_package(PACKAGE).sha256.hex()
    save("expected_scale", "OMP_NUM_THREADS=1 python -m benchmarks.bench_expected_scale", rows, package_sha256=sha256)


if __name__ == "__main__":
    main()
