"""Each event of docs/defences.md is provoked in a recorder by its real parts, and its counter rises."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil_tests.fault_programs.bit_flips import flip_bit
from hil_tests.fault_programs.fault_trial import TrialFault, largest_error, provoke
from hil_tests.fault_programs.faulty_executor import FaultyExecutor
from runtime.cell.flight_package import SHIPPED, open_integer_package
from runtime.codec.forms_encoder import loaded_forms
from runtime.codec.open_segment import OpenSegment
from runtime.codec.salvage import salvage
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.images.line_frame import RecordedLine
from runtime.images.raw_lines import describe_pipe
from runtime.packets.housekeeping_table import TABLE
from runtime.target.event_counters import NAMES
from runtime.target.flight_recorder import FlightRecorder
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import FoundLine, LineFrames
from tests.runtime.target.recorded_frames import LINES, N_BANDS, N_COLUMNS, SEGMENT_LINES, config_of, config_text

NETWORK = 'name = "net"\nstage = "none"\nnetwork = "always"'
CHECKED, PROVED = (f'{NETWORK}\nguard = "{level}"' for level in ("checks", "proof"))
SENT = LINES[: 3 * SEGMENT_LINES]
NOISE = np.random.default_rng(0).integers(0, 512, (len(SENT), 6, 20))
"""Of which no network knows anything."""
AT = SEGMENT_LINES + 2
"""The line before which something happens, within the second segment."""
Act = Callable[[FlightRecorder, int], None]


def supervised(recorder: FlightRecorder) -> SupervisedExecutor:
    found = next(iter(recorder.loaded.encoders.values())).supervised
    assert found is not None
    return found


def open_segment(recorder: FlightRecorder) -> OpenSegment:
    assert recorder.encoder is not None and recorder.encoder.segments.segment is not None
    return recorder.encoder.segments.segment


def wait_for_restart(recorder: FlightRecorder, y: int) -> None:
    """So that the segment after the next one has the executor again."""
    if y > AT and (thread := supervised(recorder).thread) is not None:
        thread.join()


def provoked(fault: TrialFault) -> Act:
    def act(recorder: FlightRecorder, y: int) -> None:
        if y == AT:
            assert recorder.encoder is not None
            provoke(fault, recorder.encoder, np.random.default_rng(1))
        wait_for_restart(recorder, y)

    return act


def wrong_for_a_line(recorder: FlightRecorder, y: int) -> None:
    """A line that comes out wrong of an executor that then passes its self-test again."""
    executor = supervised(recorder).current
    if y == AT and executor is not None:
        supervised(recorder).current = FaultyExecutor(executor, "wrong")
    elif y == AT + 1 and isinstance(executor, FaultyExecutor):
        supervised(recorder).current = executor.executor
    wait_for_restart(recorder, y)


def damaged_backup(recorder: FlightRecorder, y: int) -> None:
    if y == AT:
        guard = open_segment(recorder).guard
        assert guard is not None and guard.backup is not None
        flip_bit(guard.backup.state, np.random.default_rng(1))


def damaged_both(recorder: FlightRecorder, y: int) -> None:
    damaged_backup(recorder, y)
    if y == AT:
        flip_bit(open_segment(recorder).writer.written, np.random.default_rng(1))


def nothing(recorder: FlightRecorder, y: int) -> None:
    """It happens by itself."""


def recorded(
    folder: Path, form: str, act: Act = nothing, lines: np.ndarray = SENT, more: str = "", **changes: Any
) -> dict[str, int]:
    """The events of a recorder of one form, into whose parts `act` may reach before each line."""
    text = config_text(folder, 'kind = "file"', more).replace('name = "ccsds123"\npredictor = "ccsds123"', form)
    text = text.replace(
        f"bands = {N_BANDS}\ncolumns = {N_COLUMNS}", "bands = {}\ncolumns = {}".format(*lines.shape[1:])
    )
    for old, new in changes.items():
        text = text.replace(f"[{old}]\n", f"[{old}]\n{new}\n")
    config = config_of(text)
    image = describe_pipe(config.lines.layout(), config.lines.bit_depth)
    with loaded_forms(image, config.made_forms(), [0, 2]) as loaded:
        buffer, frames = LineBuffer(64), LineFrames(config.lines)
        recorder = FlightRecorder(config, image, loaded, buffer, frames, lambda told: None, lambda packets: None)
        for y, line in enumerate(lines):
            act(recorder, y)
            found = FoundLine(RecordedLine(line, b""), has_begun_again=y in AGAIN_AT and act is counter_begins_again)
            recorder.take(found)
        recorder.end_stream()
        events: dict[str, int] = recorder.status()["events"]
    return {name: n for name, n in events.items() if n and name != "restarts_left"}


AGAIN_AT = (3, 7)


def counter_begins_again(recorder: FlightRecorder, y: int) -> None:
    """The line counter does, at some lines."""


def is_whole(folder: Path) -> bool:
    """Whether the one stream gives back what was sent."""
    (path,) = folder.glob("*.lrwk")
    return largest_error(path.read_bytes(), open_integer_package(SHIPPED), SENT) == 0


@pytest.mark.parametrize(
    ("form", "act", "events"),
    [
        (
            NETWORK,
            provoked(TrialFault.MALFORMED),
            {"executor_faults": 1, "executors_restarted": 1, "without_executor": 1},
        ),
        (
            CHECKED,
            provoked(TrialFault.WRONG),
            {"self_test_faults": 1, "executors_restarted": 1, "backups_sent": 1},
        ),
        (
            CHECKED,
            provoked(TrialFault.PACKAGE),
            {"package_faults": 1, "executors_restarted": 1, "backups_sent": 1},
        ),
        (CHECKED, provoked(TrialFault.STATE), {"state_faults": 1}),
        (CHECKED, provoked(TrialFault.CODED), {"coded_faults": 1, "backups_sent": 1}),
        (CHECKED, damaged_backup, {"backup_faults": 1}),
        (PROVED, wrong_for_a_line, {"decoding_faults": 1, "executors_restarted": 1, "backups_sent": 1}),
        (NETWORK, nothing, {}),
    ],
    ids=lambda one: "+".join(one) or "none" if isinstance(one, dict) else "",
)
def test_what_happens_to_a_segment_is_counted_and_costs_no_line(
    tmp_path: Path, form: str, act: Act, events: dict[str, int]
) -> None:
    assert recorded(tmp_path / "out", form, act) == events
    assert is_whole(tmp_path / "out")


def test_an_executor_that_cannot_be_made_again_is_counted_each_time(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "package")

    def act(recorder: FlightRecorder, y: int) -> None:
        if y == AT:
            (tmp_path / "package" / "weights.bin").write_bytes(b"")
        provoked(TrialFault.MALFORMED)(recorder, y)

    form = f'{NETWORK}\npackage = "{tmp_path / "package"}"'
    found = recorded(tmp_path / "out", form, act, LINES[: 6 * SEGMENT_LINES])
    assert found == {"executor_faults": 1, "restart_faults": 3, "without_executor": 5}


def test_a_segment_that_is_lost_with_its_backup_is_counted_and_others_are_kept(tmp_path: Path) -> None:
    assert recorded(tmp_path / "out", CHECKED, damaged_both) == {"segments_lost": 1, "backup_faults": 1}
    first, second = sorted((tmp_path / "out").glob("*.lrwk"))
    assert [one.n_lines for one, _ in salvage(first.read_bytes()).segments] == [SEGMENT_LINES]
    assert largest_error(second.read_bytes(), open_integer_package(SHIPPED), SENT[AT:]) == 0


def test_a_network_that_does_not_gain_is_counted(tmp_path: Path) -> None:
    form = 'name = "net"\nstage = "fast"'
    assert recorded(tmp_path / "out", form, lines=NOISE) == {"network_left_out": 3}


def test_clipped_samples_are_counted_from_stream_to_stream(tmp_path: Path) -> None:
    lines = SENT.copy()
    lines[1, 0, :2] = lines[9, 2, 4] = 1 << 12
    form = 'name = "clipped"\npredictor = "dpcm"\nout_of_range = "clip"'
    assert recorded(tmp_path / "out", form, counter_begins_again, lines) == {
        "samples_clipped": 3,
        "counter_restarts": 2,
    }
    assert len(list((tmp_path / "out").glob("*.lrwk"))) == 3


def test_waits_for_the_disk_are_counted(tmp_path: Path) -> None:
    form = 'name = "c"\npredictor = "ccsds123"'
    assert recorded(tmp_path / "out", form, output='quota_bytes = 150\nwhen_full = "stop"') == {"waits": 1}


def test_every_counter_is_in_the_table_and_is_provoked_here() -> None:
    names = {one.name for one in TABLE}
    counted = {*NAMES, "executors_restarted"}
    assert counted < names
    text = Path(__file__).read_text()
    assert [name for name in counted if f'"{name}": ' not in text and f'"{name}")' not in text] == []
