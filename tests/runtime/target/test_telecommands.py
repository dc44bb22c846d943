"""A line to the commands' socket is one command or none, and has one answer."""

import io
import json

import pytest

from runtime.target.telecommands import LONGEST_COMMAND, Command, answers

STOP = b'{"do": "stop"}'


def found(data: bytes) -> tuple[list[bool], list[str]]:
    """Which answers are good, and what was done."""
    done: list[str] = []

    def do(name: str, command: Command) -> dict[str, int]:
        done.append(name)
        return {}

    return [json.loads(one)["ok"] for one in answers(io.BytesIO(data).readline, do)], done


@pytest.mark.parametrize("n_before", [LONGEST_COMMAND, 2 * LONGEST_COMMAND, LONGEST_COMMAND - len(STOP)])
def test_the_end_of_a_line_that_is_too_long_is_no_command(n_before: int) -> None:
    assert found(b" " * n_before + STOP + b"\n" + b'{"do": "start"}\n') == ([False, True], ["start"])
    assert found(b" " * n_before + STOP) == ([False], [])


def test_the_longest_line_is_a_command() -> None:
    assert found(b" " * (LONGEST_COMMAND - 1 - len(STOP)) + STOP + b"\n" + STOP) == ([True, True], ["stop", "stop"])
