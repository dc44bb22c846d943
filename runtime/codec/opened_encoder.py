"""The one way to an encoder: package, supervised executors, telemetry and warm-up from options."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from runtime.cell.flight_package import FlightPackage, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.codec.stream_encoder import StreamEncoder
from runtime.codec.threaded_encoder import ThreadedEncoder, useful_threads
from runtime.codec.warm_up import warm_up
from runtime.defences.encoding_executor import encoding_executor
from runtime.executors.array_executor import ArrayExecutor
from runtime.segments.line_threads import opened_threads
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
    on_segment: OnSegment | None = None, pipe: TextIO = sys.stdout, is_live: bool = False, n_threads: int = 1,
) -> Iterator[Encoder]:  # fmt: skip
    """An encoder that has seen no line; what it needs is closed at the end of the block. Raises LineRwkvError.

    loaded: in place of `options.package` and `options.executor`. on_segment: called after each segment, beside the log
    of `options.telemetry`, whose `-` is `pipe`. is_live: lines do not wait, so all that they can need is compiled
    before the first one, as it is where the worker of `options.isolate` has a deadline. n_threads: on 2 or more
    parts of a line are done beside another (runtime/segments/line_threads.py); the bytes are the same.
    """
    with contextlib.ExitStack() as stack:
        loaded = loaded if options.has_network else None
        package = loaded.package if loaded is not None else needed_package(options)
        running = contextlib.nullcontext(loaded.executor) if loaded is not None else executor_of(options, package)
        executor = stack.enter_context(running)
        threads = stack.enter_context(opened_threads(n_threads))
        encoder = Encoder(image, options, package, executor, told(stack, options, on_segment, pipe), threads)
        if is_live or options.isolate:
            warm_up(encoder.segments)
        yield encoder


@contextlib.contextmanager
def opened_file_encoder(
    options: CodingOptions, image: ImageDescription, n_threads: int, *, loaded: Loaded | None = None,
    pipe: TextIO = sys.stdout,
) -> Iterator[StreamEncoder]:  # fmt: skip
    """As `opened_encoder`, for lines that may wait: on as many of `n_threads` as there are segments for.

    Where these are too few, and with `loaded`, which is one executor, it is `opened_encoder`.
    """
    n_useful = 1 if loaded is not None else useful_threads(n_threads, image, options)
    with contextlib.ExitStack() as stack:
        if n_useful == 1:
            yield stack.enter_context(opened_encoder(options, image, loaded=loaded, pipe=pipe, n_threads=n_threads))
            return
        package = needed_package(options)
        executors = [stack.enter_context(executor_of(options, package)) for _ in range(n_useful)]
        encoder = ThreadedEncoder(image, options, package, executors, told(stack, options, None, pipe))
        stack.enter_context(encoder.work)
        for worker in encoder.workers if options.isolate else ():
            warm_up(worker)
        yield encoder


def needed_package(options: CodingOptions) -> FlightPackage | None:
    """The package that options need. Raises LineRwkvError."""
    return open_package(options.package, options.trust) if options.has_network else None


def executor_of(
    options: CodingOptions, package: FlightPackage | None
) -> contextlib.AbstractContextManager[ArrayExecutor | None]:
    """What runs a package, as options say."""
    return encoding_executor(package, options.executor, options.line_deadline if options.isolate else None)


def told(
    stack: contextlib.ExitStack, options: CodingOptions, on_segment: OnSegment | None, pipe: TextIO
) -> OnSegment | None:
    """What is called after each segment; the stack closes the log of telemetry."""
    called = [on_segment] if on_segment else []
    if options.telemetry is not None:
        called.append(stack.enter_context(telemetry_log(Path(options.telemetry), pipe)))
    return partial(call_each, called) if called else None


def call_each(functions: list[OnSegment], segment: SegmentTelemetry) -> None:
    """Call all of them with a segment."""
    for function in functions:
        function(segment)
