"""What a service tells systemd: ready, alive, stopping; by datagrams to the socket that NOTIFY_SOCKET names."""

import contextlib
import os
import socket
import time

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"


def notify(text: str) -> None:
    """Tell whoever started the service, if anybody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        name = "\0" + address[1:] if address.startswith("@") else address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(text.encode(), name)


class Watchdog:
    """Says that the service is alive, twice as often as WATCHDOG_USEC asks."""

    def __init__(self) -> None:
        asked = os.environ.get("WATCHDOG_USEC", "")
        self.period_s = int(asked) / 2e6 if asked.isascii() and asked.isdigit() else None
        self.told_at = float("-inf")

    def beat(self) -> None:
        """Called between any two pieces of work."""
        if self.period_s is not None and time.monotonic() - self.told_at >= self.period_s:
            self.told_at = time.monotonic()
            notify(ALIVE)
