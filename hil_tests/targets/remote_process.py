"""The local end of a command on another machine; a signal to it reaches the command."""

import contextlib
import subprocess
from collections.abc import Callable, Sequence

from hil_tests.targets.target import TargetFailed

NO_CONNECTION = 255
"""Exit code of the client."""


class RemoteProcess(subprocess.Popen[bytes]):
    """A client with the remote command's standard streams. Ending it ends the command, unless the link is gone."""

    def __init__(self, command: Sequence[str], signal_remote: Callable[[int], None]) -> None:
        """`signal_remote` sends a signal to the command."""
        self.signal_remote = signal_remote
        super().__init__(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def send_signal(self, sig: int) -> None:
        """Signal the command there, then the client here; `kill` and `terminate` come through this."""
        code = self.poll()
        if code is None or code == NO_CONNECTION or code < 0:  # a client that lost its link leaves the command running
            with contextlib.suppress(TargetFailed):
                self.signal_remote(sig)
        super().send_signal(sig)
