"""An operation on every file of an archive: what a ledger has is not done again, what fails ends nothing else."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from linerwkv.ground.archive_cluster import failed, opened_client, outcomes
from linerwkv.ground.archive_files import identity_of
from linerwkv.ground.archive_jobs import Outcome
from linerwkv.ground.archive_ledger import Ledger, open_ledger
from linerwkv.ground.transcoding import is_stream
from linerwkv.stream_source import is_url
from runtime.errors import Incomplete, LineRwkvError, one_line
from runtime.images.scene_reader import open_scene
from runtime.output_checks import check_outputs


class Task(NamedTuple):
    """A file to work on."""

    source: str
    """Absolute path or URL."""
    options: dict[str, Any]
    """Of its operation, plain values."""
    files: tuple[str, ...]
    """That it is read from; another version of them is another task."""


def work(
    operation: str, tasks: Sequence[Task], ledger_path: Path | None = None, scheduler: str | None = None,
    n_workers: int = 1,
) -> list[Outcome]:  # fmt: skip
    """The outcome of each task, in their order; those of an earlier run have `earlier`.

    ledger_path: of what is finished without an error; None: nothing is remembered. scheduler: address; None: n_workers
    processes of this machine. Raises BadArgument for ledger or scheduler, Incomplete where the scheduler is lost.
    """
    found: list[Outcome | None] = []
    with open_ledger(ledger_path) as ledger:
        keys = []
        for task in tasks:
            key, outcome = earlier(operation, task, ledger)
            keys.append(key)
            found.append(outcome)
        open_ones = [i for i, outcome in enumerate(found) if outcome is None]
        if open_ones:
            jobs = [(operation, tasks[i].source, tasks[i].options) for i in open_ones]
            bar = tqdm(
                total=len(tasks), initial=len(tasks) - len(jobs), desc=operation, unit="file", disable=None, leave=False
            )
            with opened_client(scheduler, min(n_workers, len(jobs))) as client, bar:
                try:
                    for j, outcome in outcomes(client, jobs):
                        found[open_ones[j]] = outcome
                        if outcome["error"] is None:
                            ledger.add(keys[open_ones[j]], outcome)
                        bar.update()
                except Incomplete as error:
                    how = "the same command goes on" if ledger_path else "with --ledger FILE the same command goes on"
                    n_open = sum(outcome is None for outcome in found)
                    raise Incomplete(f"{error}, {n_open} of {len(tasks)} files are not done: {how}") from None
    return [outcome for outcome in found if outcome is not None]


def earlier(operation: str, task: Task, ledger: Ledger) -> tuple[str, Outcome | None]:
    """The key of a task, and its outcome where the ledger has it and its output is there, or where a file is not."""
    try:
        identity = identity_of(task.files)
    except LineRwkvError as error:
        return "", failed((operation, task.source, task.options), one_line(error).removeprefix(f"{task.source}: "))
    key = json.dumps([operation, task.source, identity, task.options], sort_keys=True)
    outcome = ledger.finished.get(key)
    if outcome is None or ("output" in outcome and not Path(outcome["output"]).exists()):
        return key, None
    return key, outcome | {"earlier": True}


def files_of_source(operation: str, source: str) -> tuple[str, ...]:
    """That a source of `transcode` is read from, as far as it is an image file; its own name otherwise."""
    with contextlib.suppress(LineRwkvError):
        if operation == "transcode" and not is_url(source) and not is_stream(Path(source)):
            return tuple(map(str, open_scene(Path(source), has_floats=True).files))
    return (source,)


def checked_tasks(tasks: Sequence[Task], ledger_path: Path | None) -> None:
    """Raise BadArgument where an output is a source, the ledger, or that of another source."""
    read = [Path(file) for task in tasks for file in task.files if not is_url(file)]
    written = [Path(task.options["output"]) for task in tasks if "output" in task.options]
    check_outputs([*written, *([] if ledger_path is None else [ledger_path])], read)
