"""Segments on several threads: the bytes and lines are those of one thread, whatever thread is slow, dies or hangs."""

import io
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from runtime.cell.flight_package import FlightPackage
from runtime.codec.coding_options import CodingOptions
from runtime.codec.compression import compress_lines, decompress
from runtime.codec.decoder import Decoder
from runtime.codec.encoder import Encoder
from runtime.codec.network_choice import TRIAL_EVERY, NetworkChoice, NetworkUse
from runtime.codec.opened_encoder import opened_file_encoder
from runtime.codec.ordered_work import HELD_PER_THREAD, OrderedWork, Stopped
from runtime.codec.segment_closing import ClosedSegment
from runtime.codec.stream_reader import StreamReader
from runtime.codec.threaded_decoder import decoded
from runtime.codec.threaded_encoder import LARGEST_HELD, LARGEST_LINE, ThreadedEncoder, useful_threads
from runtime.defences.segment_guard import GuardLevel
from runtime.errors import Corrupt, ExecutorFailed, Truncated
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.executor_process import ExecutorProcess
from runtime.executors.executors import make_executor
from runtime.images.scene_reader import open_scene
from runtime.stream.image_description import ImageDescription
from runtime.stream.kinds import AdaptiveStage, PredictorKind, SampleType
from runtime.stream.records import Gap
from runtime.stream.telemetry import SegmentTelemetry

Cube = npt.NDArray[np.integer[Any]]
N_BANDS, N_COLUMNS, SEGMENT_LINES = 8, 32, 2
IMAGE = ImageDescription(N_BANDS, N_COLUMNS, 12, is_signed=False)
THREADS = (1, 2, 3, 7)
FORMS: dict[str, dict[str, Any]] = {
    "flight, best": {"predictor": PredictorKind.LINERWKV},
    "flight, fast": {"predictor": PredictorKind.LINERWKV, "stage": AdaptiveStage.FAST},
    "flight alone": {"predictor": PredictorKind.LINERWKV, "stage": AdaptiveStage.NONE},
    "rls, best": {"predictor": PredictorKind.RLS},
    "rls, fast": {"predictor": PredictorKind.RLS, "stage": AdaptiveStage.FAST},
    "ccsds123": {"predictor": PredictorKind.CCSDS123},
    "dpcm": {"predictor": PredictorKind.DPCM},
}


def cube_of(n_lines: int) -> Cube:
    """Lines of a texture, some of them noise."""
    generator = np.random.default_rng(3)
    texture = np.cumsum(generator.normal(0, 3, (n_lines, N_COLUMNS)), axis=1)
    lines = 1500 + texture[:, None] + 90 * np.arange(N_BANDS)[:, None]
    lines = lines + generator.normal(0, 4, (n_lines, N_BANDS, N_COLUMNS))
    lines[::7] = generator.normal(2000, 400, lines[::7].shape)
    return np.clip(lines, 0, 4095).astype(np.int64)


CUBE = cube_of(3 * TRIAL_EVERY * SEGMENT_LINES + 1)


def slow(work: OrderedWork[Any, Any], schedule: random.Random) -> None:
    """Let lines of any thread wait."""
    asked = work.check_wanted

    def waiting() -> None:
        if schedule.random() < 0.1:
            time.sleep(schedule.random() * 4e-4)
        asked()

    work.check_wanted = waiting  # type: ignore[method-assign]


def encoded(options: CodingOptions, n_threads: int, schedule: random.Random | None = None, cube: Cube = CUBE) -> bytes:
    """The stream of CUBE, in part with records of lines."""
    with opened_file_encoder(options, IMAGE, n_threads) as encoder:
        assert isinstance(encoder, Encoder if n_threads == 1 else ThreadedEncoder)
        if isinstance(encoder, ThreadedEncoder) and schedule is not None:
            slow(encoder.work, schedule)
        pieces = [encoder.push(line, b"record" * (y % 5 == 0)) for y, line in enumerate(cube)]
        gap = encoder.skip(3)
        return b"".join([encoder.header, *pieces, gap, encoder.push(cube[0]), encoder.finish()])


def restored(stream: bytes, package: FlightPackage, n_threads: int) -> tuple[Cube, list[int], int]:
    """Lines, where gaps begin, records of lines."""
    reader = StreamReader(io.BytesIO(stream))
    decoders = [Decoder(reader.header, [package]) for _ in range(n_threads)]
    lines: list[Cube] = []
    gaps, n_records = [], 0
    for piece, records, found in decoded(reader.pieces_with_records(), decoders):
        if isinstance(piece, Gap):
            gaps.append(piece.first_line)
        lines += list(found)
        n_records += 0 if records is None else sum(map(bool, records.records))
    return np.array(lines), gaps, n_records


