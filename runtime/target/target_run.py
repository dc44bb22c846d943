"""The end of an acceptance run on the target: `python -m runtime.target.target_run` (docs/formats/target-run.md).

Jobs come as JSON lines on standard input, events go as JSON lines to standard output; whatever libraries print goes to
standard error. It ends when its input ends. Needs the runtime and its libraries, nothing else.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Iterable
from typing import TextIO

from runtime.codec.opened_encoder import Loaded
from runtime.errors import BadArgument, LineRwkvError
from runtime.target.job_tables import ClockJob, FileJob, Job, JobName, LoadJob, SelfTestJob, read_job
from runtime.target.target_jobs import Result, decode, encode, load, self_test, warm_up

LONGEST_TEXT = 2000


class Teller:
    """Writes events, each with its time on this machine's monotonic clock."""

    def __init__(self, output: TextIO) -> None:
        self.output = output

    def say(self, event: str, **values: object) -> None:
        """One line, sent at once."""
        self.output.write(json.dumps({"event": event, "at": time.monotonic(), **values}) + "\n")
        self.output.flush()


def work(name: JobName, job: Job, loaded: Loaded | None, teller: Teller) -> tuple[Loaded | None, Result]:
    """Do one job; what is loaded after it, and its result. Raises LineRwkvError, OSError."""
    if isinstance(job, ClockJob):
        return loaded, {}
    if isinstance(job, LoadJob):
        return load(job)
    if loaded is None:
        raise BadArgument(f"job {name} comes before load")
    if isinstance(job, SelfTestJob):
        return loaded, self_test(loaded, job)
    if isinstance(job, FileJob):
        return loaded, (encode if name == "encode" else decode)(loaded, job, teller.say)
    return loaded, warm_up(loaded, job)


def serve(lines: Iterable[str], teller: Teller) -> None:
    """Do the jobs in their order; one that fails is an event, and the next may follow."""
    loaded: Loaded | None = None
    for line in lines:
        try:
            name, job = read_job(line)
            teller.say("begin", job=name)
            loaded, result = work(name, job, loaded, teller)
            teller.say("end", job=name, result=result)
        except LineRwkvError as error:
            teller.say("error", kind=type(error).__name__, text=str(error)[:LONGEST_TEXT])
        except Exception as error:  # no such file, a full disk, no memory: the harness is told
            traceback.print_exc()
            text = " ".join(str(error).split())
            teller.say("error", kind=type(error).__name__, text=f"{type(error).__name__}: {text}"[:LONGEST_TEXT])


def main() -> None:
    """Serve standard input."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as output:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin, Teller(output))


if __name__ == "__main__":
    main()
