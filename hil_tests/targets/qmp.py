"""The monitor of an emulated machine: QEMU's machine protocol, one JSON object a line over a local socket."""

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hil_tests.targets.target import TargetFailed

DEADLINE_S = 20.0


class Monitor:
    """A connection to the monitor; one at a time."""

    def __init__(self, path: Path) -> None:
        """Raises TargetFailed: no program listens, or it is no monitor."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE_S)
        try:
            self.socket.connect(str(path))
            self.lines = self.socket.makefile("rb")
            self.answer()  # the greeting
            self.command("qmp_capabilities")
        except (OSError, TargetFailed) as error:
            self.socket.close()
            raise TargetFailed(f"monitor {path.name}: {error}") from error

    def __enter__(self) -> Self:
        """The connection itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it; the machine keeps running."""
        self.lines.close()
        self.socket.close()

    def answer(self) -> dict[str, Any]:
        """The next line that is no event. Raises TargetFailed."""
        while True:
            try:
                line = self.lines.readline()
                message = json.loads(line)
            except (OSError, ValueError) as error:
                raise TargetFailed(f"the monitor's connection ended: {error}") from error
            if isinstance(message, dict) and "event" not in message:
                return message

    def command(self, name: str, /, **arguments: Any) -> Any:
        """What a command returns. Raises TargetFailed."""
        request = {"execute": name, **({"arguments": arguments} if arguments else {})}
        try:
            self.socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise TargetFailed(f"the monitor's connection ended: {error}") from error
        message = self.answer()
        if "error" in message:
            raise TargetFailed(f"monitor refused {name}: {message['error'].get('desc', message['error'])}")
        return message.get("return", message)