@pytest.mark.parametrize("max_error", [0, 3])
@pytest.mark.parametrize("form", FORMS)
def test_bytes_and_lines_do_not_depend_on_the_threads(form: str, max_error: int, package: FlightPackage) -> None:
    """Every form, lossless and with an error."""
    options = CodingOptions(**FORMS[form], max_error=max_error, segment_lines=SEGMENT_LINES)
    streams = {n: encoded(options, n, random.Random(n)) for n in THREADS}
    assert len(set(streams.values())) == 1
    expected = np.concatenate([CUBE, CUBE[:1]])
    found = [restored(streams[1], package, n) for n in THREADS]
    for lines, gaps, n_records in found:
        assert np.array_equal(lines, found[0][0])
        assert np.abs(lines - expected).max() <= max_error
        assert gaps == [len(CUBE)]
        assert n_records == -(-len(CUBE) // 5)


def test_what_a_trial_decides_reaches_segments_that_were_begun(
    package: FlightPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trials that decide both ways, by what both are coded to: the segments after them are coded anew."""

    def smaller(choice: NetworkChoice, with_network: ClosedSegment, alone: ClosedSegment) -> ClosedSegment:
        choice.has_network = with_network.header.payload_crc % 2 == 0
        return with_network if choice.has_network else alone

    monkeypatch.setattr(NetworkChoice, "smaller", smaller)
    options = CodingOptions(segment_lines=SEGMENT_LINES)
    cube = np.concatenate([CUBE, CUBE[::-1], CUBE])
    stream = encoded(options, 1, cube=cube)
    predictors = [segment.header.coding.predictor for segment in StreamReader(io.BytesIO(stream)).segments()]
    assert {PredictorKind.LINERWKV, PredictorKind.RLS} == set(predictors)
    assert {encoded(options, n, random.Random(n), cube) for n in THREADS} == {stream}
    assert np.array_equal(restored(stream, package, 3)[0][: len(cube)], cube)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_bytes_do_not_depend_on_the_schedule(form: str) -> None:
    """1,000 schedules in all, delays in any line of any thread."""
    cube = CUBE[: (TRIAL_EVERY + 3) * SEGMENT_LINES]
    options = CodingOptions(**FORMS[form], max_error=2, segment_lines=SEGMENT_LINES)
    expected = encoded(options, 1, cube=cube)
    for seed in range(1000 // len(FORMS) + 1):
        assert encoded(options, THREADS[1 + seed % 3], random.Random(seed), cube) == expected


class Failing(ArrayExecutor):
    """It fails at one step."""

    def __init__(self, executor: ArrayExecutor, step: int) -> None:
        self.executor, self.provider, self.sha256, self.step = executor, executor.provider, executor.sha256, step

    def run(self, inputs: Arrays) -> Arrays:
        self.step -= 1
        if self.step == 0:
            raise ExecutorFailed("the step does not run")
        return self.executor.run(inputs)


def test_an_executor_that_fails_costs_no_line(package: FlightPackage) -> None:
    """Its thread goes on without it; telemetry says which line it was."""
    told: list[SegmentTelemetry] = []
    options = CodingOptions(segment_lines=SEGMENT_LINES, network=NetworkUse.ALWAYS)
    executors = [Failing(make_executor(package), 9), make_executor(package)]
    encoder = ThreadedEncoder(IMAGE, options, package, executors, told.append)
    with encoder.work:
        stream = b"".join([encoder.header, *map(encoder.push, CUBE), encoder.finish()])
    lines, _, _ = restored(stream, package, 2)
    assert np.array_equal(lines, CUBE)
    faults = [fault for one in told for fault in one.faults]
    assert encoder.n_fallbacks > 0
    assert [fault.text for fault in faults][:1] == ["the step does not run"]
    assert [one.header.first_line for one in told] == sorted(one.header.first_line for one in told)


def test_an_executor_that_hangs_is_ended(package: FlightPackage) -> None:
    """The deadline of its worker process holds for the threads, too."""
    options = CodingOptions(segment_lines=SEGMENT_LINES, network=NetworkUse.ALWAYS, isolate=True, line_deadline=0.3)
    with opened_file_encoder(options, IMAGE, 2) as encoder:
        assert isinstance(encoder, ThreadedEncoder)
        supervised = encoder.workers[0].supervised
        assert supervised is not None
        assert isinstance(supervised.current, ExecutorProcess)
        supervised.current.child.send_signal(signal.SIGSTOP)
        stream = b"".join([encoder.header, *map(encoder.push, CUBE), encoder.finish()])
    assert encoder.n_fallbacks > 0
    assert np.array_equal(restored(stream, package, 2)[0], CUBE)


def test_a_thread_that_dies_leaves_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises is raised where the lines are given, and the other threads have ended then."""
    monkeypatch.setattr("runtime.codec.segment_encoder.SegmentEncoder.close", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        compress_lines(CUBE, IMAGE, tmp_path / "s.lrwk", CodingOptions(**FORMS["dpcm"], segment_lines=4), n_threads=3)
    assert list(tmp_path.iterdir()) == []


def test_a_torn_stream_gives_the_lines_before(package: FlightPackage) -> None:
    """Segments that are whole come before the error."""
    stream = encoded(CodingOptions(**FORMS["dpcm"], segment_lines=SEGMENT_LINES), 1)
    reader = StreamReader(io.BytesIO(stream[: len(stream) // 2]))
    lines: list[Cube] = []
    with pytest.raises(Truncated):
        for _, _, found in decoded(reader.pieces_with_records(), [Decoder(reader.header), Decoder(reader.header)]):
            lines += list(found)
    assert len(lines) > len(CUBE) // 3
    assert np.array_equal(lines, CUBE[: len(lines)])


def test_a_line_that_changes_while_it_waits_is_found() -> None:
    """Where a guard watches memory."""
    options = CodingOptions(**FORMS["dpcm"], segment_lines=SEGMENT_LINES, guard=GuardLevel.CHECKS)
    with opened_file_encoder(options, IMAGE, 2) as encoder:
        assert isinstance(encoder, ThreadedEncoder)
        encoder.push(CUBE[0])
        encoder.lines[0].codes[3, 5] ^= 1
        with pytest.raises(Corrupt, match="line 0 changed in memory while it waited"):
            b"".join([encoder.push(CUBE[1]), encoder.finish()])


def test_a_coded_segment_that_changes_while_it_waits_is_coded_again(package: FlightPackage) -> None:
    """Where a guard watches memory: lines wait as long as their segment does."""
    options = CodingOptions(**FORMS["dpcm"], segment_lines=SEGMENT_LINES, guard=GuardLevel.CHECKS)
    with opened_file_encoder(options, IMAGE, 3) as encoder:
        assert isinstance(encoder, ThreadedEncoder)
        stream = encoder.header + b"".join(map(encoder.push, CUBE[: 2 * SEGMENT_LINES]))
        (coded,) = encoder.work.results[1].result()
        payload = bytearray(coded.payload)
        payload[3] ^= 1
        encoder.work.results[1].result()[0] = coded._replace(payload=bytes(payload))
        stream += b"".join(map(encoder.push, CUBE[2 * SEGMENT_LINES :])) + encoder.finish()
    assert np.array_equal(restored(stream, package, 1)[0], CUBE)


def test_faults_of_what_was_coded_in_vain_are_told(package: FlightPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor that failed there is lost all the same."""

    def smaller(choice: NetworkChoice, with_network: ClosedSegment, alone: ClosedSegment) -> ClosedSegment:
        choice.has_network = choice.n_segments > 1
        return with_network if choice.has_network else alone

    monkeypatch.setattr(NetworkChoice, "smaller", smaller)
    told: list[SegmentTelemetry] = []
    executors = [Failing(make_executor(package), 4), Failing(make_executor(package), 4)]
    encoder = ThreadedEncoder(IMAGE, CodingOptions(segment_lines=SEGMENT_LINES), package, executors, told.append)
    with encoder.work:
        stream = b"".join([encoder.header, *map(encoder.push, CUBE), encoder.finish()])
    assert np.array_equal(restored(stream, package, 1)[0], CUBE)
    assert [fault.text for one in told for fault in one.faults] == ["the step does not run"] * 2


def test_memory_is_bounded() -> None:
    """As many segments wait as there is memory for; one that is too large is coded while its lines come."""
    options = CodingOptions(**FORMS["dpcm"])
    assert useful_threads(8, ImageDescription(224, 1000, 12, is_signed=False), options) == 8
    assert useful_threads(8, ImageDescription(224, 1000, 12, is_signed=False, n_lines=200), options) == 4
    assert useful_threads(8, ImageDescription(1024, LARGEST_HELD // (1 << 18) + 1, 12, is_signed=False), options) == 1
    assert useful_threads(8, ImageDescription(1024, LARGEST_LINE // 1024 + 1, 12, is_signed=False), options) == 1
    with OrderedWork[int, int]([0, 1, 2]) as work:
        while not work.is_full:
            work.give(lambda worker: worker)
        assert len(work.results) == 3 * HELD_PER_THREAD


def test_jobs_end_early_where_nobody_wants_them() -> None:
    """The block does not wait for the end of a segment of minutes."""
    begun = []

    def job(worker: int) -> int:
        begun.append(worker)
        for _ in range(10_000):
            work.check_wanted()
            time.sleep(1e-3)
        return worker

    start = time.monotonic()
    with OrderedWork[int, int]([0, 1]) as work:
        futures = [work.start(job) for _ in range(4)]
        while len(begun) < 2:
            time.sleep(1e-3)
    assert time.monotonic() - start < 5
    assert all(future.cancelled() or isinstance(future.exception(), Stopped) for future in futures)


def test_files_by_threads(tmp_path: Path) -> None:
    """The verbs' own functions."""
    image = ImageDescription(N_BANDS, N_COLUMNS, 12, is_signed=False, n_lines=len(CUBE), sample_type=SampleType.UINT16)
    for n_threads in (1, 2):
        options = CodingOptions(segment_lines=SEGMENT_LINES)
        compress_lines(CUBE, image, tmp_path / f"{n_threads}.lrwk", options, n_threads=n_threads)
    assert (tmp_path / "1.lrwk").read_bytes() == (tmp_path / "2.lrwk").read_bytes()
    report = decompress(tmp_path / "1.lrwk", tmp_path / "b.npy", [], n_threads=2)
    assert report.n_lines == len(CUBE)
    assert np.array_equal(np.array(list(open_scene(tmp_path / "b.npy").lines())), CUBE)
