"""Workers of Dask that run jobs of an archive: processes of this machine, or those of a scheduler elsewhere."""

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from linerwkv.ground.archive_jobs import Outcome, outcome_of
from runtime.errors import BadArgument, Incomplete, one_line
from runtime.extras import needed_for

CONNECT_S = 30
"""That a scheduler has to answer, and its first worker to come."""
WORKERS_LOG = "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED"
LOST = (asyncio.CancelledError, concurrent.futures.CancelledError)
"""What becomes of work whose scheduler is lost."""
Job = tuple[str, str, dict[str, Any]]
"""Operation, source, options."""


@contextlib.contextmanager
def opened_client(scheduler: str | None, n_workers: int) -> Iterator[Any]:
    """A client of a scheduler; None: of as many processes of one thread on this machine.

    Raises BadArgument: distributed is not here, no answer, no worker.
    """
    with needed_for("work over archives", "ground"):
        import dask
        import distributed
    for name in [one for one in logging.root.manager.loggerDict if one.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # each has a level of its own
    with contextlib.ExitStack() as stack:
        address: Any = scheduler
        if scheduler is None:
            stack.enter_context(dask.config.set({WORKERS_LOG: "critical"}))  # what dies is told in one line here
            address = stack.enter_context(distributed.LocalCluster(
                n_workers=n_workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
            ))  # fmt: skip
        try:
            client = stack.enter_context(distributed.Client(address, timeout=CONNECT_S, set_as_default=False))
            client.wait_for_workers(1, timeout=CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            raise BadArgument(f"scheduler {scheduler}: {one_line(error)}") from error
        yield client


def outcomes(client: Any, jobs: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
    """The number of each job and its outcome, as they are done.

    A job whose worker dies runs again on another one. Where several workers died under it, it runs once more when it
    is alone, since another job of these workers may have been the reason; if they die again, that is its error. Raises
    Incomplete where the scheduler is lost.
    """
    again: list[int] = []
    for i, outcome in finished(client, jobs, range(len(jobs))):
        if outcome is None:
            again.append(i)
        else:
            yield i, outcome
    for i in again:
        for _, outcome in finished(client, jobs, [i]):
            yield i, outcome or failed(jobs[i], "workers died one after another: out of memory, or a library crashed")


def finished(client: Any, jobs: Sequence[Job], numbers: Sequence[int]) -> Iterator[tuple[int, Outcome | None]]:
    """Some jobs as they are done; None: workers died under it. Raises Incomplete where the scheduler is lost."""
    from distributed import KilledWorker, as_completed

    futures = {client.submit(outcome_of, *jobs[i], pure=False): i for i in numbers}
    for future in as_completed(list(futures), loop=client.loop):
        i = futures.pop(future)
        try:
            outcome = future.result()
        except KilledWorker:
            outcome = None
        except LOST:
            client.close(timeout=1)  # which does not wait for it to come back
            raise Incomplete("scheduler lost") from None
        except Exception as error:  # a worker that cannot run the job, such as one without this package
            outcome = failed(jobs[i], f"{type(error).__name__}: {one_line(error)}")
        yield i, outcome


def failed(job: Job, error: str) -> Outcome:
    """The outcome of a job that gave none."""
    return {"source": job[1], "seconds": None, "error": error}
