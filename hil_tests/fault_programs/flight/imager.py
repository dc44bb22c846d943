"""An imager that sends lines over TCP at its own rate: with jitter and bursts, some never, some twice."""

import contextlib
import socket
import threading
import time
from typing import NamedTuple

import numpy as np

from hil_tests.fault_programs.flight.scene import Scene

BURST_EVERY, BURST_LINES, BURST_RATE = 200, 40, 3.0
"""The last BURST_LINES of every BURST_EVERY come BURST_RATE times as fast as the others."""
JITTER = 0.5
"""A line is late by up to so many periods."""
LOST, REPEATED = ((0.2, 1), (0.45, 7), (0.8, 3)), (0.3, 0.6)
"""Places in the flight, 0..1, where lines are left out, and how many; and where one comes twice."""


class Plan(NamedTuple):
    """Which lines come."""

    n_lines: int
    lost: frozenset[int]
    repeated: frozenset[int]


def plan_of(n_lines: int) -> Plan:
    """Of a flight."""
    lost = {int(place * n_lines) + more for place, count in LOST for more in range(count)}
    return Plan(n_lines, frozenset(lost), frozenset(int(place * n_lines) for place in REPEATED))


class Imager:
    """Serves a connection, and another one where it is told that the first is broken."""

    def __init__(self, scene: Scene, plan: Plan, generator: np.random.Generator) -> None:
        """Listen at `port`; lines go as fast as they are taken while `rate`, in lines a second, is None."""
        self.scene, self.plan, self.generator = scene, plan, generator
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.rate: float | None = None
        self.limit = 0
        """The first line that waits until there is another limit."""
        self.is_broken = threading.Event()
        """Set where the next line needs another connection."""
        self.sent_at: dict[int, float] = {}
        """Seconds since 1970 by line, of those that were sent whole."""
        self.n_of_connection = 0
        """Frames that went to the connection there is."""
        self.thread = threading.Thread(target=self.send_all, daemon=True)
        self.thread.start()

    def has_sent(self, limit: int) -> bool:
        """Whether every line before `limit` that comes at all was sent."""
        return len(self.sent_at) >= limit - sum(y < limit for y in self.plan.lost)

    def send_all(self) -> None:
        """The thread."""
        frames = [y for y in range(self.plan.n_lines) if y not in self.plan.lost for _ in range(self.times(y))]
        due = time.monotonic()
        with self.server, contextlib.ExitStack() as stack, contextlib.suppress(OSError):  # the recorder has ended
            connection = stack.enter_context(self.server.accept()[0])
            for y in frames:
                due = self.wait(y, due)
                if self.is_broken.is_set():
                    connection.close()
                    connection = stack.enter_context(self.server.accept()[0])
                    self.is_broken.clear()
                    self.n_of_connection = 0
                connection.sendall(self.scene.frame(y))
                self.sent_at[y] = time.time()
                self.n_of_connection += 1
            connection.recv(1)  # open until the recorder ends

    def times(self, y: int) -> int:
        """How often a line comes."""
        return 1 + (y in self.plan.repeated)

    def wait(self, y: int, due: float) -> float:
        """Wait until line y is due and within the limit; when the next one is, but for the jitter."""
        while y >= self.limit:
            time.sleep(0.01)
            due = time.monotonic()
        rate = self.rate
        if rate is None:
            return time.monotonic()
        is_burst = y % BURST_EVERY >= BURST_EVERY - BURST_LINES
        late = self.generator.uniform(0, JITTER) / rate
        time.sleep(max(0.0, due + late - time.monotonic()))
        return due + 1 / rate / (BURST_RATE if is_burst else 1.0)
