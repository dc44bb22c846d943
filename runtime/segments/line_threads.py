"""Threads beside the one that takes lines, for parts of live lines: the network of the next, the coder of the last."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

PARTS = 2


class LineThreads(NamedTuple):
    """Where a part is done; None: where lines are taken, one part after the other."""

    network: ThreadPoolExecutor | None = None
    """An int8 network makes the contexts of the next line here, all of them before `push` returns."""
    coder: ThreadPoolExecutor | None = None
    """The residuals of a line are coded here, while the line after it is predicted."""

    @property
    def n(self) -> int:
        """The one that takes lines included."""
        return 1 + (self.network is not None) + (self.coder is not None)


NO_THREADS = LineThreads()


class LineCoder:
    """The coding of a segment's lines, one after another: beside their prediction, or between."""

    def __init__(self, thread: ThreadPoolExecutor | None) -> None:
        self.thread = thread
        self.last: Future[None] | None = None

    def begin(self, code: Callable[..., None], *of_line: object) -> None:
        """Code a line, after those before it. Raises what `code` raised for the one before; here also for this one."""
        self.wait()
        if self.thread is None:
            code(*of_line)
        else:
            self.last = self.thread.submit(code, *of_line)

    def wait(self) -> None:
        """Until all lines are coded. Raises what `code` raised for the last."""
        if self.last is not None:
            self.last.result()


@contextlib.contextmanager
def opened_threads(n_threads: int) -> Iterator[tuple[ThreadPoolExecutor, ...]]:
    """A thread each for as many parts as `n_threads` in all allow; they have begun, so that no line waits for that."""
    with contextlib.ExitStack() as stack:
        n = min(n_threads - 1, PARTS)
        threads = tuple(stack.enter_context(ThreadPoolExecutor(1, f"linerwkv-{number}")) for number in range(n))
        for thread in threads:
            thread.submit(threading.get_ident).result()
        yield threads


def line_threads(threads: Sequence[ThreadPoolExecutor], *, has_network_ahead: bool) -> LineThreads:
    """Who does what: a network takes longer than a coder, so that it has the first."""
    network, *others = [*threads, None] if has_network_ahead else [None, *threads]
    return LineThreads(network, others[0] if others else None)
