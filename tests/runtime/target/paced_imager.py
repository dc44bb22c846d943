"""An imager on TCP that sends lines at a steady rate, with gaps, repeats and noise between them."""

import contextlib
import socket
import threading
import time
from pathlib import Path

import numpy as np

from runtime.images.synthetic import BIT_DEPTH, synthetic_lines
from tests.runtime.target.recorded_frames import SYNC, lines_text

N_BANDS, N_COLUMNS = 24, 64
LINES = np.stack(list(synthetic_lines(256, N_BANDS, N_COLUMNS, np.random.default_rng(7))))
"""Those that it sends, again and again."""
LEFT_OUT_EVERY, TWICE_EVERY, NOISE_EVERY = 97, 89, 211


def line_of(counter: int) -> np.ndarray:
    """The line of a counter (Z, X)."""
    found: np.ndarray = LINES[counter % len(LINES)]
    return found


def frame(counter: int) -> bytes:
    """Sync word, counter, samples."""
    samples: bytes = line_of(counter).astype("<u2").tobytes()
    return SYNC + counter.to_bytes(4, "big") + samples


def sent_for(counter: int) -> bytes:
    """What goes over the line when it is a counter's turn."""
    if counter % LEFT_OUT_EVERY == LEFT_OUT_EVERY - 1:
        return b""
    noise = b"\x00noise" if counter % NOISE_EVERY == NOISE_EVERY - 1 else b""
    return frame(counter) * (2 if counter % TWICE_EVERY == TWICE_EVERY - 1 else 1) + noise


def config_text(folder: Path, imager_port: int, downlink_port: int) -> str:
    """A configuration of the recorder with everything on: four forms, rotation, quota, packets, downlink, commands."""
    return f"""
[source]
kind = "tcp"
port = {imager_port}
{lines_text(N_BANDS, N_COLUMNS, BIT_DEPTH)}
[coding]
segment_lines = 32
max_errors = [0, 2]
[[forms]]
name = "flight"
[[forms]]
name = "rls best"
predictor = "rls"
[[forms]]
name = "rls fast"
predictor = "rls"
stage = "fast"
[[forms]]
name = "ccsds123"
predictor = "ccsds123"
[output]
folder = "{folder / "out"}"
rotate_bytes = 200_000
quota_bytes = 2_000_000
when_full = "oldest"
[packets]
apid = 100
[downlink]
port = {downlink_port}
[telemetry]
file = "{folder / "telemetry.jsonl"}"
status = "{folder / "status.json"}"
[commands]
socket = "{folder / "commands"}"
"""


class PacedImager:
    """Sends from the moment somebody connects until it is stopped."""

    def __init__(self, lines_per_second: float) -> None:
        self.period = 1 / lines_per_second
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        self.stopping = threading.Event()
        self.n_sent = 0
        self.thread = threading.Thread(target=self.send, daemon=True)
        self.thread.start()

    def send(self) -> None:
        """The thread."""
        connection, _ = self.server.accept()
        due = time.monotonic()
        with connection, contextlib.suppress(OSError):  # the recorder has gone
            while not self.stopping.is_set():
                connection.sendall(sent_for(self.n_sent))
                self.n_sent += 1
                due += self.period
                self.stopping.wait(max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """End the connection, which ends the recorder's source."""
        self.stopping.set()
        self.thread.join()
        self.server.close()
