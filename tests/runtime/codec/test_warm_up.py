"""Nothing is compiled once lines come: the warm-up met every kernel, with the very types that lines bring."""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.extending import is_jitted

from hil_tests.fault_programs.fault_trial import largest_error
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED, IntegerPackage, open_integer_package
from runtime.codec.coding_options import CodingOptions
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import NetworkUse
from runtime.codec.stream_reader import StreamReader
from runtime.codec.warm_up import warm_up
from runtime.coders.residual_coders import SOME_PLAIN
from runtime.defences.segment_guard import GuardLevel
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.executors.executors import make_executor
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, Coder, PredictorKind, SampleType
from runtime.stream.telemetry import SegmentTelemetry
from runtime.target import target_jobs
from runtime.target.job_tables import CodingJob, FileJob, ImageTable, LoadJob

SEGMENT_LINES, N_BANDS, N_COLUMNS, DEPTH = 12, 6, 16, 12


def scenes(n_bands: int, n_columns: int) -> np.ndarray:
    """Three segments: a ramp that is coded, noise written plain, a constant that takes less than a bit a sample."""
    shape = (SEGMENT_LINES, n_bands, n_columns)
    noise = np.random.default_rng(1).integers(0, 1 << DEPTH, shape)
    return np.concatenate([100 + np.indices(shape).sum(0), noise, np.full(shape, 700)]).astype(np.uint16)


def signatures() -> set[str]:
    """Of every kernel of the runtime that was compiled, or taken from the cache, in this process."""
    modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "runtime"]
    kernels = {value.py_func.__qualname__ + " of " + value.py_func.__module__: value
               for module in modules for value in vars(module).values() if is_jitted(value)}  # fmt: skip
    return {f"{name}: {signature}" for name, kernel in kernels.items() for signature in kernel.signatures}


