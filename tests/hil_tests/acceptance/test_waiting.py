"""The line of a silent wait goes on by itself, on a terminal."""

import os
import pty
import subprocess
import sys
import termios

from hil_tests.places.place import REPOSITORY

PROGRAM = """
import time
from hil_tests.acceptance import waiting
waiting.TICK_S = 0.05
with waiting.waiting("board") as say:
    say("compile there")
    time.sleep(2.2)
"""


def test_time_goes_on_while_nothing_is_said() -> None:
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, 80))
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=writer, cwd=REPOSITORY) as child:
        os.close(writer)
        said = b""
        while True:
            try:
                piece = os.read(reader, 4096)
            except OSError:  # the child ended, and with it the terminal
                break
            if not piece:
                break
            said += piece
    os.close(reader)
    assert child.returncode == 0
    assert b"board: compile there, 00:01" in said
    assert b"board: compile there, 00:02" in said


def test_without_a_terminal_nothing_is_said() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, check=True)
    assert done.stderr == b""
