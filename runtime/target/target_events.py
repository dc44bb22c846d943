"""The end of an acceptance run on the target: `python -m runtime.target.target_run` (docs/formats/target-run.md).

Reads jobs as JSON lines from standard input and writes events as JSON lines to standard output, until its input ends;
what libraries print is sent to standard error. Needs the runtime and its libraries, nothing else.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

import click

from runtime.codec.opened_encoder import Loaded
from runtime.command_options import debug_option
from runtime.errors import BadArgument, LineRwkvError
from runtime.target.job_tables import ClockJob, FileJob, Job, JobName, LoadJob, PartsJob, SelfTestJob, read_job
from runtime.target.target_jobs import Result, decode, encode, load, parts, self_test, warm_up

LONGEST_TEXT = 2000


@dataclass(frozen=True)
class EventWriter:
    """Writes events, each with its time on this machine's monotonic clock."""

    output: TextIO

    def write(self, event: str, **values: object) -> None:
        """One line, sent at once."""
        self.output.write(json.dumps({"event": event, "at": time.monotonic(), **values}) + "\n")
        self.output.flush()


def work(name: JobName, job: Job, loaded: Loaded | None, events: EventWriter) -> tuple[Loaded | None, Result]:
    """Do one job; what is loaded after it, and its result. Raises LineRwkvError, OSError."""
    if isinstance(job, ClockJob):
        return loaded, {}
    if isinstance(job, LoadJob):
        return load(job)
    if loaded is None:
        raise BadArgument(f"job {name} comes before load")
    if isinstance(job, SelfTestJob):
        return loaded, self_test(loaded, job)
    if isinstance(job, PartsJob):
        return loaded, parts(loaded, job)
    if isinstance(job, FileJob):
        return loaded, (encode if name == "encode" else decode)(loaded, job, events.write)
    return loaded, warm_up(loaded, job)


def serve(lines: Iterable[str], events: EventWriter) -> None:
    """Do the jobs in their order; one that fails is an event, and the next may follow."""
    loaded: Loaded | None = None
    for line in lines:
        try:
            name, job = read_job(line)
            events.write("begin", job=name)
            loaded, result = work(name, job, loaded, events)
            events.write("end", job=name, result=result)
        except Exception as error:  # also no such file, a full disk, no memory
            kind, text = type(error).__name__, str(error)
            if not isinstance(error, LineRwkvError):
                traceback.print_exc()
                text = f"{kind}: {' '.join(text.split())}"
            events.write("error", kind=kind, text=text[:LONGEST_TEXT])


@click.command()
@debug_option
def target_run() -> None:
    """Serve jobs from standard input (docs/formats/target-run.md)."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as output:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin, EventWriter(output))
