"""Running apt, pip and the like while a place is set up: one line for each step, one line for each failure."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.errors import LineRwkvError

UNREACHABLE = (
    "Could not resolve", "Temporary failure", "Could not connect", "Unable to connect", "NewConnectionError",
    "Max retries exceeded", "ConnectTimeout", "ProxyError", "Network is unreachable", "Connection timed out",
    "Name or service not known", "Connection refused", "Connection failed",
)  # fmt: skip
"""What apt and pip say where there is no network."""
DEADLINE_S = 900.0


class SetupFailed(LineRwkvError):
    """A place could not be set up."""


class NotAvailable(SetupFailed):
    """This machine has not what the setup needs: the network, apt or a processor."""


class Steps:
    """Prints one line for each step, with the seconds since the start."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.start

    def log(self, what: str) -> None:
        """Print what happens now."""
        print(f"{self.subject} {self.seconds:6.1f} s  {what}", flush=True)


def run_tool(command: Sequence[str | Path], *, folder: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What a command prints. Raises NotAvailable (no such command, no network) or SetupFailed, with the last lines."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=folder, env=env, timeout=DEADLINE_S, check=False, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except FileNotFoundError:
        raise NotAvailable(f"{words[0]} is not installed on this machine") from None
    except subprocess.TimeoutExpired:
        raise SetupFailed(f"{words[0]} took longer than {DEADLINE_S:g} s") from None
    if done.returncode == 0:
        return done.stdout
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("E:", "ERROR", "error"))] or lines[-1:]
    message = f"{Path(words[0]).name}: {' | '.join(telling)[:600] or 'no output'} (exit code {done.returncode})"
    raise (NotAvailable if any(text in done.stdout for text in UNREACHABLE) else SetupFailed)(message)
