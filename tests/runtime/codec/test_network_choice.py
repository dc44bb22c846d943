"""An encoder leaves the network out of segments where trials show that it does not gain, and every line comes back."""

import dataclasses
import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import TRIAL_EVERY, NetworkUse
from runtime.codec.stream_reader import StreamReader
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import Corrupt
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.executors import make_executor
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind
from runtime.stream.telemetry import FaultKind, SegmentTelemetry

Cube = npt.NDArray[np.integer[Any]]
IMAGE = ImageDescription(6, 20, 12, is_signed=False)
NETWORK, ALONE = PredictorKind.LINERWKV, PredictorKind.RLS


class Counting(ArrayExecutor):
    """Counts the steps of another one."""

    def __init__(self, executor: ArrayExecutor) -> None:
        self.executor, self.provider, self.sha256, self.n_steps = executor, executor.provider, executor.sha256, 0

    def run(self, inputs: Arrays) -> Arrays:
        self.n_steps += 1
        return self.executor.run(inputs)


def cube_of(n_lines: int, seed: int = 0) -> Cube:
    generator = np.random.default_rng(seed)
    texture = np.cumsum(generator.normal(0, 3, (n_lines, 20)), axis=1)
    lines = 1500 + texture[:, None] + 100 * np.arange(6)[:, None] + generator.normal(0, 8, (n_lines, 6, 20))
    return np.clip(lines, 0, 4095).astype(np.int64)


def decoded(stream: bytes, package: FlightPackage) -> Cube:
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header, [package])
    return np.array([line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)])


def predictors(stream: bytes) -> list[PredictorKind]:
    return [header.coding.predictor for header, _ in StreamReader(io.BytesIO(stream)).segments()]


def streamed(encoder: Encoder, cube: Cube) -> bytes:
    return b"".join([encoder.header, *(encoder.push(line) for line in cube), encoder.finish()])


@pytest.mark.parametrize("max_error", [0, 3])
@pytest.mark.parametrize("stage", [AdaptiveStage.FAST, AdaptiveStage.BEST])
def test_each_trial_decides_until_the_next(stage: AdaptiveStage, max_error: int, package: FlightPackage) -> None:
    """Segments between trials are those of the winner; a trial is the smaller of both ways, a stream never longer."""
    cube = cube_of(2 * TRIAL_EVERY * 4 + 6)
    ways = {}
    for use, predictor in ((NetworkUse.AUTO, NETWORK), (NetworkUse.ALWAYS, NETWORK), (NetworkUse.AUTO, ALONE)):
        options = CodingOptions(predictor, stage=stage, max_error=max_error, segment_lines=4, network=use)
        has_network = predictor is NETWORK
        told: list[SegmentTelemetry] = []
        executor = Counting(make_executor(package)) if has_network else None
        encoder = Encoder(IMAGE, options, package if has_network else None, executor, told.append)
        stream = streamed(encoder, cube)
        assert np.abs(decoded(stream, package) - cube).max() <= max_error
        assert encoder.n_fallbacks == 0
        sizes = [one.header.n_payload_bytes for one in told]
        ways[use, predictor] = (stream, sizes, executor.n_steps if executor is not None else 0)
    (auto, sizes, n_steps), (always, with_network, all_steps), (_, alone, _) = ways.values()
    assert set(predictors(always)) == {NETWORK}
    has_network = True
    for i, (kind, size) in enumerate(zip(predictors(auto), sizes, strict=True)):
        if i % TRIAL_EVERY == 0:
            has_network = with_network[i] <= alone[i]
        assert kind is (NETWORK if has_network else ALONE)
        assert size == (with_network if has_network else alone)[i]
    if set(predictors(auto)) == {ALONE}:
        assert n_steps < all_steps / 4  # its time is saved


@pytest.mark.parametrize("guard", list(GuardLevel))
def test_a_network_that_gains_is_used_and_one_that_does_not_is_left_out(
    guard: GuardLevel, package: FlightPackage
) -> None:
    options = CodingOptions(segment_lines=3, guard=guard)
    cube = cube_of(15)
    encoder = Encoder(IMAGE, options, package, make_executor(package))
    stream = encoder.header + b"".join(encoder.push(line) for line in cube[:3])
    for gains, kind in ((True, NETWORK), (False, ALONE)):
        encoder.segments.choice.has_network = gains
        stream += b"".join(encoder.push(line) for line in cube[encoder.n_lines : encoder.n_lines + 3])
        assert encoder.segments.segment is None
        encoder.segments.choice.has_network = gains
        assert encoder.segments.new_segment().codec.coding.predictor is kind
    stream += b"".join(encoder.push(line) for line in cube[encoder.n_lines :]) + encoder.finish()
    np.testing.assert_array_equal(decoded(stream, package), cube)
    assert predictors(stream)[1:] == [NETWORK, ALONE, ALONE, ALONE]


def test_without_a_stage_or_when_asked_for_or_in_one_segment_there_is_no_trial(package: FlightPackage) -> None:
    short = dataclasses.replace(IMAGE, n_lines=4)
    for image, options in (
        (IMAGE, CodingOptions(stage=AdaptiveStage.NONE)), (IMAGE, CodingOptions(network=NetworkUse.ALWAYS)),
        (short, CodingOptions(segment_lines=4)),
    ):  # fmt: skip
        encoder = Encoder(image, options, package, make_executor(package))
        assert encoder.segments.alone is None
        assert set(predictors(streamed(encoder, cube_of(4)))) == {NETWORK}


def test_an_executor_that_fails_in_a_trial_costs_no_line(package: FlightPackage) -> None:
    class Failing(Counting):
        def run(self, inputs: Arrays) -> Arrays:
            if self.n_steps == 5:
                raise Corrupt("the step does not run")
            return super().run(inputs)

    cube = cube_of(20)
    told: list[SegmentTelemetry] = []
    encoder = Encoder(IMAGE, CodingOptions(segment_lines=8), package, Failing(make_executor(package)), told.append)
    stream = streamed(encoder, cube)
    np.testing.assert_array_equal(decoded(stream, package), cube)
    assert [fault.kind for one in told for fault in one.faults] == [FaultKind.EXECUTOR]
    assert told[0].header.n_lines < 8
