"""An encoder of live lines whose segments may have different forms, all loaded and compiled before the first line."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import LiveEncoder
from runtime.codec.opened_encoder import executor_of, needed_package
from runtime.codec.segment_encoder import SegmentEncoder
from runtime.codec.warm_up import warm_up
from runtime.executors.array_executor import ArrayExecutor
from runtime.segments.line_threads import opened_threads
from runtime.stream.image_description import ImageDescription
from runtime.stream.segment_header import NO_PACKAGE
from runtime.stream.telemetry import SegmentTelemetry


class Form(NamedTuple):
    """One way to code a segment."""

    name: str
    options: CodingOptions  # But for the maximum error


class LoadedForms(NamedTuple):
    """What codes segments, for one stream after another."""

    forms: tuple[Form, ...]
    packages: tuple[FlightPackage, ...]
    encoders: dict[tuple[int, int], SegmentEncoder]
    """By form and maximum error."""
    executors: tuple[ArrayExecutor | None, ...]
    """Of each form."""
    rows: tuple[int, ...]
    """Of each form's package in `packages`; NO_PACKAGE where it needs none."""
    threads: tuple[ThreadPoolExecutor, ...] = ()
    """For parts of lines, of all forms."""


@contextlib.contextmanager
def loaded_forms(
    image: ImageDescription, forms: Sequence[Form], max_errors: Sequence[int], n_threads: int = 1
) -> Iterator[LoadedForms]:
    """Every form with every maximum error, warm; packages and executors are closed with the block.

    n_threads: as in `opened_encoder`. Raises LineRwkvError.
    """
    with contextlib.ExitStack() as stack:
        opened: dict[Path, tuple[int, FlightPackage]] = {}
        for form in forms:
            package = needed_package(form.options) if form.options.package not in opened else None
            if package is not None:
                opened[form.options.package] = len(opened), package
        placed = [opened[form.options.package] if form.options.has_network else (NO_PACKAGE, None) for form in forms]
        executors = [
            stack.enter_context(executor_of(form.options, package))
            for form, (_, package) in zip(forms, placed, strict=True)
        ]
        threads = stack.enter_context(opened_threads(n_threads))  # closed before the executors that they call
        encoders = {}
        for number, (form, (row, package)) in enumerate(zip(forms, placed, strict=True)):
            for max_error in max_errors:
                encoder = form_encoder(image, form.options, max_error, package, executors[number], row, threads)
                warm_up(encoder)
                encoders[number, max_error] = encoder
        rows = tuple(row for row, _ in placed)
        packages = tuple(package for _, package in opened.values())
        yield LoadedForms(tuple(forms), packages, encoders, tuple(executors), rows, threads)


def form_encoder(
    image: ImageDescription, options: CodingOptions, max_error: int, package: FlightPackage | None,
    executor: ArrayExecutor | None, row: int, threads: Sequence[ThreadPoolExecutor] = (),
) -> SegmentEncoder:  # fmt: skip
    """What codes segments of a form, once a `FormsEncoder` has begun a stream. row: of the package in its table."""
    options = replace(options, max_error=max_error)
    return SegmentEncoder(image, options, 0, package, executor, threads, package_index=row)


class FormsEncoder(LiveEncoder):
    """One stream. `use` chooses how the lines after it are coded."""

    def __init__(
        self, image: ImageDescription, loaded: LoadedForms, form: int, max_error: int,
        on_segment: Callable[[SegmentTelemetry], None] | None = None,
    ) -> None:  # fmt: skip
        """form: index of a form; with max_error one that is loaded."""
        self.loaded = loaded
        self.chosen = form, max_error
        self.segments = loaded.encoders[self.chosen]
        super().__init__(image, self.segments.options, loaded.packages, on_segment)
        for encoder in loaded.encoders.values():
            encoder.closing.stream_crc = self.stream_crc
            encoder.begin(0, 0, has_network=True)

    @property
    def is_between_segments(self) -> bool:
        """Whether the next line begins a segment."""
        return self.segments.segment is None

    def use(self, form: int, max_error: int) -> bytes:
        """Close the open segment and code what follows by another form; returns what is complete now."""
        closed = self.sent(self.close())
        self.chosen = form, max_error
        self.segments = self.loaded.encoders[self.chosen]
        self.options = self.segments.options
        self.codes.beyond = self.options.out_of_range
        return closed
