"""A scene that encoders of faults code, and what it is coded by."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from runtime.cell.flight_package import IntegerPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import NetworkUse
from runtime.defences.segment_guard import GuardLevel
from runtime.executors.array_executor import ArrayExecutor
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import PredictorKind
from runtime.stream.telemetry import SegmentTelemetry

N_LINES, N_BANDS, N_COLUMNS, DEPTH = 12, 5, 7, 12
IMAGE = ImageDescription(N_BANDS, N_COLUMNS, DEPTH, is_signed=False)
LINES = st.integers(0, N_LINES - 1)
SEGMENTS = st.integers(1, N_LINES + 1)
ERRORS = st.sampled_from([0, 0, 3])
ALWAYS = NetworkUse.ALWAYS
GUARDED = [GuardLevel.CHECKS, GuardLevel.PROOF]
WITHOUT_NETWORK = [PredictorKind.DPCM, PredictorKind.RLS, PredictorKind.CCSDS123]


def scene(seed: int, *, is_noise: bool = False) -> np.ndarray:
    generator = np.random.default_rng(seed)
    if is_noise:
        return generator.integers(0, 1 << DEPTH, (N_LINES, N_BANDS, N_COLUMNS))
    walk = generator.integers(-9, 10, (N_LINES, N_BANDS, N_COLUMNS)).cumsum(0)
    return np.clip(walk + 1000 + 40 * np.arange(N_BANDS)[:, None], 0, (1 << DEPTH) - 1)


def encode(
    package: IntegerPackage | None, cube: np.ndarray, executor: ArrayExecutor | None = None, **options: Any
) -> tuple[bytes, list[SegmentTelemetry]]:
    telemetry: list[SegmentTelemetry] = []
    encoder = Encoder(IMAGE, CodingOptions(network=ALWAYS, **options), package, executor, telemetry.append)
    return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()]), telemetry
