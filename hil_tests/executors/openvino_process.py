"""OpenVINO as an executor of this environment: a process of its own environment, started when it is asked for."""

import subprocess
import weakref
from pathlib import Path
from typing import IO

from hil_tests.executors.own_environment import OwnEnvironment
from hil_tests.tool import SetupFailed
from runtime.errors import BadArgument
from runtime.executor_process import SECONDS_TO_END, ExecutorProcess

EXECUTOR = "hil_tests.executors.openvino_executor:load"


def load(source: Path) -> ExecutorProcess:
    """OpenVINO on a flight package or ONNX file; the process ends with the executor, or with this program.

    Raises BadArgument where the environment of OpenVINO is not set up, and what the server reports.
    """
    try:
        place = OwnEnvironment("openvino")
    except SetupFailed as error:
        raise BadArgument(str(error)) from None
    command = place.command("runtime.executor_server", "--executor", EXECUTOR, source.resolve())
    return ended_with_its_user(ExecutorProcess(command, environment=place.environment()))


def ended_with_its_user(process: ExecutorProcess) -> ExecutorProcess:
    """The process, which nobody needs to close."""
    weakref.finalize(process, end, process.child, process.stderr_file)
    return process


def end(child: subprocess.Popen[bytes], stderr_file: IO[bytes]) -> None:
    """Close the server's input, on which it ends by itself, and kill it where it does not."""
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()
    try:
        child.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    stderr_file.close()
