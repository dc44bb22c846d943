"""Reading and writing the pipes of a child process until a deadline."""

import os
import selectors
import time
from typing import IO

CHUNK_BYTES = 1 << 20


class DeadlinePipe:
    """A pair of pipes, one to write and one to read. A deadline is a value of `time.monotonic`, in seconds."""

    def __init__(self, to_child: IO[bytes], from_child: IO[bytes]) -> None:
        self.write_fd = to_child.fileno()
        self.read_fd = from_child.fileno()
        os.set_blocking(self.write_fd, False)
        os.set_blocking(self.read_fd, False)

    @staticmethod
    def wait(fd: int, event: int, deadline: float) -> None:
        """Return when the pipe is ready. Raises TimeoutError at the deadline."""
        with selectors.DefaultSelector() as selector:
            selector.register(fd, event)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError

    def send(self, data: bytes, deadline: float) -> None:
        """Write all bytes. Raises TimeoutError, or BrokenPipeError where the child is gone."""
        rest = memoryview(data)
        while rest:
            self.wait(self.write_fd, selectors.EVENT_WRITE, deadline)
            rest = rest[os.write(self.write_fd, rest[:CHUNK_BYTES]) :]

    def take(self, n_bytes: int, deadline: float) -> bytes:
        """At most so many bytes, none where the child closed its end. Raises TimeoutError."""
        self.wait(self.read_fd, selectors.EVENT_READ, deadline)
        return os.read(self.read_fd, n_bytes)
