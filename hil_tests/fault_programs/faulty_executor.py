"""Executors that fail on purpose after N steps: `--executor hil_tests.fault_programs.faulty_executor:hang_200`.

    hang_N       stops its own process (SIGSTOP) in step N
    die_N        kills it (SIGKILL)
    garbage_N    writes bytes that are no message into the pipe of the executor protocol, then dies
    malformed_N  leaves out a column of the contexts from step N on
    wrong_N      gives the contexts of one group wrong, in the right shape, from step N on

The first three are for worker processes (`compress --isolate`): they end whatever runs them. A worker that is started
again begins to count again; the self-test takes nine steps for whole lines, and nine for each of their groups.
"""

import os
import re
import signal
import stat
from collections.abc import Callable
from pathlib import Path

from typing_extensions import override

from runtime.cell.flight_package import open_integer_package
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.cell_executor import OnnxRuntimeCell

ENDINGS = ("hang", "die", "garbage")
SPOILT = ("malformed", "wrong")
NAME = re.compile(rf"({'|'.join((*ENDINGS, *SPOILT))})_(\d+)")
GARBAGE = b"Loading plugins...\n" * 8


class FaultyExecutor(ArrayExecutor):
    """Another executor, until step `first`, counted from 0."""

    def __init__(self, executor: ArrayExecutor, fault: str, first: int = 0) -> None:
        self.executor, self.fault, self.first = executor, fault, first
        self.provider, self.sha256 = executor.provider, executor.sha256
        self.n_steps = 0

    @override
    def run(self, inputs: Arrays) -> Arrays:
        """The other executor's answer, but not as it should be."""
        is_due = self.n_steps >= self.first
        self.n_steps += 1
        if is_due and self.fault in ENDINGS:
            end(self.fault)
        outputs = dict(self.executor.run(inputs))
        if is_due and self.fault == "malformed":
            outputs["contexts"] = outputs["contexts"][:, 1:]
        elif is_due:
            outputs["contexts"] = outputs["contexts"].copy()
            outputs["contexts"][0] ^= 127
        return outputs


def end(fault: str) -> None:
    """Do to this process what the fault says."""
    if fault == "garbage":
        for fd in range(3, 64):  # the server keeps the pipe under another number than standard output's
            try:
                if stat.S_ISFIFO(os.fstat(fd).st_mode):
                    os.write(fd, GARBAGE)
            except OSError:
                continue
    os.kill(os.getpid(), signal.SIGSTOP if fault == "hang" else signal.SIGKILL)


def __getattr__(name: str) -> Callable[[Path], ArrayExecutor]:
    """The function of a name, from the path of an int8 package to an executor."""
    found = NAME.fullmatch(name)
    if found is None:
        raise AttributeError(name)

    def load(source: Path) -> ArrayExecutor:
        return FaultyExecutor(OnnxRuntimeCell(open_integer_package(source)), found[1], int(found[2]))

    return load
