"""An executor as a process (docs/formats/executor-protocol.md).

`python -m runtime.executors.executor_server --executor NAME PACKAGE`.

Messages are sent over standard input and output; whatever libraries print is written to standard error.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import BinaryIO

import click

from runtime.errors import ExecutorFailed, LineRwkvError
from runtime.exact_read import Take
from runtime.executors.array_executor import ArrayExecutor
from runtime.executors.executor_frames import Kind, Message, read_message
from runtime.executors.executor_registry import ONNXRUNTIME, load_executor

LONGEST_TEXT = 4000
EXIT_FAILED = 2


def error_message(error: Exception) -> Message:
    """An error on one line, under the name of its class."""
    name = type(error).__name__ if isinstance(error, LineRwkvError) else ExecutorFailed.__name__
    text = str(error) if isinstance(error, LineRwkvError) else f"{type(error).__name__}: {error}"
    return Message(Kind.ERROR, {"error": name, "text": " ".join(text.split())[:LONGEST_TEXT]})


def answer(executor: ArrayExecutor, request: Message) -> bytes:
    """The answer to a step, or the error in its place; standard error gets the trace of an unexpected one."""
    try:
        return Message(Kind.ANSWER, {}, executor.run(request.arrays)).to_bytes()
    except LineRwkvError as error:
        return error_message(error).to_bytes()
    except Exception as error:  # executors run libraries with errors of their own; the user gets them
        traceback.print_exc()
        return error_message(error).to_bytes()


def serve(name: str, source: Path, take: Take, output: BinaryIO) -> int:
    """Send `hello`, then answer each step until the pipe ends; the exit code. A broken message ends the service."""

    def send(data: bytes) -> None:
        output.write(data)
        output.flush()

    try:
        executor = load_executor(name, source)
        words = {"executor": name, "provider": executor.provider, "sha256": executor.sha256}
        send(Message(Kind.HELLO, words).to_bytes())
        while (request := read_message(take)) is not None:
            if request.kind is not Kind.STEP:
                raise ExecutorFailed(f"a server is sent steps, not {request.kind}")
            send(answer(executor, request))
    except LineRwkvError as error:
        send(error_message(error).to_bytes())
        return EXIT_FAILED
    return 0


@click.command()
@click.option("--executor", default=ONNXRUNTIME, show_default=True, help="A known name, or module:function.")
@click.argument("package", type=click.Path(path_type=Path))
def main(executor: str, package: Path) -> None:
    """Serve the steps of PACKAGE (a flight package, or one ONNX file) over standard input and output."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        code = serve(executor, package, sys.stdin.buffer.read, output)
    sys.exit(code)


if __name__ == "__main__":
    main()
