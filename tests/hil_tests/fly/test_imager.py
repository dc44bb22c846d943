"""The imager of a flight: what it leaves out, what it sends twice, and another connection after one that broke."""

import socket
import time
from pathlib import Path

import numpy as np
import pytest

from hil_tests.fault_programs.flight.configuration import FORMS, tables, toml_text
from hil_tests.fault_programs.flight.imager import Imager, plan_of
from hil_tests.fault_programs.flight.scene import HEADER_BYTES, SYNC, made_scene, number_of
from runtime.checked_table import checked_table, toml_table
from runtime.target.flight_config import FlightConfig

SCENE = made_scene(2, 3, np.random.default_rng(0))
FRAME_BYTES = HEADER_BYTES + SCENE.lines[0].nbytes


def numbers(connection: socket.socket, count: int) -> list[int]:
    """Of the next frames."""
    data = b""
    while len(data) < count * FRAME_BYTES:
        data += connection.recv(count * FRAME_BYTES - len(data))
    frames = [data[at : at + FRAME_BYTES] for at in range(0, len(data), FRAME_BYTES)]
    assert all(frame.startswith(SYNC) for frame in frames)
    return [number_of(frame) for frame in frames]


def test_a_plan_leaves_out_and_repeats() -> None:
    plan = plan_of(200)
    assert len(plan.lost) == 11 and len(plan.repeated) == 2 and not plan.lost & plan.repeated


def test_lines_stop_at_the_limit_and_go_on_in_another_connection() -> None:
    plan = plan_of(200)
    imager = Imager(SCENE, plan, np.random.default_rng(0))
    expected = [y for y in range(200) if y not in plan.lost for _ in range(1 + (y in plan.repeated))]
    n_first = sum(y < 100 for y in expected)
    with socket.create_connection(("127.0.0.1", imager.port)) as connection:
        imager.limit = 100
        assert numbers(connection, n_first) == expected[:n_first]
        while not imager.has_sent(100):
            time.sleep(0.01)
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
    imager.is_broken.set()
    imager.rate = 1e6
    with socket.create_connection(("127.0.0.1", imager.port)) as connection:
        imager.limit = 200
        assert numbers(connection, len(expected) - n_first) == expected[n_first:]
    imager.thread.join()
    assert sorted(imager.sent_at) == sorted(set(expected))


@pytest.mark.parametrize("stage", FORMS)
def test_the_configuration_is_one_of_the_recorder(stage: str, tmp_path: Path) -> None:
    values = tables(
        tmp_path, SCENE.table, 5000, 5001, stage=stage, segment_lines=8, line_deadline=2.0, rotate_bytes=1000,
        trust=tmp_path / "trust.toml",
    )  # fmt: skip
    found = checked_table(FlightConfig, toml_table(toml_text(values).encode(), "config"), "config")
    assert found.lines.bands == 2 and found.made_forms()[0].name == "flight"
