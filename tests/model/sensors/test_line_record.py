"""Records of lines parse, and say what happened when."""

import dataclasses

import numpy as np
import pytest

from model.sensors.line_record import LineRecords, read_record
from runtime.errors import Corrupt, Truncated
from tests.model.sensors.conftest import sensor_of


@pytest.mark.parametrize("n_bytes", [24, 25, 64, 65])
def test_records_count_lines_and_time(n_bytes: int) -> None:
    records = LineRecords(sensor_of(record={"bytes": n_bytes}, lines_per_second=230.0), np.random.default_rng(0))
    found = [records.next() for _ in range(500)]
    assert {len(one) for one in found} == {n_bytes}
    parsed = [read_record(one) for one in found]
    assert [one.line for one in parsed] == list(range(500))
    assert [one.microseconds for one in parsed] == [round(y * 1e6 / 230) for y in range(500)]
    assert all(292_000 < one.millikelvin < 294_500 for one in parsed)
    assert len({one.millikelvin for one in parsed}) > 100


def test_readings_wander_slowly() -> None:
    records = LineRecords(sensor_of(record={"bytes": 64}), np.random.default_rng(0))
    readings = np.array([np.frombuffer(records.next(), "<u2", offset=24) for _ in range(200)]).astype(int)
    steps = np.diff(readings, axis=0)
    assert set(np.unique(np.minimum(np.abs(steps), 65536 - np.abs(steps)))) == {0, 1}


def test_no_record_is_no_bytes() -> None:
    assert LineRecords(sensor_of(), np.random.default_rng(0)).next() == b""


def test_damaged_records_are_refused() -> None:
    record = LineRecords(sensor_of(record={"bytes": 32}), np.random.default_rng(0)).next()
    assert dataclasses.astuple(read_record(record + b"rest"))[0] == 0
    with pytest.raises(Truncated):
        read_record(record[:23])
    with pytest.raises(Corrupt):
        read_record(record[:31])
    with pytest.raises(Corrupt):
        read_record(b"\0" + record[1:])
