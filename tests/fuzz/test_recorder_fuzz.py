"""Whatever an imager, a commander, a configurer or a link sends: it is right, or refused in one line."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from runtime.target import telecommands
from runtime.target.flight_config import read_config
from runtime.target.line_frames import LineFrames
from tests.fuzz.config_law import REQUIRED, SOUND, check_refused, key_text, put, toml, wrong_values
from tests.fuzz.recorder_run import run

EVERY = 600


def test_hostile_input_of_the_recorder_is_refused_in_one_line_or_right() -> None:
    ends = run(0, EVERY)
    assert ends["packets: refused"]
    for way in ("command: done", "command: refused", "configuration: done", "configuration: refused", "packets: done",
                "packets: in part", "frames: found", "frames: not found"):  # fmt: skip
        assert ends[way] >= EVERY / 200, way  # a fuzzer of which one end is never reached tests nothing


def test_the_sound_configuration_is_sound(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("\n".join(f"{key_text(key)} = {toml(one)}" for key, one in SOUND.items()))
    assert len(read_config(tmp_path / "c.toml").forms) == 2


def test_every_wrong_value_of_a_configuration_names_its_key(tmp_path: Path) -> None:
    for path, value in wrong_values():
        check_refused(put(path, value), path, tmp_path)
    for path in REQUIRED:
        check_refused(put(path, None), path, tmp_path)


def test_a_frame_that_did_not_come_breaks_the_law() -> None:
    class Changing(LineFrames):
        def frames(self, take: Any) -> Any:
            for frame in super().frames(take):
                yield frame[:-1] + bytes([frame[-1] ^ 1])

    with patch("tests.fuzz.frame_law.LineFrames", Changing), pytest.raises(AssertionError, match="example"):
        run(0, EVERY)


def test_a_command_that_is_done_and_called_refused_breaks_the_law() -> None:
    answer = telecommands.answer

    def refusing(line: bytes, do: telecommands.Do) -> dict[str, Any]:
        return answer(line, do) and {"ok": False, "error": "x"}

    with patch.object(telecommands, "answer", refusing), pytest.raises(AssertionError, match="example"):
        run(0, EVERY)


@pytest.mark.slow
def test_more_of_them() -> None:
    run(1000, 2000)
