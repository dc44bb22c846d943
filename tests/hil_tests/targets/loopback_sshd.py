"""An SSH server of this user on a loopback port, with keys of its own: what a real board looks like from here."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hil_tests.places.tool import NotAvailable, run_tool

START_S = 20.0


@dataclass(frozen=True)
class Loopback:
    """Where it listens, and what opens it."""

    port: int
    key: Path
    known_hosts: Path


@contextlib.contextmanager
def loopback_sshd(folder: Path) -> Iterator[Loopback]:
    """A server with its files in `folder`, until the end of the block. Raises NotAvailable: no OpenSSH server here."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin")
    if sshd is None:
        raise NotAvailable("sshd is not installed on this machine: apt-get install openssh-server")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    for name in ("host_key", "user_key"):
        run_tool(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name])
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/user_key.pub\n"
        f"StrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\nPermitRootLogin prohibit-password\n"
        "MaxStartups 100\n"
    )
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host_key.pub').read_text()}")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # what its start script makes
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stdout=log, stderr=log)
    try:
        wait_for(port, server, folder / "sshd.log")
        yield Loopback(port, folder / "user_key", folder / "known_hosts")
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server listens. Raises NotAvailable with its last words."""
    deadline = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if server.poll() is not None or time.monotonic() > deadline:
            raise NotAvailable(f"sshd does not start here: {log.read_text(errors='replace').strip()[-300:]}")
        time.sleep(0.05)
