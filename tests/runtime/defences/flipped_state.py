"""Lines coded while a bit of what they are predicted from changes in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from hil_tests.fault_programs.bit_flips import flip_bit
from runtime.codec.encoder import Encoder
from runtime.prediction.flight_predictor import FlightState


def coded_with_a_flip(
    encoder: Encoder, lines: npt.NDArray[np.integer[Any]], before: int, part: Callable[[FlightState], Any]
) -> bytes:
    """The stream of lines (Y, Z, X); a bit of a part of the network's state changes before line `before`."""
    stream = encoder.header
    for y, line in enumerate(lines):
        if y == before:
            assert encoder.segments.segment is not None
            state = encoder.segments.segment.writer.state
            assert isinstance(state, FlightState)
            flip_bit(part(state), np.random.default_rng(0))
        stream += encoder.push(line)
    return stream + encoder.finish()
