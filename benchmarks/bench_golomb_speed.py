"""How fast the sample-adaptive coder is on one core."""

from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks.harness.record import best_of_5, save
from benchmarks.harness.reference_loop import loop_msteps_per_s
from runtime.ccsds123 import golomb
from runtime.ccsds123.golomb import GolombParameters
from runtime.kernels.bits import finish, initial_bits

N_BANDS, N_COLUMNS, N_LINES = 200, 1000, 50

Lines = npt.NDArray[np.int32]


def encode_all(parameters: GolombParameters, lines: list[Lines], buffer: npt.NDArray[np.uint8]) -> int:
    """Bytes of the coded lines."""
    state, bits = golomb.initial_state(parameters, N_BANDS), initial_bits()
    for line in lines:
        golomb.encode_line(parameters, line, state, buffer, bits)
    return finish(buffer, bits)


def decode_all(parameters: GolombParameters, data: npt.NDArray[np.uint8]) -> None:
    """Decode all lines into one array."""
    state, bits = golomb.initial_state(parameters, N_BANDS), initial_bits()
    out = np.empty((N_BANDS, N_COLUMNS), np.int32)
    for _ in range(N_LINES):
        golomb.decode_line(parameters, data, bits, state, out)


def main() -> None:
    """Code and decode 10 Msamples of geometric residuals at three rates."""
    loop = loop_msteps_per_s()
    rows = []
    for mean in (2, 20, 200):
        parameters = GolombParameters(16)
        generator = np.random.default_rng(0)
        lines = [
            np.minimum(generator.geometric(1 / (mean + 1), (N_BANDS, N_COLUMNS)) - 1, 65535).astype(np.int32)
            for _ in range(N_LINES)
        ]
        n_samples = N_LINES * N_BANDS * N_COLUMNS
        buffer = np.empty(golomb.worst_bytes(parameters, n_samples), np.uint8)

        encode = partial(encode_all, parameters, lines, buffer)
        n_bytes = encode()
        decode = partial(decode_all, parameters, buffer[:n_bytes])
        seconds = {"encode": best_of_5(encode), "decode": best_of_5(decode)}
        for way, value in seconds.items():
            rows.append(
                {
                    "way": way,
                    "bits per sample": 8 * n_bytes / n_samples,
                    "Msamples/s": n_samples / value / 1e6,
                    "samples per step of the loop": n_samples / value / 1e6 / loop,
                }
            )
    save("golomb_speed", "python -m benchmarks.bench_golomb_speed", rows, integer_loop_msteps_per_s=loop)


if __name__ == "__main__":
    main()
