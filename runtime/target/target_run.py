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
from runtime.target.target_jobs import Job, decode, encode, load, self_test, warm_up

JOBS = ("clock", "load", "warm_up", "self_test", "encode", "decode")
LONGEST_TEXT = 2000


class Teller:
    """Writes events, each with its time on this machine's monotonic clock."""

    def __init__(self, output: TextIO) -> None:
        self.output = output

    def say(self, event: str, **values: object) -> None:
        """One line, sent at once."""
        self.output.write(json.dumps({"event": event, "at": time.monotonic(), **values}) + "\n")
        self.output.flush()


def work(job: Job, loaded: Loaded | None, teller: Teller) -> tuple[Loaded | None, Job]:
    """Do one job; what is loaded after it, and its result. Raises LineRwkvError or what wrong values raise."""
    kind = job.get("do")
    if kind not in JOBS:
        raise BadArgument(f"job {kind!r} is not known; known: {', '.join(JOBS)}")
    if kind == "clock":
        return loaded, {}
    if kind == "load":
        return load(job)
    if loaded is None:
        raise BadArgument(f"job {kind} comes before load")
    if kind == "warm_up":
        return loaded, warm_up(loaded, job)
    if kind == "self_test":
        return loaded, self_test(loaded, job)
    return loaded, (encode if kind == "encode" else decode)(loaded, job, teller.say)


def serve(lines: Iterable[str], teller: Teller) -> None:
    """Do the jobs in their order; one that fails is an event, and the next may follow."""
    loaded: Loaded | None = None
    for line in lines:
        try:
            job = json.loads(line)
            teller.say("begin", job=job.get("do"))
            loaded, result = work(job, loaded, teller)
            teller.say("end", job=job.get("do"), result=result)
        except LineRwkvError as error:
            teller.say("error", kind=type(error).__name__, text=str(error)[:LONGEST_TEXT])
        except Exception as error:  # values of a wrong kind, a full disk, no memory: the harness is told
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
