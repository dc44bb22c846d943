"""One flight: the recorder among an imager and a ground, and every fault in its turn (docs/fly.md)."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil_tests.fault_programs.flight.account import Check
from hil_tests.fault_programs.flight.configuration import NETWORK
from hil_tests.fault_programs.flight.disk import Disk
from hil_tests.fault_programs.flight.flown_recorder import FlownRecorder, Told
from hil_tests.fault_programs.flight.imager import Imager
from hil_tests.fault_programs.flight.new_package import NewPackages

RATE = 3.0
"""Of the imager, in rates of the network's form."""
MEASURED, HUNG, KILLED, FULL, REPLACED, CUT, LAST = 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 1.0
"""The places in the flight, 0..1, up to which lines are sent before each event."""
SETTLED, ON_TRIAL, IN_USE = ("taken", "rolled back", "refused"), "on trial", "in use"
FULL_S = 2.0
SLOWLY = 4
"""Lines that come at once while the network is waited for."""


@dataclass
class Flight:
    """Its phases, in their order; `events` and `checks` grow."""

    imager: Imager
    recorder: FlownRecorder
    disk: Disk
    packages: NewPackages | None
    say: Callable[[str], None]
    events: list[Told] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    network_rate: float = 0.0
    """Lines a second of the network's form."""
    before_cut: Told = field(default_factory=dict)
    """The status before the power was cut."""
    cut: range = range(0)
    """Lines that the cut may have taken."""
    n_unread: int = 0
    """Lines on the way to the recorder then."""
    killed: list[str] = field(default_factory=list)
    """The streams that it left without an end."""

    def event(self, name: str, detail: str = "") -> None:
        """Note that something happens now."""
        self.events.append({"time": time.time(), "name": name, "detail": detail})
        self.say(f"line {len(self.imager.sent_at)}: {name}{f': {detail}' if detail else ''}")

    def check(self, name: str, found: object, is_held: bool) -> None:
        """Note what must hold."""
        self.checks.append(Check(name, str(found), is_held))

    def fly(self) -> None:
        """Raises FlightFailed where the recorder does not come through."""
        self.recorder.start()
        self.event("ready")
        self.measure()
        self.hang()
        self.kill_worker()
        self.fill_disk()
        if self.packages is not None:
            self.replace_package(self.packages)
        self.cut_power()
        self.talk()
        self.end()

    def send_until(self, place: float) -> None:
        """Let the imager send its lines up to a place of the flight, 0..1."""
        self.imager.limit = max(self.imager.limit, int(place * self.imager.plan.n_lines))
        self.recorder.wait_until(lambda: self.imager.has_sent(self.imager.limit), f"line {self.imager.limit}")

    def measure(self) -> None:
        """Find the rate of the network's form, as fast as lines are taken; then set the imager's, and free the form."""
        self.send_until(MEASURED)
        self.recorder.wait_until(lambda: len(self.recorder.told("segment")) >= 3, "three segments")
        first, *rest = self.recorder.told("segment")
        self.network_rate = sum(one["lines"] for one in rest) / max(1e-6, rest[-1]["time"] - first["time"])
        self.imager.rate = RATE * self.network_rate
        self.use_form("auto")
        self.event("imager", f"{self.imager.rate:.1f} lines/s, {RATE:g} times what {NETWORK} codes")

    def use_form(self, form: str) -> None:
        """Command it."""
        answer = self.recorder.command(do="form", form=form)
        self.check(f"a command for the form {form}", answer, answer.get("ok") is True)

    def hang(self) -> None:
        """Stop the executor's process."""
        self.send_until(HUNG)
        self.signal_worker(signal.SIGSTOP, "executor hangs")

    def kill_worker(self) -> None:
        """Kill the executor's process, another one than that which hung."""
        self.send_until(KILLED)
        self.signal_worker(signal.SIGKILL, "executor dies")

    def signal_worker(self, number: int, name: str) -> None:
        """Send the executor's process a signal, once there is one; telemetry must name the fault."""
        n_faults = self.n_faults()
        self.use_form(NETWORK)
        n_told = len(self.recorder.told("segment"))
        self.send_slowly(lambda: self.is_network_used(n_told), f"a segment of {NETWORK}")
        worker = self.recorder.worker()
        assert worker is not None
        os.kill(worker, number)
        self.event(name, f"process {worker}")
        self.send_slowly(lambda: self.n_faults() > n_faults, f"telemetry of: {name}")
        self.check(f"telemetry of: {name}", f"{self.n_faults() - n_faults} faults", self.n_faults() > n_faults)
        self.use_form("auto")

    def send_slowly(self, is_so: Callable[[], bool], what: str) -> None:
        """Let lines come, no faster than the network codes them, until it is so: something may be in the making."""
        due = 0.0

        def sent_and_is_so() -> bool:
            nonlocal due
            if time.monotonic() >= due:
                due = time.monotonic() + SLOWLY / self.network_rate
                self.imager.limit += SLOWLY
            return is_so()

        self.recorder.wait_until(sent_and_is_so, what)

    def is_network_used(self, since: int) -> bool:
        """Whether the network coded the last segment, after so many, by an executor that is there and did not fail."""
        told = self.recorder.told("segment")[since:]
        is_whole = bool(told) and told[-1]["executor"] is not None and not told[-1]["errors"]
        return is_whole and told[-1]["form"] == NETWORK and self.recorder.worker() is not None

    def n_faults(self) -> int:
        """Of executors, as segments told of them."""
        errors = [error for one in self.recorder.told("segment") for error in one["errors"]]
        return sum(error["kind"] == "executor" for error in errors)

    def fill_disk(self) -> None:
        """Leave no room for a while."""
        self.send_until(FULL)
        n_waits, n_resumed = len(self.recorder.told("waiting")), len(self.recorder.told("resumed"))
        self.disk.fill()
        self.event("disk full", self.disk.kind)
        self.send_slowly(lambda: len(self.recorder.told("waiting")) > n_waits, "telemetry of a full disk")
        time.sleep(FULL_S)
        self.disk.empty()
        self.event("disk has room")
        self.recorder.wait_until(lambda: len(self.recorder.told("resumed")) > n_resumed, "recording after a full disk")
        why = str(self.recorder.told("waiting")[n_waits]["waiting"])
        self.check("telemetry of: disk full", why, "No space left" in why or "the quota allows" in why)

    def replace_package(self, packages: NewPackages) -> None:
        """Send a new package, and let it settle."""
        self.send_until(REPLACED)
        self.send_package(packages.larger)
        self.send_slowly(lambda: self.package_state() in SETTLED, "end of the package's trial")
        self.check("the new package's trial", self.package_state(), self.package_state() in SETTLED[:2])
        self.event("package", self.package_state())
        self.use_form("auto")

    def send_package(self, path: Path) -> None:
        """Command it, and its form."""
        answer = self.recorder.command(do="package", form=NETWORK, file=str(path))
        self.check(f"a command for {path.name}", answer, answer.get("ok") is True)
        self.event("new package", path.name)
        self.use_form(NETWORK)

    def package_state(self) -> str:
        """What telemetry said of a package last."""
        told = [one["state"] for one in self.recorder.told("package") if one["state"] != IN_USE]
        return str(told[-1]) if told else ""

    def cut_power(self) -> None:
        """End the recorder at once, in the middle of another package's trial where there is one, and start it again."""
        self.send_until(CUT)
        if self.packages is not None:
            packages, is_taken = self.packages, self.package_state() == SETTLED[0]
            self.send_package(packages.same if is_taken else packages.larger)
            self.send_slowly(lambda: self.package_state() == ON_TRIAL, "another package on trial")
        self.recorder.wait_until(lambda: self.imager.has_sent(self.imager.limit), "lines before the power cut")
        self.before_cut = self.recorder.command(do="status")
        self.n_unread = self.imager.n_of_connection - self.read_of(self.before_cut)
        self.recorder.kill()
        self.imager.is_broken.set()
        written = self.lines_told()
        self.event("power cut", "the recorder is killed" + (", a package on trial" if self.packages else ""))
        self.killed = [str(self.recorder.told("file")[-1]["file"])]
        self.cut = range(written, max(self.imager.sent_at) + 1)
        self.recorder.start()
        self.event("ready again")
        if self.packages is not None:
            state = self.package_state()
            self.check("the package on trial, after the power cut", state, state == SETTLED[1])
        self.use_form("auto")

    def lines_told(self) -> int:
        """The first line of the imager that telemetry has told nothing of, while no line was lost on the way."""
        lines = sum(int(one["lines"]) for one in self.recorder.told("segment"))
        return lines + sum(int(one["gap"]) for one in self.recorder.told("gap"))

    def talk(self) -> None:
        """Commands that must be refused, and cost nothing."""
        wrong = [
            self.recorder.answer(b"\xff\x00 not JSON"), self.recorder.command(do="launch"),
            self.recorder.command(do="form", form="nothing"), self.recorder.command(do="stop", until=1.0),
        ]  # fmt: skip
        self.check("commands that are refused", f"{len(wrong)} of 4", all(one["ok"] is False for one in wrong))

    def end(self) -> None:
        """Send the last lines, and end the recorder once it has taken them."""
        self.send_until(LAST)
        self.recorder.wait_until(lambda: self.taken() >= self.imager.n_of_connection - 1, "every line in the recorder")
        code = self.recorder.terminate()
        self.event("TERM")
        self.check("exit code after TERM", code, code == 0)
        ended: dict[str, Any] = (self.recorder.told("ended") or [{"ended": {}}])[-1]["ended"]
        lost, repeated = (self.before_cut.get(key, 0) + ended.get(key, 0) for key in ("lost", "repeated"))
        plan = self.imager.plan
        n_before = len(plan.lost - set(self.cut))  # of the others telemetry may have told before the cut
        self.check("lines that never came, in telemetry", lost, n_before <= lost <= len(plan.lost))
        self.check("lines that came twice, in telemetry", repeated, repeated == len(plan.repeated))

    def taken(self) -> int:
        """Frames that the running recorder has read, but for the last, which waits for its end."""
        return self.read_of(self.recorder.command(do="status"))

    @staticmethod
    def read_of(status: Told) -> int:
        """The same, of a status."""
        return sum(int(status[name]) for name in ("lines", "waiting_lines", "repeated", "refused"))
