"""A fault on purpose, on this machine: a compression through it, and a comparison.

`python -m hil_tests.fault_programs.fault_trial FAULT` needs nothing but the runtime, so it runs on any target. Worker
processes are stopped and killed by signals, bits are changed in the arrays that the encoder uses; what answers wrongly
sits between the encoder and its executor.
"""

import io
import json
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from hil_tests.fault_programs.bit_flips import flip_bit
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import IntegerPackage, open_integer_package
from runtime.cell.package_files import MANIFEST
from runtime.codec.coding_options import CodingOptions
from runtime.codec.coding_words import coding_words
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import LiveEncoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.opened_encoder import opened_encoder
from runtime.codec.stream_reader import StreamReader
from runtime.executors.executor_process import ExecutorProcess
from runtime.images.synthetic import BIT_DEPTH, synthetic_lines
from runtime.stream.image_description import ImageDescription
from runtime.stream.telemetry import SegmentTelemetry


class TrialFault(StrEnum):
    """What goes wrong before a line."""

    NONE = "none"
    HANG = "hang"
    """The worker process is stopped (SIGSTOP)."""
    DIE = "die"
    """The worker process is killed (SIGKILL)."""
    MALFORMED = "malformed"
    """Answers have one column too few."""
    WRONG = "wrong"
    """Answers have the right shape, and the taps of one band are wrong."""
    STATE = "state"
    """A bit of the predictor's state changes."""
    CODED = "coded"
    """A bit of what is coded so far changes."""
    PACKAGE = "package"
    """A bit of the package in memory changes."""


IN_WORKER = (TrialFault.HANG, TrialFault.DIE)


def provoke(fault: TrialFault, encoder: LiveEncoder, generator: np.random.Generator) -> str:
    """Let something go wrong before the next line; says what, or that there is nothing that could."""
    supervised, segment = encoder.segments.supervised, encoder.segments.segment
    assert supervised is not None
    if fault in IN_WORKER and isinstance(supervised.current, ExecutorProcess):
        supervised.current.child.send_signal(signal.SIGSTOP if fault is TrialFault.HANG else signal.SIGKILL)
        return f"{fault} of process {supervised.current.child.pid}"
    if fault in (TrialFault.MALFORMED, TrialFault.WRONG) and supervised.current is not None:
        supervised.current = FaultyExecutor(supervised.current, fault)
        return f"answers are {fault}"
    if fault is TrialFault.PACKAGE:
        package = supervised.package
        used = [package.parts[name] for name in (MANIFEST, *package.manifest["parts"])]  # a README harms nobody
        return flip_bit([used, package.cell.tensors(), package.conformance.tensors()], generator)
    if fault is TrialFault.STATE and segment is not None and segment.writer.state is not None:
        return flip_bit(segment.writer.state, generator)
    if fault is TrialFault.CODED and segment is not None:
        return flip_bit(segment.writer.written, generator)
    return "nothing"


def trial(
    options: CodingOptions,
    cube: npt.NDArray[np.integer[Any]],
    faults: dict[int, TrialFault],
    generator: np.random.Generator,
    depth: int = BIT_DEPTH,
) -> dict[str, Any]:
    """Compress lines (Y, Z, X) while something goes wrong before some of them, restore, compare; what came of it."""
    telemetry: list[SegmentTelemetry] = []
    provoked = []
    options = replace(options, isolate=any(fault in IN_WORKER for fault in faults.values()))
    image = ImageDescription(cube.shape[1], cube.shape[2], depth, is_signed=False)
    with opened_encoder(options, image, on_segment=telemetry.append) as encoder:
        pieces, longest = [encoder.header], 0.0
        for y, line in enumerate(cube):
            if y in faults:
                provoked.append({"line": y, "fault": provoke(faults[y], encoder, generator)})
            start = time.perf_counter()
            pieces.append(encoder.push(line))
            longest = max(longest, time.perf_counter() - start)
        pieces.append(encoder.finish())
    error = largest_error(b"".join(pieces), open_integer_package(options.package), cube)
    return {
        "provoked": provoked,
        "is_restored": error is not None and error <= options.max_error,
        "largest_error": error,
        "longest_line_s": round(longest, 3),
        "segments": [segment.to_dict() for segment in telemetry],
    }


def largest_error(stream: bytes, package: IntegerPackage, cube: Iterable[npt.NDArray[np.integer[Any]]]) -> int | None:
    """Between the lines of a stream and those that it was made of; None where their number differs."""
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header, [package])
    lines = [line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)]
    expected = list(cube)
    if len(lines) != len(expected):
        return None
    return max(int(np.abs(a.astype(np.int64) - b).max()) for a, b in zip(lines, expected, strict=True))


@click.command()
@click.argument("fault", type=click.Choice([fault.value for fault in TrialFault]))
@coding_words()
@click.option("--line", default=10, show_default=True, help="Before which it happens.")
@click.option("--lines", default=24, show_default=True)
@click.option("--bands", default=16, show_default=True)
@click.option("--columns", default=64, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(fault: str, options: CodingOptions, line: int, lines: int, bands: int, columns: int, seed: int) -> None:
    """Print one JSON object; exit code 1 where lines are lost or wrong, or the telemetry does not name the fault."""
    generator = np.random.default_rng(seed)
    cube = np.stack(list(synthetic_lines(lines, bands, columns, generator)))
    options = replace(options, network=NetworkUse.ALWAYS)  # whose executor is to fail
    found = trial(options, cube, {line: TrialFault(fault)}, generator)
    is_named = any(segment["errors"] for segment in found["segments"])
    click.echo(json.dumps({"fault": fault, "guard": options.guard, "is_named": is_named, **found}))
    sys.exit(0 if found["is_restored"] and is_named == (fault != TrialFault.NONE) else 1)


if __name__ == "__main__":
    main()
