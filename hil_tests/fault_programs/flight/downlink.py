"""The ground's end of the downlink: every packet that comes, as long as the flight lasts."""

import socket
import threading

LARGEST_DATAGRAM = 1 << 16
RECEIVE_BYTES = 1 << 23


class Ground:
    """Listens at `port`."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.port: int = self.socket.getsockname()[1]
        self.packets: list[bytes] = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.receive, daemon=True)
        self.thread.start()

    def receive(self) -> None:
        """The thread."""
        while True:
            try:
                self.packets.append(self.socket.recv(LARGEST_DATAGRAM))
            except TimeoutError:
                if self.is_over.is_set():
                    return

    def received(self) -> bytes:
        """All of it, once nothing comes any more."""
        self.is_over.set()
        self.thread.join()
        self.socket.close()
        return b"".join(self.packets)
