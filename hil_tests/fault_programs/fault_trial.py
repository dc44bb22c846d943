"""A fault on purpose, on this machine: a compression through it, and a comparison.

`python -m hil_tests.fault_programs.fault_trial FAULT` needs nothing but the runtime, so it runs on any target. Worker
processes are stopped and killed by signals, bits are changed in the arrays that the encoder uses; what answers wrongly
stands between the encoder and its executor.
"""

import io
import json
import signal
import sys
import time
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from hil_tests.fault_programs.bit_flips import flip_bit
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import MANIFEST, SHIPPED, IntegerPackage, open_integer_package
from runtime.codec.decoder import Decoder, StreamReader
from runtime.codec.encoder import Encoder
from runtime.defences.encoding_executor import encoding_executor
from runtime.defences.segment_guard import GuardLevel
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.executors.executor_process import ExecutorProcess
from runtime.executors.executor_registry import ONNXRUNTIME
from runtime.images.image_description import ImageDescription
from runtime.images.synthetic import BIT_DEPTH, synthetic_lines
from runtime.stream.stream_format import AdaptiveStage
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
    """Answers have the right form, and the taps of one band are wrong."""
    STATE = "state"
    """A bit of the predictor's state changes."""
    CODED = "coded"
    """A bit of what is coded so far changes."""
    PACKAGE = "package"
    """A bit of the package in memory changes."""


IN_WORKER = (TrialFault.HANG, TrialFault.DIE)


def provoke(fault: TrialFault, encoder: Encoder, generator: np.random.Generator) -> str:
    """Let something go wrong before the next line; says what, or that there is nothing that could."""
    supervised, segment = encoder.supervised, encoder.segment
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
    package: IntegerPackage,
    cube: npt.NDArray[np.integer[Any]],
    faults: dict[int, TrialFault],
    generator: np.random.Generator,
    *,
    guard: GuardLevel = GuardLevel.OFF,
    segment_lines: int = 64,
    max_error: int = 0,
    line_deadline_s: float = 10.0,
    depth: int = BIT_DEPTH,
    stage: AdaptiveStage = AdaptiveStage.BEST,
) -> dict[str, Any]:
    """Compress lines (Y, Z, X) while something goes wrong before some of them, restore, compare; what came of it."""
    telemetry: list[SegmentTelemetry] = []
    provoked = []
    is_isolated = any(fault in IN_WORKER for fault in faults.values())
    with encoding_executor(package, ONNXRUNTIME, line_deadline_s if is_isolated else None) as executor:
        assert isinstance(executor, SupervisedExecutor)
        encoder = Encoder(
            ImageDescription(cube.shape[1], cube.shape[2], depth, is_signed=False),
            package,
            executor=executor,
            guard=guard,
            segment_lines=segment_lines,
            max_error=max_error,
            stage=stage,
            on_segment=telemetry.append,
        )
        pieces, longest = [encoder.header], 0.0
        for y, line in enumerate(cube):
            if y in faults:
                provoked.append({"line": y, "fault": provoke(faults[y], encoder, generator)})
            start = time.perf_counter()
            pieces.append(encoder.push(line))
            longest = max(longest, time.perf_counter() - start)
        pieces.append(encoder.finish())
    error = largest_error(b"".join(pieces), open_integer_package(package.source), cube)
    return {
        "provoked": provoked,
        "is_restored": error is not None and error <= max_error,
        "largest_error": error,
        "longest_line_s": round(longest, 3),
        "segments": [segment.to_dict() for segment in telemetry],
    }


def largest_error(stream: bytes, package: IntegerPackage, cube: Iterable[npt.NDArray[np.integer[Any]]]) -> int | None:
    """Between the lines of a stream and those that it was made of; None where their number differs."""
    reader = StreamReader(io.BytesIO(stream))
    decoder = Decoder(reader.header, package)
    lines = [line for segment, payload in reader.segments() for line in decoder.lines(segment, payload)]
    expected = list(cube)
    if len(lines) != len(expected):
        return None
    return max(int(np.abs(a.astype(np.int64) - b).max()) for a, b in zip(lines, expected, strict=True))


@click.command()
@click.argument("fault", type=click.Choice([fault.value for fault in TrialFault]))
@click.option("--line", default=10, show_default=True, help="Before which it happens.")
@click.option("--lines", default=24, show_default=True)
@click.option("--bands", default=16, show_default=True)
@click.option("--columns", default=64, show_default=True)
@click.option("--segment-lines", default=8, show_default=True)
@click.option("--max-error", default=0, show_default=True)
@click.option("--line-deadline", default=5.0, show_default=True, help="In seconds, of a worker process.")
@click.option("--guard", type=click.Choice([level.value for level in GuardLevel]), default="proof", show_default=True)
@click.option(
    "--stage", type=click.Choice([stage.name.lower() for stage in AdaptiveStage]), default="best", show_default=True
)
@click.option("--seed", default=1, show_default=True)
@click.option("--package", "package_path", type=click.Path(path_type=Path), default=SHIPPED)
def main(fault: str, line: int, lines: int, bands: int, columns: int, segment_lines: int, max_error: int,
         line_deadline: float, guard: str, stage: str, seed: int, package_path: Path) -> None:  # fmt: skip
    """Print one JSON object; exit code 1 where lines are lost or wrong, or the telemetry does not name the fault."""
    generator = np.random.default_rng(seed)
    cube = np.stack(list(synthetic_lines(lines, bands, columns, generator)))
    found = trial(
        open_integer_package(package_path), cube, {line: TrialFault(fault)}, generator, guard=GuardLevel(guard),
        segment_lines=segment_lines, max_error=max_error, line_deadline_s=line_deadline,
        stage=AdaptiveStage[stage.upper()],
    )  # fmt: skip
    is_named = any(segment["errors"] for segment in found["segments"])
    click.echo(json.dumps({"fault": fault, "guard": guard, "is_named": is_named, **found}))
    sys.exit(0 if found["is_restored"] and is_named == (fault != TrialFault.NONE) else 1)


if __name__ == "__main__":
    main()
