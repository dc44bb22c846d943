"""An executor on the target on one ONNX file: the runtime's executor server there, spoken to from here."""

import contextlib
import tempfile
import threading

from typing_extensions import override

from hil_tests.targets.target import Target
from runtime.executors.executor_process import ExecutorProcess

MODULE = "runtime.executors.executor_server"


class TargetExecutor(ExecutorProcess):
    """An `ExecutorProcess` that a target starts; its child is the local end of the command there."""

    def __init__(
        self, target: Target, executor: str, source: str, *, start_deadline_s: float, step_deadline_s: float
    ) -> None:
        """executor: as `load_executor` takes it; source: a file there. Raises what the server there reports."""
        self.step_deadline_s = step_deadline_s
        self.failure: str | None = None
        self.executor = f"{executor} on {target.name}"
        self.child = target.start(MODULE, "--executor", executor, source)
        self.stderr_file = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `close`
        threading.Thread(target=self.keep_errors, daemon=True).start()
        self.greeted(start_deadline_s)

    def keep_errors(self) -> None:
        """What the server prints, for messages, until it ends or nobody asks any more."""
        assert self.child.stderr is not None
        with self.child.stderr as source, contextlib.suppress(ValueError, OSError):
            while piece := source.read1(1 << 16):  # type: ignore[attr-defined]  # a BufferedReader
                self.stderr_file.write(piece)
                self.stderr_file.flush()

    @override
    def close(self) -> None:
        with contextlib.suppress(OSError):  # it is gone, and with it what was to be flushed
            super().close()
