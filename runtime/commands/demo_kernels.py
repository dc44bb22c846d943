"""Kernels of the demo's forms, compiled in two processes where there are two cores.

    python -m runtime.commands.demo_kernels NAME PACKAGE     # one part of them, for the cache

What an adaptive stage calls takes half of the time; what only the network without a stage, or CCSDS 123, calls, takes
nearly the other half. The form of both then finds all that it calls, and compiles its own kernels alone.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL

import numpy as np

from runtime.cell.flight_package import FlightPackage, open_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines, decompress
from runtime.codec.network_choice import NetworkUse
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind, SampleType
from runtime.usable_cores import usable_cores

SHAPE, BIT_DEPTH = (3, 12, 16), 12
STAGES, OTHERS = "stages", "others"
PARTS = (STAGES, OTHERS)


def options_of(part: str, package: FlightPackage) -> list[CodingOptions]:
    """Forms that call the kernels of a part."""
    if part == STAGES:
        return [CodingOptions(predictor=PredictorKind.RLS)]
    plain = CodingOptions(package=package.source, network=NetworkUse.ALWAYS, stage=AdaptiveStage.NONE)
    return [plain, CodingOptions(predictor=PredictorKind.CCSDS123)]


def compile_part(part: str, package: FlightPackage) -> None:
    """Code and restore a few lines by each form of a part. Raises LineRwkvError."""
    lines = np.random.default_rng(0).integers(0, 1 << BIT_DEPTH, SHAPE, np.uint16)
    image = ImageDescription(*SHAPE[1:], BIT_DEPTH, False, SHAPE[0], SampleType.UINT16)
    for options in options_of(part, package):
        with tempfile.TemporaryDirectory() as folder:
            stream = Path(folder, "lines.lrwk")
            compress_lines(lines, image, stream, options)
            decompress(stream, stream.with_suffix(".hdr"), [package])


@contextlib.contextmanager
def compiled_beside(package: FlightPackage) -> Iterator[None]:
    """Compile the others in a process of their own during the block; nothing where there is one core.

    What fails there is compiled here when it is needed.
    """
    if usable_cores() < len(PARTS):
        yield
        return
    command = [sys.executable, "-m", "runtime.commands.demo_kernels", OTHERS, str(package.source)]
    with subprocess.Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL) as other:
        try:
            yield
        except BaseException:
            other.kill()
            raise


if __name__ == "__main__":
    compile_part(sys.argv[1], open_package(Path(sys.argv[2])))
