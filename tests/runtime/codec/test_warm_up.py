"""Nothing is compiled once lines come: the warm-up met every kernel, with the very types that lines bring."""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numba.extending import is_jitted

from hil_tests.fault_programs.fault_trial import largest_error
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED, IntegerPackage, open_integer_package
from runtime.codec.encoder import Encoder
from runtime.codec.warm_up import compile_roads
from runtime.defences.segment_guard import GuardLevel
from runtime.executors.cell_executor import OnnxRuntimeCell
from runtime.images.image_description import ImageDescription
from runtime.stream.stream_format import AdaptiveStage, PredictorKind, SampleType
from runtime.stream.telemetry import SegmentTelemetry
from runtime.target.job_tables import CodingJob, FileJob, ImageTable, LoadJob
from runtime.target.target_jobs import decode, encode, load, warm_up

SEGMENT_LINES, N_BANDS, N_COLUMNS, DEPTH = 12, 6, 16, 12


def scenes(n_bands: int, n_columns: int) -> np.ndarray:
    """Three segments: a ramp that is coded, noise that is stored, a constant that takes less than a bit a sample."""
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


def target_run(folder: Path, stage: Literal["none", "best"]) -> tuple[set[str], list[str], bool]:
    """Signatures that came after the warm-up, predictor and coder of each segment, whether the lines came back."""
    lines = np.concatenate([scenes(N_BANDS, N_COLUMNS), scenes(N_BANDS, N_COLUMNS)])
    (folder / "scene.bil").write_bytes(lines.astype("<u2").tobytes())
    image = ImageTable(N_BANDS, N_COLUMNS, DEPTH, False, len(lines), SampleType.UINT16)
    coding = CodingJob(image, stage, SEGMENT_LINES, 1e9)
    loaded, _ = load(LoadJob(SHIPPED, "onnxruntime"))
    warm_up(loaded, coding)
    before = signatures()
    assert before
    assert isinstance(loaded.executor, OnnxRuntimeCell)
    steps = 3 * (SEGMENT_LINES - 1) * 2  # of three segments; a first line has none, the others two tiles
    faulty = replace(loaded, executor=FaultyExecutor(loaded.executor, "malformed", steps))

    def say(event: str, **values: Any) -> None:
        pass

    segments = encode(faulty, FileJob(**vars(coding), source=folder / "scene.bil", output=folder / "stream"), say)
    decode(loaded, FileJob(**vars(coding), source=folder / "stream", output=folder / "back.bil"), say)
    coded = [f"{segment['predictor']} {segment['coder']}" for segment in segments["telemetry"]]
    back = (folder / "back.bil").read_bytes()
    return signatures() - before, coded, back == (folder / "scene.bil").read_bytes()


def stream_run(predictor: str, stage: str, max_error: int, shape: tuple[int, int]) -> tuple[set[str], int, int | None]:
    """Signatures that came after the warm-up, segments that fell back, the largest error; lines in Fortran order."""
    n_bands, n_columns = shape
    package = open_integer_package(SHIPPED)
    encoder = Encoder(
        ImageDescription(n_bands, n_columns, DEPTH, is_signed=False), package, predictor=PredictorKind[predictor],
        stage=AdaptiveStage[stage], max_error=max_error, segment_lines=SEGMENT_LINES, guard=GuardLevel.PROOF,
    )  # fmt: skip
    compile_roads(encoder)
    before = signatures()
    assert before
    lines = np.concatenate([scenes(n_bands, n_columns), scenes(n_bands, n_columns)])
    pieces = [encoder.header]
    for y, line in enumerate(lines):
        if y == len(lines) // 2 and encoder.supervised is not None:
            assert isinstance(encoder.supervised.current, OnnxRuntimeCell)
            encoder.supervised.current = FaultyExecutor(encoder.supervised.current, "malformed")
        pieces.append(encoder.push(np.asfortranarray(line)))
    pieces.append(encoder.finish())
    error = largest_error(b"".join(pieces), package, lines)
    return signatures() - before, encoder.n_fallbacks, error


@pytest.mark.parametrize("stage", ["none", "best"])
def test_a_target_compiles_nothing_after_its_warm_up(tmp_path: Path, stage: str) -> None:
    late, coded, is_restored = in_fresh_process(target_run, tmp_path, stage)
    assert is_restored
    by_network = {"linerwkv range"} if stage == "best" else {"linerwkv hybrid", "linerwkv sample_adaptive"}
    assert set(coded) == {*by_network, "ccsds123 ccsds123", "none stored"}
    assert late == set()


@pytest.mark.parametrize(
    ("predictor", "stage", "max_error", "shape"),
    [
        ("LINERWKV", "NONE", 3, (6, 16)),
        ("LINERWKV", "BEST", 3, (6, 16)),
        ("LINERWKV", "BEST", 0, (1, 1)),
        ("DPCM", "NONE", 0, (6, 16)),
    ],
)
def test_a_stream_compiles_nothing_after_its_warm_up(
    predictor: str, stage: str, max_error: int, shape: tuple[int, int]
) -> None:
    late, n_fallbacks, error = in_fresh_process(stream_run, predictor, stage, max_error, shape)
    assert error is not None and error <= max_error
    assert (n_fallbacks > 0) == (predictor == "LINERWKV")
    assert late == set()


def test_an_executor_that_fails_in_the_warm_up_is_given_up_and_costs_no_line(package: IntegerPackage) -> None:
    told: list[SegmentTelemetry] = []
    executor = FaultyExecutor(OnnxRuntimeCell(package), "malformed")
    image = ImageDescription(N_BANDS, N_COLUMNS, DEPTH, is_signed=False)
    encoder = Encoder(image, package, executor=executor, on_segment=told.append)
    compile_roads(encoder)
    lines = scenes(N_BANDS, N_COLUMNS)
    data = b"".join([encoder.header, *(encoder.push(line) for line in lines), encoder.finish()])
    assert largest_error(data, package, lines) == 0
    assert [segment.header.predictor for segment in told] == [PredictorKind.CCSDS123]
    assert "before the first line" in told[0].faults[0].text
