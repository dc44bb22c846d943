"""The OpenSSH client's connection to a machine: kept open, shared by all commands, ended with us."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

from hil_tests.targets.remote_process import NO_CONNECTION
from hil_tests.targets.target import TargetFailed
from runtime.errors import BadArgument

REFUSALS = ("Host key verification failed", "Permission denied")
"""What waiting does not change."""
IDLE_S = 900
"""The connection of a process that died without closing it ends after so long without a command."""
CLOSE_S = 10.0


class SshConnection:
    """Host, port and `is_cut` may change while it is closed. A command that finds it closed connects for itself."""

    def __init__(
        self,
        *,
        name: str,
        host: str,
        user: str | None,
        port: int,
        key: Path | None,
        known_hosts: Path | None,
        host_key_alias: str | None,
        connect_seconds: float,
        ssh: Sequence[str],
    ) -> None:
        """Nothing is connected yet. `name`: of the board. Raises BadArgument: no such client, no such host."""
        self.name = name
        self.host = f"{user}@{host}" if user else host
        self.port = port
        self.connect_seconds = connect_seconds
        self.is_cut = False
        """Whether connections cannot be made, on purpose."""
        self.ssh = tuple(ssh)
        if not self.ssh or shutil.which(self.ssh[0]) is None:
            raise BadArgument(
                f"{' '.join(self.ssh)!r} is not installed on this machine: apt-get install openssh-client"
            )
        if not self.host or self.host.startswith("-"):
            raise BadArgument(f"{name}: host is {self.host!r}, allowed a name or an address")
        self.home = Path(tempfile.mkdtemp(prefix="lrwkv"))
        self.remove_home = weakref.finalize(self, shutil.rmtree, self.home, ignore_errors=True)
        options = {
            "BatchMode": "yes", "ConnectTimeout": "10", "ServerAliveInterval": "5", "ServerAliveCountMax": "6",
            "StrictHostKeyChecking": "yes", "ControlPath": str(self.home / "link"), "LogLevel": "ERROR",
        }  # fmt: skip
        if key is not None:
            options |= {"IdentityFile": str(key), "IdentitiesOnly": "yes"}
        if known_hosts is not None:
            options |= {"UserKnownHostsFile": str(known_hosts), "GlobalKnownHostsFile": "/dev/null"}
        if host_key_alias is not None:
            options["HostKeyAlias"] = host_key_alias
        self.options = [word for option, value in options.items() for word in ("-o", f"{option}={value}")]

    def client(self, *words: str) -> list[str]:
        """The start of a client's command; where the link is cut, one that cannot connect."""
        cut = ["-o", "ProxyCommand=false", "-o", "ControlPath=none"] if self.is_cut else []  # the first value counts
        return [*self.ssh, *cut, *self.options, "-o", f"Port={self.port}", *words, self.host]

    def open(self) -> None:
        """Try to connect until `connect_seconds` are over. Raises TargetFailed."""
        deadline = time.monotonic() + self.connect_seconds
        self.close()
        while True:
            try:
                self.try_to_open()
                return
            except TargetFailed as error:
                is_final = self.is_cut or any(text in str(error) for text in REFUSALS)
                if is_final or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def try_to_open(self) -> None:
        """Connect. Raises TargetFailed."""
        log = self.home / "connect.log"
        with log.open("w") as errors:  # no pipe: the connection stays in the background and would keep it open
            try:
                done = subprocess.run(
                    self.client("-f", "-N", "-M", "-o", f"ControlPersist={IDLE_S}"), stdin=subprocess.DEVNULL,
                    stdout=errors, stderr=errors, timeout=self.connect_seconds, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise TargetFailed(f"{self.name}: no connection in {self.connect_seconds:g} s") from None
        if done.returncode != 0:
            raise TargetFailed(f"{self.name}: no connection: {last_line(log.read_text(errors='replace'))}")

    def run(self, line: str, *, data: Path | None = None, seconds: float = 60.0) -> bytes:
        """What a line of the board's shell prints; `data` is its standard input. Raises TargetFailed."""
        try:
            with (data or Path(os.devnull)).open("rb") as source:
                done = subprocess.run(
                    [*self.client(), line], stdin=source, capture_output=True, timeout=seconds, check=False
                )
        except subprocess.TimeoutExpired:
            raise TargetFailed(f"{self.name}: not ended in {seconds:g} s: {line[:120]}") from None
        if done.returncode != 0:
            what = "no connection" if done.returncode == NO_CONNECTION else f"exit code {done.returncode}"
            raise TargetFailed(f"{self.name}: {what}: {last_line(done.stderr.decode(errors='replace')) or line[:120]}")
        return done.stdout

    def close(self) -> None:
        """End the connection, if it is open."""
        link = self.home / "link"
        if link.exists():
            with contextlib.suppress(subprocess.TimeoutExpired):  # one that hangs ends by itself, and is not used again
                subprocess.run(self.client("-O", "exit"), capture_output=True, timeout=CLOSE_S, check=False)
            link.unlink(missing_ok=True)


def last_line(text: str) -> str:
    """The last line with anything in it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
