"""The target as a state machine: from an unknown state to a program there that takes jobs."""

import time
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from hil_tests.acceptance.run_scene import RunScene
from hil_tests.acceptance.session import Done, Session
from hil_tests.acceptance.waiting import waiting
from hil_tests.board.board import Board
from hil_tests.targets.power_mode import set_power_mode
from hil_tests.targets.target import Target, TargetFailed
from runtime.cell.flight_package import FlightPackage
from runtime.whole_output import replacing

SCENE, PACKAGE = "scene.bil", "package"
ATTEMPTS = 2
"""Of a transition, the second one after a reset."""


class State(Enum):
    """What is known of the target."""

    UNKNOWN = "unknown"
    """Off, hung, or in use: whatever it was left in."""
    UP = "up"
    """Commands run."""
    DEPLOYED = "deployed"
    """Runtime, package and scene are on the target."""
    READY = "ready"
    """The program runs, the executor passed the self-test, nothing is left to compile."""


class Bench:
    """A target and what has been done to it. Steps ask for the state that they need."""

    def __init__(
        self, board: Board, target: Target, wheel: Path, packages: Mapping[str, FlightPackage], scene: RunScene,
        folder: Path,
    ) -> None:  # fmt: skip
        """`packages`: by name, the board file's first; `folder`: of the run, for logs and what is fetched."""
        self.board, self.target, self.wheel = board, target, wheel
        self.packages = packages
        self.package = packages[board.package]
        self.scene, self.folder = scene, folder
        self.began = time.monotonic()
        """The zero of the run's times."""
        self.state = State.UNKNOWN
        self.reset_reasons: list[str] = []
        """Why resets were needed, since they were last taken."""
        self.power: dict[str, str] = {}
        """Power mode and clocks, as the target says them."""
        self.session: Session | None = None
        self.network: tuple[str, str] | None = None
        """Executor and package that the session has loaded."""
        self.loaded: Done | None = None
        self.warmed: Done | None = None

    def reach(self, wanted: State) -> None:
        """Bring the target to a state from any other, by reset where a transition fails once. Raises TargetFailed."""
        order = list(State)
        failures = 0
        if order.index(self.state) >= order.index(wanted):
            return
        with waiting(self.target.name) as say:
            while order.index(self.state) < order.index(wanted):
                try:
                    self.advance(say)
                except TargetFailed as error:
                    failures += 1
                    if failures == ATTEMPTS:
                        self.lose()
                        raise
                    self.lose()
                    self.reset_reasons.append(str(error))
                    say("reset")
                    self.target.reset()

    def advance(self, say: Callable[[str], None]) -> None:
        """One transition; `say` is called with what is done now. Raises TargetFailed."""
        if self.state is State.UNKNOWN:
            say("bring up")
            self.target.bring_up()
            self.power = set_power_mode(self.target, self.board.power)
            self.state = State.UP
        elif self.state is State.UP:
            say("send runtime, package and scene")
            self.deploy()
            self.state = State.DEPLOYED
        else:
            self.open_session(say)
            self.state = State.READY

    def deploy(self) -> None:
        """Wheel, package and scene."""
        self.target.deploy(self.wheel)
        for name, package in self.packages.items():
            self.target.put(package.source, self.place(name))
        raw = self.folder / SCENE
        with replacing(raw) as part:
            part.write_bytes(self.scene.raw())
        try:
            self.target.put(raw, SCENE)
        finally:
            raw.unlink()

    def open_session(self, say: Callable[[str], None]) -> None:
        """Start the program, load the package, compile."""
        board = self.board
        say("start, load package, self-test")
        log = self.folder / "target.log"
        self.session = Session(self.target, log, start_seconds=board.start_seconds)
        self.loaded = self.load(self.session, board.executor_words, board.package)
        say("compile there, minutes where the kernels are new")
        self.warmed = self.session.do("warm_up", seconds=board.start_seconds, **self.coding())

    def load(self, session: Session, executor: str, package: str) -> Done:
        """Load one of the packages with an executor there. Raises TargetFailed."""
        done = session.do(
            "load", seconds=self.board.start_seconds, package=self.place(package), executor=executor
        )  # fmt: skip
        found, sent = done.result.get("package_sha256"), self.packages[package].sha256.hex()
        if found != sent:
            raise TargetFailed(f"{self.target.name}: package {found} there, {sent} was sent")
        self.network = executor, package
        return done

    def use_network(self, executor: str, package: str) -> None:
        """Load another executor or package; an empty executor asks for none. Raises TargetFailed."""
        session = self.ready()
        if executor and (executor, package) != self.network:
            self.load(session, executor, package)

    def place(self, package: str) -> str:
        """Where a package lies on the target."""
        index = list(self.packages).index(package)
        return f"{PACKAGE}-{index}" if index else PACKAGE

    def coding(self, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The keys of every coding job; form: words of another predictor and stage than the board file's."""
        return {
            "image": self.scene.image_values(),
            "coding": {
                **(form or {"stage": self.board.stage or None}),
                "segment_lines": self.board.segment_lines,
                "network": "always",
            },
            "reading_seconds": self.board.reading_seconds,
        }

    def since_start(self, monotonic: float) -> float:
        """A time of our clock as the report gives it."""
        return monotonic - self.began

    def take_reset_reasons(self) -> list[str]:
        """Why resets were needed, since the last call."""
        taken, self.reset_reasons = self.reset_reasons, []
        return taken

    def ready(self) -> Session:
        """The program there, whatever it takes to have it. Raises TargetFailed."""
        self.reach(State.READY)
        assert self.session is not None
        return self.session

    def end_session(self) -> None:
        """End the program there, if it runs; what is deployed stays."""
        if self.session is not None:
            self.session.close()
            self.session = None
            self.state = State.DEPLOYED

    def lose(self) -> None:
        """The state of the target is unknown from now on."""
        self.end_session()
        self.state = State.UNKNOWN

    def close(self) -> None:
        """Give the target back."""
        try:
            self.lose()
        finally:
            self.target.close()
