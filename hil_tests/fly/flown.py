"""The program that flies, started here or on a board; what it printed."""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click

from hil_tests.board.board import Board
from hil_tests.places.runtime_wheel import build_runtime_wheel
from hil_tests.targets.fault_programs import put_fault_programs
from hil_tests.targets.target_factory import make_target
from runtime.errors import BadArgument

PROGRAM = "hil_tests.fault_programs.flight.trial"
FOLDER = "flight"
REPORT, PAGE = "report.json", "report.html"


def flown_here(output: Path, words: list[str]) -> dict[str, Any]:
    """On this machine, by this Python, in a folder of the output. Raises BadArgument."""
    folder = output / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", PROGRAM, str(folder.absolute()), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        return said(process)


def flown_on(board: Board, output: Path, words: list[str]) -> dict[str, Any]:
    """On a board, by the runtime's wheel. Raises TargetFailed or BadArgument."""
    wheel = build_runtime_wheel(output / "wheel")
    target = make_target(board, output)
    try:
        click.echo(f"{board.name}: bring-up, deploy", err=True)
        target.bring_up()
        target.deploy(wheel)
        put_fault_programs(target)
        target.shell(["rm", "-rf", FOLDER])
        with target.start(PROGRAM, FOLDER, *words) as process:
            return said(process)
    finally:
        target.close()


def said(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the program printed, once it has ended; its progress comes through. Raises BadArgument."""
    assert process.stdout is not None and process.stderr is not None
    errors = process.stderr
    last = [""]

    def pass_on() -> None:
        for line in errors:
            last[0] = line.decode(errors="replace").rstrip() or last[0]
            click.echo(line.decode(errors="replace").rstrip(), err=True)

    passing = threading.Thread(target=pass_on, daemon=True)
    passing.start()
    output = process.stdout.read()
    code = process.wait()
    passing.join()
    try:
        found: dict[str, Any] = json.loads(output)
    except ValueError:
        raise BadArgument(f"the flight ended with {code}: {last[0]}") from None
    return found
