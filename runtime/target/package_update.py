"""A package in flight: checked beside the lines, tried from a segment's start on, then kept or not.

One update at a time. The thread that records asks `is_due` between segments and takes each stream's encoder from here;
the check has a thread of its own; commands come from others.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from runtime.codec.compared_forms import Compared, ComparedForms
from runtime.codec.forms_encoder import FormsEncoder, LoadedForms
from runtime.codec.segment_encoder import CodedSegment
from runtime.defences.supervised_executor import SupervisedExecutor
from runtime.errors import BadArgument, LineRwkvError, one_line
from runtime.stream.image_description import ImageDescription
from runtime.stream.telemetry import SegmentTelemetry
from runtime.target.package_check import Candidate, Offer, checked, read_offer
from runtime.target.package_slots import PackagesTable
from runtime.target.package_trial import PackageTrial, Verdict
from runtime.target.telecommands import PackageCommand

LONGEST_END_S = 30.0
"""That the end of the recorder waits for a check."""


class Phase(StrEnum):
    """Of the update."""

    NONE = "none"
    CHECKED = "is checked"
    WAITS = "waits for its form"
    ON_TRIAL = "is on trial"
    DECIDED = "ends with the segment"


class PackageUpdates:
    """Of one recorder."""

    def __init__(
        self, table: PackagesTable | None, image: ImageDescription, loaded: LoadedForms, max_errors: Sequence[int],
        tell: Callable[[dict[str, Any]], None],
    ) -> None:  # fmt: skip
        """Without a table there are none, and commands are refused."""
        self.table, self.image, self.loaded, self.max_errors, self.tell = table, image, loaded, max_errors, tell
        self.lock = threading.Lock()
        self.phase = Phase.NONE
        self.candidate: Candidate | None = None
        self.trial: PackageTrial | None = None
        self.thread: threading.Thread | None = None
        self.held: dict[int, contextlib.ExitStack] = {}  # Executors of packages that were taken, by forms

    def begin(self, command: PackageCommand) -> dict[str, Any]:
        """Begin an update; what is added to the answer. Raises BadArgument."""
        if self.table is None:
            raise BadArgument("command package: the configuration has no table packages")
        with_network = [form.name for form in self.loaded.forms if form.options.has_network]
        if command.form not in with_network:
            allowed = ", ".join(with_network) or "none: no form has a network"
            raise BadArgument(f"command package: key form: found {command.form[:60]!r}, allowed {allowed}")
        with self.lock:
            if self.phase is not Phase.NONE:
                raise BadArgument(f"command package: another package {self.phase}, allowed one at a time")
            self.phase = Phase.CHECKED
        form = next(number for number, form in enumerate(self.loaded.forms) if form.name == command.form)
        try:
            offer = read_offer(Path(command.file), self.table.trust)
            self.thread = threading.Thread(target=self.check, args=(offer, self.table, form), daemon=True)
            self.thread.start()
        except BaseException as error:
            self.phase, self.thread = Phase.NONE, None
            if isinstance(error, LineRwkvError | RuntimeError):  # of a package; of a thread that cannot be made
                raise BadArgument(f"command package: {one_line(error)}") from error
            raise
        return {"package": offer.package.sha256.hex()}

    def check(self, offer: Offer, table: PackagesTable, form: int) -> None:
        """The thread's work; whatever goes wrong in it, lines go on."""
        told = {"package": offer.package.sha256.hex(), "form": self.loaded.forms[form].name}
        try:
            candidate = checked(offer, table, self.image, self.loaded, form, self.max_errors)
        except Exception as error:
            self.phase = Phase.NONE
            self.tell({**told, "state": "refused", "why": one_line(error)})
            return
        self.tell({**told, "state": "verified", "slot": candidate.slot, "signer": offer.signer})
        self.candidate, self.phase = candidate, Phase.WAITS

    def is_due(self, form: int) -> bool:
        """Whether the stream ends with this segment, whose form is given, so that the next one has other packages."""
        if self.phase is Phase.WAITS:
            return self.candidate is not None and self.candidate.form == form
        return self.phase is Phase.DECIDED

    def encoder(self, form: int, max_error: int, on_segment: Callable[[SegmentTelemetry], None] | None) -> FormsEncoder:
        """The encoder of the next stream."""
        if self.phase is Phase.DECIDED:
            self.end()
        if self.is_due(form):
            self.try_out()
        candidate, trial = self.candidate, self.trial
        if candidate is None or trial is None:
            return FormsEncoder(self.image, self.loaded, form, max_error, on_segment)
        compared = Compared(candidate.form, candidate.replacement.old, partial(self.compare, candidate, trial))
        return ComparedForms(self.image, self.loaded, form, max_error, on_segment, compared)

    def try_out(self) -> None:
        """Begin the trial, which the disk knows first."""
        assert self.candidate is not None and self.table is not None
        candidate = self.candidate
        try:
            candidate.slots.write(replace(candidate.tried, since=int(time.time())))
        except BadArgument as error:
            self.tell({**self.told(candidate), "state": "refused", "why": str(error)})
            release(candidate.held.close)
            self.candidate, self.phase = None, Phase.NONE
            return
        self.trial = PackageTrial(self.table.trial_segments)
        self.loaded, self.phase = candidate.replacement.on_trial, Phase.ON_TRIAL
        self.tell({**self.told(candidate), "state": "on trial", "slot": candidate.slot})

    def compare(self, candidate: Candidate, trial: PackageTrial, coded: list[CodedSegment], n_old_bytes: int) -> None:
        """Take segments of the trial; a verdict is on the disk before it is told."""
        verdict = trial.compare(coded, n_old_bytes)
        if verdict is None:
            return
        active = candidate.slot if verdict is Verdict.TAKEN else candidate.tried.active
        try:
            candidate.slots.write(replace(candidate.tried, trial=None, active=active, since=int(time.time())))
        except BadArgument as error:  # the disk says "on trial": at the next start that is rolled back
            trial.verdict, trial.why = Verdict.ROLLED_BACK, str(error)
        self.phase = Phase.DECIDED
        self.tell({**self.told(candidate), "state": trial.verdict, **trial.told()})

    def end(self) -> None:
        """Go on by the package that stays, and end what ran the other."""
        assert self.candidate is not None and self.trial is not None
        candidate, verdict = self.candidate, self.trial.verdict
        if verdict is Verdict.TAKEN:
            self.loaded, left = candidate.replacement.after, self.held.get(candidate.form)
            old = candidate.replacement.before.executors[candidate.form]
            if left is not None:
                release(left.close)
            elif isinstance(old, SupervisedExecutor):
                release(old.close)
            self.held[candidate.form] = candidate.held
        else:
            self.loaded = candidate.replacement.before
            release(candidate.held.close)
        self.candidate, self.trial, self.phase = None, None, Phase.NONE

    def told(self, candidate: Candidate) -> dict[str, Any]:
        """Which package, for telemetry."""
        name = self.loaded.forms[candidate.form].name
        return {"package": candidate.package.sha256.hex(), "form": name}

    def close(self) -> None:
        """End the executors of all packages that came; a check that hangs is left alone."""
        if self.thread is not None:
            self.thread.join(LONGEST_END_S)
        for held in self.held.values():
            held.close()
        if self.candidate is not None:
            self.candidate.held.close()


def release(close: Callable[[], None]) -> None:
    """End an executor beside the lines: one that is being made again is waited for."""
    try:
        threading.Thread(target=close).start()
    except RuntimeError:  # no thread can be made
        close()
