"""Jobs on several threads, their results in the order of the jobs, and no more jobs at a time than memory is for."""

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Self, TypeVar

from typing_extensions import override

Worker = TypeVar("Worker")
Result = TypeVar("Result")

HELD_PER_THREAD = 2
"""Jobs that wait or run, for each thread: one that runs and one that waits, so that no thread waits for input."""


class Stopped(Exception):
    """A job ends early because its result is not wanted any more."""


class OrderedWork(contextlib.AbstractContextManager["OrderedWork[Worker, Result]"], Generic[Worker, Result]):
    """A context manager: at the end of the block jobs that run are told to stop, and have ended when it is left."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        """workers: what a thread needs that no other thread uses; as many as there are threads."""
        self.idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in workers:
            self.idle.put(worker)
        self.n_held = HELD_PER_THREAD * len(workers)
        self.threads = ThreadPoolExecutor(len(workers), "linerwkv")
        self.results: deque[Future[Result]] = deque()
        self.stop = threading.Event()

    @property
    def is_full(self) -> bool:
        """Whether a result has to be taken before the next job is given."""
        return len(self.results) >= self.n_held

    def start(self, job: Callable[[Worker], Result]) -> Future[Result]:
        """Run a job when a thread is free, without a place in the order."""
        return self.threads.submit(self.run, job)

    def give(self, job: Callable[[Worker], Result]) -> None:
        """The next job."""
        self.results.append(self.start(job))

    def give_again(self, place: int, job: Callable[[Worker], Result]) -> Future[Result]:
        """Another job in place of one that was given and is not taken, and is returned; 0 is the oldest."""
        dropped, self.results[place] = self.results[place], self.start(job)
        dropped.cancel()
        return dropped

    def take(self) -> Result:
        """The result of the oldest job; raises what it raised."""
        return self.results.popleft().result()

    def run(self, job: Callable[[Worker], Result]) -> Result:
        """In a thread."""
        self.check_wanted()
        worker = self.idle.get()
        try:
            return job(worker)
        finally:
            self.idle.put(worker)

    def check_wanted(self) -> None:
        """Called by jobs between lines. Raises Stopped."""
        if self.stop.is_set():
            raise Stopped

    @override
    def __enter__(self) -> Self:
        return self

    @override
    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.threads.shutdown(wait=True, cancel_futures=True)
