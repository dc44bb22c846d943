"""Packets to whoever takes them down, as they come: a datagram each, never waited for; the files keep all of them."""

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator

from runtime.errors import BadArgument
from runtime.target.flight_tables import DownlinkTable

Send = Callable[[Iterable[bytes]], None]


@contextlib.contextmanager
def opened_downlink(table: DownlinkTable | None) -> Iterator[Send]:
    """What sends packets until the end of the block; None: nothing. Raises BadArgument: no such address.

    A packet that the system does not take now is not sent: it is in the file, and the ground asks for it.
    """
    if table is None:
        yield lambda packets: None
        return
    try:
        family, kind, _, _, address = socket.getaddrinfo(table.host, table.port, type=socket.SOCK_DGRAM)[0]
        port = socket.socket(family, kind)
    except OSError as error:
        raise BadArgument(f"downlink {table.host}:{table.port}: {error.strerror or error}") from error

    def send(packets: Iterable[bytes]) -> None:
        for packet in packets:
            with contextlib.suppress(OSError):
                port.sendto(packet, address)

    with port:
        port.setblocking(False)
        yield send