def in_fresh_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """What it returns where no kernel has run yet: what a cache holds counts as compiled when it is first asked for."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def written(path: Path) -> list[str]:
    """Of each segment: predictor, coder, and whether lines of it are plain."""
    found = []
    with path.open("rb") as file:
        for header, payload in StreamReader(file).segments():
            is_flagged = header.coder not in (Coder.CCSDS123, Coder.STORED) and payload[0] == SOME_PLAIN
            names = f"{header.coding.predictor.name} {header.coder.name}".lower()
            found.append(names + " with plain lines" * is_flagged)
    return found


def target_run(folder: Path, stage: str) -> tuple[set[str], list[str], bool]:
    """Signatures that came after the warm-up, how each segment is written, whether the lines came back."""
    lines = np.concatenate([scenes(N_BANDS, N_COLUMNS), scenes(N_BANDS, N_COLUMNS)])
    (folder / "scene.bil").write_bytes(lines.astype("<u2").tobytes())
    image = ImageTable(N_BANDS, N_COLUMNS, DEPTH, False, len(lines), SampleType.UINT16)
    coding = CodingJob(image, {"stage": stage, "segment_lines": SEGMENT_LINES, "network": "always"}, 1e9)
    loaded, _ = target_jobs.load(LoadJob(SHIPPED, "onnxruntime"))
    target_jobs.warm_up(loaded, coding)
    before = signatures()
    assert before
    steps = 3 * (SEGMENT_LINES - 1)  # of three segments; a first line has none
    faulty = loaded._replace(executor=FaultyExecutor(loaded.executor, "malformed", steps))

    def say(event: str, **values: Any) -> None:
        pass

    target_jobs.encode(faulty, FileJob(**vars(coding), source=folder / "scene.bil", output=folder / "stream"), say)
    target_jobs.decode(loaded, FileJob(**vars(coding), source=folder / "stream", output=folder / "back.bil"), say)
    back = (folder / "back.bil").read_bytes()
    return signatures() - before, written(folder / "stream"), back == (folder / "scene.bil").read_bytes()


def stream_run(
    predictor: str, stage: str, max_error: int, shape: tuple[int, int], network: NetworkUse
) -> tuple[set[str], int, int | None]:
    """Signatures that came after the warm-up, segments that fell back, the largest error; lines in Fortran order."""
    n_bands, n_columns = shape
    package = open_integer_package(SHIPPED)
    options = CodingOptions(
        PredictorKind[predictor], AdaptiveStage[stage], max_error, segment_lines=SEGMENT_LINES, guard=GuardLevel.PROOF,
        network=network,
    )  # fmt: skip
    of_network = (package, make_executor(package)) if options.has_network else ()
    encoder = Encoder(ImageDescription(n_bands, n_columns, DEPTH, is_signed=False), options, *of_network)
    warm_up(encoder.segments)
    before = signatures()
    assert before
    lines = np.concatenate([scenes(n_bands, n_columns), scenes(n_bands, n_columns)])
    pieces = [encoder.header]
    for y, line in enumerate(lines):
        if y == len(lines) // 2 and encoder.segments.supervised is not None:
            assert isinstance(encoder.segments.supervised.current, OnnxRuntimeCell)
            encoder.segments.supervised.current = FaultyExecutor(encoder.segments.supervised.current, "malformed")
        pieces.append(encoder.push(np.asfortranarray(line)))
    pieces.append(encoder.finish())
    error = largest_error(b"".join(pieces), package, lines)
    return signatures() - before, encoder.n_fallbacks, error


@pytest.mark.parametrize("stage", ["none", "best"])
def test_a_target_compiles_nothing_after_its_warm_up(tmp_path: Path, stage: str) -> None:
    late, coded, is_restored = in_fresh_process(target_run, tmp_path, stage)
    assert is_restored
    by_network = {name for name in coded if name.startswith("linerwkv")}
    coders = {"range"} if stage == "best" else {"hybrid", "sample_adaptive"}
    assert {name.split()[1] for name in by_network} == coders
    assert any("with plain lines" in name for name in by_network)
    assert any("with plain lines" not in name for name in by_network)
    assert set(coded) - by_network == {"ccsds123 ccsds123", "ccsds123 stored"}
    assert late == set()


@pytest.mark.parametrize(
    ("predictor", "stage", "max_error", "shape", "network"),
    [
        ("LINERWKV", "NONE", 3, (6, 16), NetworkUse.AUTO),
        ("LINERWKV", "BEST", 3, (6, 16), NetworkUse.ALWAYS),
        ("LINERWKV", "BEST", 0, (1, 1), NetworkUse.ALWAYS),
        ("LINERWKV", "BEST", 0, (6, 16), NetworkUse.AUTO),
        ("DPCM", "NONE", 0, (6, 16), NetworkUse.AUTO),
    ],
)
def test_a_stream_compiles_nothing_after_its_warm_up(
    predictor: str, stage: str, max_error: int, shape: tuple[int, int], network: NetworkUse
) -> None:
    late, n_fallbacks, error = in_fresh_process(stream_run, predictor, stage, max_error, shape, network)
    assert error is not None and error <= max_error
    if network is NetworkUse.ALWAYS or stage == "NONE":  # else a trial may leave out the network that fails
        assert (n_fallbacks > 0) == (predictor == "LINERWKV")
    assert late == set()


def test_an_executor_that_fails_in_the_warm_up_is_given_up_and_costs_no_line(package: IntegerPackage) -> None:
    told: list[SegmentTelemetry] = []
    executor = FaultyExecutor(OnnxRuntimeCell(package), "malformed")
    image = ImageDescription(N_BANDS, N_COLUMNS, DEPTH, is_signed=False)
    encoder = Encoder(image, CodingOptions(network=NetworkUse.ALWAYS), package, executor, told.append)
    warm_up(encoder.segments)
    lines = scenes(N_BANDS, N_COLUMNS)
    data = b"".join([encoder.header, *(encoder.push(line) for line in lines), encoder.finish()])
    assert largest_error(data, package, lines) == 0
    assert [segment.header.coding.predictor for segment in told] == [PredictorKind.CCSDS123]
    assert "before the first line" in told[0].faults[0].text
