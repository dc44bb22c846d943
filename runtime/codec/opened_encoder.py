"""The one way to an encoder: package, supervised executor, telemetry and warm-up from options."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from runtime.cell.flight_package import FlightPackage, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.codec.warm_up import warm_up
from runtime.defences.encoding_executor import encoding_executor
from runtime.executors.array_executor import ArrayExecutor
from runtime.stream.image_description import ImageDescription
from runtime.stream.telemetry import SegmentTelemetry
from runtime.stream.telemetry_log import telemetry_log

OnSegment = Callable[[SegmentTelemetry], None]


class Loaded(NamedTuple):
    """A package and what runs it, tested: for who codes several images one after another."""

    package: FlightPackage
    executor: ArrayExecutor


@contextlib.contextmanager
def opened_encoder(
    options: CodingOptions, image: ImageDescription, *, loaded: Loaded | None = None,
    on_segment: OnSegment | None = None, pipe: TextIO = sys.stdout, is_live: bool = False,
) -> Iterator[Encoder]:  # fmt: skip
    """An encoder that has seen no line; what it needs is closed at the end of the block. Raises LineRwkvError.

    loaded: in place of `options.package` and `options.executor`. on_segment: called after each segment, beside the log
    of `options.telemetry`, whose `-` is `pipe`. is_live: lines do not wait, so all that they can need is compiled
    before the first one, as it is where the worker of `options.isolate` has a deadline.
    """
    with contextlib.ExitStack() as stack:
        package: FlightPackage | None = None
        executor: ArrayExecutor | None = None
        if options.has_network and loaded is not None:
            package, executor = loaded
        elif options.has_network:
            package = open_package(options.package, options.trust)
        if executor is None:
            deadline_s = options.line_deadline if options.isolate else None
            executor = stack.enter_context(encoding_executor(package, options.executor, deadline_s))
        called = [on_segment] if on_segment else []
        if options.telemetry is not None:
            called.append(stack.enter_context(telemetry_log(Path(options.telemetry), pipe)))
        encoder = Encoder(image, options, package, executor, partial(call_each, called) if called else None)
        if is_live or options.isolate:
            warm_up(encoder)
        yield encoder


def call_each(functions: list[OnSegment], segment: SegmentTelemetry) -> None:
    """Call all of them with a segment."""
    for function in functions:
        function(segment)
