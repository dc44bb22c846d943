"""An executor that may fail: it is made again beside the lines, and tested before it is trusted again."""

import contextlib
import math
import threading
import time
from collections.abc import Callable

from typing_extensions import override

from runtime.cell.flight_package import IntegerPackage, open_integer_package
from runtime.cell.package_files import MANIFEST
from runtime.cell.package_manifest import check_identity, check_parts
from runtime.defences.checksum import checksum
from runtime.errors import Corrupt, ExecutorFailed, LineRwkvError
from runtime.executors.array_executor import ArrayExecutor, Arrays
from runtime.executors.executor_process import ExecutorProcess
from runtime.executors.self_test import check_executor

DEFAULT_RESTARTS = 3
SELF_TEST_DEADLINE_S = 30.0

Make = Callable[[IntegerPackage], ArrayExecutor]
"""Makes an executor that passed its self-test. Raises LineRwkvError."""


class SupervisedExecutor(ArrayExecutor, contextlib.AbstractContextManager["SupervisedExecutor"]):
    """An `ArrayExecutor` of an int8 package, and the package that it is made from; a context manager.

    An executor that failed is not used again. A new one is made in a thread from the package on disk, at
    most `n_restarts` times in all; `is_ready` says when it is there.
    """

    def __init__(
        self, package: IntegerPackage, executor: ArrayExecutor, *, name: str = "", make: Make | None = None,
        line_deadline_s: float | None = None, n_restarts: int = DEFAULT_RESTARTS,
    ) -> None:  # fmt: skip
        """`executor` passed its self-test; `make` None: there is no other. Only processes can be held to a deadline."""
        self.package = package
        self.sum = package_sum(package)
        self.current: ArrayExecutor | None = executor
        self.name = name or type(executor).__name__
        self.provider, self.sha256 = executor.provider, executor.sha256
        self.make = make
        self.line_deadline_s = math.inf if line_deadline_s is None else line_deadline_s
        self.n_restarts_left = n_restarts
        self.n_restarted = 0  # Those that were made again, and taken
        self.seconds_left = math.inf
        self.thread: threading.Thread | None = None
        self.made: tuple[IntegerPackage, ArrayExecutor] | str = ""
        self.restart_errors: list[str] = []

    def begin_line(self) -> None:
        """The steps of a line share its deadline; what the host does between them, even compiling, does not count."""
        self.seconds_left = self.line_deadline_s

    @override
    def run(self, inputs: Arrays) -> Arrays:
        """Raises ExecutorFailed, also where there is none now."""
        if self.current is None:
            raise ExecutorFailed(f"executor {self.name} is not running")
        if isinstance(self.current, ExecutorProcess) and self.seconds_left < math.inf:
            self.current.step_deadline_s = max(0.0, self.seconds_left)
        start = time.monotonic()
        try:
            return self.current.run(inputs)
        finally:
            self.seconds_left -= time.monotonic() - start

    def check_package(self) -> None:
        """Raise Corrupt where the package in memory is no longer the one that was loaded."""
        package = self.package
        check_identity(package.source, package.sha256, package.parts[MANIFEST])
        check_parts(package.source, package.manifest, package.parts)
        if package_sum(package) != self.sum:
            raise Corrupt(f"package {package.source}: integers or recorded lines have changed in memory")

    def check_executor(self) -> None:
        """The self-test again. Raises LineRwkvError."""
        self.seconds_left = SELF_TEST_DEADLINE_S
        check_executor(self.package, self)

    def fail(self) -> None:
        """Give the executor up, and begin to make another where restarts are left. Returns at once."""
        failed, self.current = self.current, None
        if isinstance(failed, ExecutorProcess):
            failed.child.kill()
            failed.close()
        if failed is not None:
            self.restart()

    def restart(self) -> None:
        """Begin to make another where restarts are left."""
        if self.make is not None and self.n_restarts_left > 0:
            self.n_restarts_left -= 1
            self.thread = threading.Thread(target=self.renew, args=(self.make,), daemon=True)
            self.thread.start()

    def renew(self, make: Make) -> None:
        """Set `made` to a new executor and its package, or to why there is none. Runs in the thread."""
        try:
            package = open_integer_package(self.package.source)
            check_identity(package.source, self.package.sha256, package.parts[MANIFEST])
            self.made = package, make(package)
        except LineRwkvError as error:
            self.made = str(error)

    def is_ready(self) -> bool:
        """Whether there is an executor; one that was made meanwhile is taken, one that could not be is tried again."""
        if self.thread is not None and not self.thread.is_alive():
            self.thread = None
            if isinstance(self.made, tuple):
                self.package, self.current = self.made
                self.n_restarted += 1
                self.sum = package_sum(self.package)
                self.provider = self.current.provider
            else:
                self.restart_errors.append(self.made)
                self.restart()
        return self.current is not None

    def take_restart_errors(self) -> list[str]:
        """Why it could not be made again, since the last call."""
        taken, self.restart_errors = self.restart_errors, []
        return taken

    def close(self) -> None:
        """End the executor, and wait for one that is being made."""
        self.n_restarts_left = 0
        if self.thread is not None:
            self.thread.join()
            self.is_ready()
        if isinstance(self.current, ExecutorProcess):
            self.current.close()
        self.current = None

    @override
    def __exit__(self, *error: object) -> None:
        self.close()


def package_sum(package: IntegerPackage) -> int:
    """Of the arrays that executors are built from and tested by."""
    return checksum([package.cell.tensors(), package.conformance.tensors()])
