"""Bytes from a file, pipe, FIFO, TCP connection or UDP port, until they end or the recorder stops."""

import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from runtime.errors import BadArgument
from runtime.standard_streams import standard_input
from runtime.target.flight_tables import SourceTable

WAIT_S = 0.2
"""Until a source that is silent looks whether it has to stop."""
CONNECT_S = 30.0
LARGEST_DATAGRAM = 1 << 16
RECEIVE_BYTES = 1 << 23
"""Asked of the system for a UDP port."""


class Source(NamedTuple):
    """An open one."""

    take: Callable[[int], bytes]
    """Reads at most that many bytes, of UDP a datagram; none at the end."""
    can_wait: bool  # Whether nothing is lost while nobody reads
    address: str


@contextlib.contextmanager
def opened_source(table: SourceTable, stopping: threading.Event) -> Iterator[Source]:
    """A source, closed with the block; it ends when `stopping` is set. Raises BadArgument."""
    is_path = table.kind in ("file", "fifo")
    name = table.path if is_path else f"{table.kind} {table.host}:{table.port}"
    with contextlib.ExitStack() as stack:
        try:
            if is_path:
                if table.path == "-":
                    fd = standard_input().fileno()
                else:  # a FIFO that is open for writing too has no end
                    fd = os.open(table.path, os.O_RDWR if table.kind == "fifo" else os.O_RDONLY)
                    stack.callback(os.close, fd)
                source = Source(waiting(fd, lambda n: os.read(fd, n), stopping), True, name)
            elif table.kind == "tcp":
                connection = stack.enter_context(socket.create_connection((table.host, table.port), CONNECT_S))
                connection.settimeout(None)
                source = Source(waiting(connection.fileno(), connection.recv, stopping), True, name)
            else:
                port = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
                port.bind((table.host, table.port))
                take = waiting(port.fileno(), lambda _: port.recv(LARGEST_DATAGRAM), stopping)
                source = Source(take, False, f"udp {table.host}:{port.getsockname()[1]}")
        except OSError as error:
            raise BadArgument(f"source {name}: {error.strerror or error}") from error
        yield source


def waiting(fd: int, take: Callable[[int], bytes], stopping: threading.Event) -> Callable[[int], bytes]:
    """A read that returns nothing once `stopping` is set."""

    def wait_and_take(n_bytes: int) -> bytes:
        while not stopping.is_set():
            if select.select([fd], [], [], WAIT_S)[0]:
                return take(n_bytes)
        return b""

    return wait_and_take
