"""A machine reached by SSH: the OpenSSH client's commands over one connection that is kept open."""

import hashlib
import shlex
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from hil_tests.targets.remote_install import libraries_for, missing_libraries
from hil_tests.targets.remote_process import NO_CONNECTION, RemoteProcess
from hil_tests.targets.target import TargetFailed
from hil_tests.targets.transfer import archived, file_sha256, first_line_and_rest
from runtime.errors import BadArgument
from runtime.whole_output import replacing

REFUSALS = ("Host key verification failed", "Permission denied")
"""What waiting does not change."""
MARK = "LINERWKV_RUN"
"""Environment variable of everything that we start there; its value names us and the one start."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONNOUSERSITE": "1"}
SIGNAL = (
    "for place in /proc/[0-9]*; do tr '\\0' '\\n' < $place/environ 2>/dev/null | grep -q ^{mark} "
    "&& kill -{signal} ${{place#/proc/}} 2>/dev/null; done; true"
)


class SshTarget:
    """As in `Target`. The board has a shell with the usual small commands, sha256sum and tar, and Python 3.11 or 3.12.

    Its host key must be known: `known_hosts`, else the user's own list. `key` None: the user's agent and keys.
    """

    def __init__(
        self,
        *,
        name: str,
        host: str,
        folder: str = "linerwkv",
        label: str = "measured",
        python: str = "python3",
        user: str | None = None,
        port: int = 22,
        key: Path | None = None,
        known_hosts: Path | None = None,
        host_key_alias: str | None = None,
        processors: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
        sites: Sequence[str] = (),
        connect_seconds: float = 30.0,
        ssh: Sequence[str] = ("ssh",),
    ) -> None:
        """Nothing is connected yet. `processors`: numbers to pin commands to; `sites`: folders with libraries there.

        `ssh`: the client, or a wrapper of it. Raises BadArgument where there is no such client.
        """
        self.name = name
        self.label = label
        self.folder = PurePosixPath(folder)
        self.python = python
        self.processors = tuple(processors)
        self.variables = dict(variables or {})
        self.sites = tuple(sites)
        self.connect_seconds = connect_seconds
        self.link_is_cut = False
        self.session = uuid.uuid4().hex
        self.n_starts = 0
        self.paths: dict[str, str] = {}
        """PYTHONPATH and the like, known after `deploy`."""
        self.host = f"{user}@{host}" if user else host
        self.ssh = tuple(ssh)
        if shutil.which(self.ssh[0]) is None:
            raise BadArgument(f"{self.ssh[0]} is not installed on this machine: apt-get install openssh-client")
        self.home = Path(tempfile.mkdtemp(prefix="lrwkv"))
        options = {
            "BatchMode": "yes", "ConnectTimeout": "10", "ServerAliveInterval": "5", "ServerAliveCountMax": "6",
            "StrictHostKeyChecking": "yes", "ControlPath": str(self.home / "link"), "LogLevel": "ERROR",
            "Port": str(port),
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
        cut = ["-o", "ProxyCommand=false", "-o", "ControlPath=none"] if self.link_is_cut else []
        return [*self.ssh, *cut, *self.options, *words, self.host]

    def connect(self) -> None:
        """Open the connection that all commands share. Raises TargetFailed."""
        log = self.home / "connect.log"
        with log.open("w") as errors:  # no pipe: the connection stays in the background and would keep it open
            try:
                done = subprocess.run(
                    self.client("-f", "-N", "-M", "-o", "ControlPersist=yes"), stdin=subprocess.DEVNULL,
                    stdout=errors, stderr=errors, timeout=self.connect_seconds, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise TargetFailed(f"{self.name}: no connection in {self.connect_seconds:g} s") from None
        if done.returncode != 0:
            raise TargetFailed(f"{self.name}: no connection: {last_line(log.read_text())}")

    def disconnect(self) -> None:
        """Close the connection, if it is open."""
        if (self.home / "link").exists():
            command = [*self.ssh, *self.options, "-O", "exit", self.host]
            subprocess.run(command, capture_output=True, timeout=10, check=False)
            (self.home / "link").unlink(missing_ok=True)

    def bring_up(self) -> None:
        """As in `Target`: tries to connect until `connect_seconds` are over."""
        deadline = time.monotonic() + self.connect_seconds
        self.disconnect()
        while True:
            try:
                self.connect()
                break
            except TargetFailed as error:
                is_final = self.link_is_cut or any(text in str(error) for text in REFUSALS)
                if is_final or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        where = shlex.quote(str(self.folder))
        self.folder = PurePosixPath(self.run(f"mkdir -p {where} && cd {where} && pwd -P").decode().strip())

    def run(self, line: str, *, data: Path | None = None, seconds: float = 60.0) -> bytes:
        """What a line of the board's shell prints; `data` is its standard input. Raises TargetFailed."""
        try:
            with (data or Path("/dev/null")).open("rb") as source:
                done = subprocess.run(
                    [*self.client(), line], stdin=source, capture_output=True, timeout=seconds, check=False
                )
        except subprocess.TimeoutExpired:
            raise TargetFailed(f"{self.name}: not ended in {seconds:g} s: {line[:120]}") from None
        if done.returncode != 0:
            what = "no connection" if done.returncode == NO_CONNECTION else f"exit code {done.returncode}"
            raise TargetFailed(f"{self.name}: {what}: {last_line(done.stderr.decode(errors='replace')) or line[:120]}")
        return done.stdout

    def shell(self, words: Sequence[str], *, seconds: float = 60.0, variables: Mapping[str, str] | None = None) -> str:
        """As in `Target`."""
        return self.run(self.in_folder(words, variables or {}), seconds=seconds).decode(errors="replace")

    def in_folder(self, words: Sequence[str], variables: Mapping[str, str]) -> str:
        """A line for the board's shell that becomes the command, in our folder."""
        values = [f"{name}={value}" for name, value in variables.items()]
        return f"cd {shlex.quote(str(self.folder))} && exec {shlex.join(['env', *values, *words])}"

    def environment(self) -> dict[str, str]:
        """What Python runs with there."""
        return {**ONE_THREAD, **self.paths, **self.variables}

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """As in `Target`."""
        if not self.paths:
            raise TargetFailed(f"{self.name}: no runtime is deployed")
        self.n_starts += 1
        token = f"{self.session}-{self.n_starts:06d}"
        pinned = ["taskset", "-c", ",".join(map(str, self.processors))] if self.processors else []
        words = [*pinned, self.python, "-m", module, *arguments]
        line = self.in_folder(words, {**self.environment(), MARK: token})
        return RemoteProcess([*self.client(), line], lambda number: self.signal(number, token))

    def signal(self, number: int, token: str) -> None:
        """Send a signal to what the starts made whose token begins so. Raises TargetFailed."""
        self.run(SIGNAL.format(mark=f"{MARK}={token}", signal=number))

    def put(self, local: Path, remote: str) -> None:
        """As in `Target`."""
        if local.is_dir():
            with archived(local) as archive:
                self.put(archive, f"{remote}.tar")
            there, new = shlex.quote(remote), shlex.quote(f"{remote}.part")
            self.shell_line(f"rm -rf {new} && mkdir -p {new} && tar -xf {there}.tar -C {new} && sync", seconds=900)
            self.shell_line(f"rm -rf {there} {there}.tar && mv {new} {there}")
            return
        there, new = shlex.quote(remote), shlex.quote(f"{remote}.part")
        sent = file_sha256(local)
        where = shlex.quote(str(PurePosixPath(remote).parent))
        come = self.shell_line(f"mkdir -p {where} && cat > {new} && sync && sha256sum < {new}", data=local, seconds=900)
        if come.split()[:1] != [sent.encode()]:
            self.shell_line(f"rm -f {new}")
            raise TargetFailed(f"{self.name}: {local.name} came with another sha256 than it was sent with; not kept")
        self.shell_line(f"mv -f {new} {there}")

    def fetch(self, remote: str, local: Path) -> None:
        """As in `Target`."""
        there = shlex.quote(remote)
        announced, content = first_line_and_rest(self.shell_line(f"sha256sum < {there} && cat {there}", seconds=900))
        if announced.split()[:1] != [hashlib.sha256(content).hexdigest().encode()]:
            raise TargetFailed(f"{self.name}: {remote} came with another sha256 than it has there; not kept")
        with replacing(local) as unfinished:
            unfinished.write_bytes(content)

    def shell_line(self, line: str, *, data: Path | None = None, seconds: float = 60.0) -> bytes:
        """What a line of the board's shell prints, run in our folder. Raises TargetFailed."""
        return self.run(f"cd {shlex.quote(str(self.folder))} && {line}", data=data, seconds=seconds)

    def deploy(self, wheel: Path) -> None:
        """As in `Target`. The same wheel is unpacked once; another one gets a cache of compiled kernels of its own."""
        version = file_sha256(wheel)[:12]
        site = ":".join([*self.sites, str(self.folder / "site")])
        if missing_libraries(self, site):
            with libraries_for(self) as libraries:
                self.put(libraries, "site")
        app = f"app-{version}"
        if self.shell_line(f"test -d {app} && echo there || true").strip() != b"there":
            self.put(wheel, "runtime.whl")
            self.shell_line("rm -rf app-* numba-*")
            self.shell(["rm", "-rf", "unpacked"])
            self.shell([self.python, "-m", "zipfile", "-e", "runtime.whl", "unpacked"], seconds=300)
            self.shell_line(f"sync && mv unpacked {app}")
        self.paths = {
            "PYTHONPATH": f"{self.folder / app}:{site}",
            "NUMBA_CACHE_DIR": str(self.folder / f"numba-{version}"),
        }

    def reset(self) -> None:
        """As in `Target`: no power switch here, so what we started is killed."""
        self.signal(9, self.session)
        self.disconnect()

    def cut_link(self) -> None:
        """End the connection; until `restore_link` none can be made."""
        self.disconnect()
        self.link_is_cut = True

    def restore_link(self) -> None:
        """Let connections be made again, and make one. Raises TargetFailed."""
        self.link_is_cut = False
        self.bring_up()

    def close(self) -> None:
        """As in `Target`; deployed files stay for the next time."""
        self.disconnect()
        shutil.rmtree(self.home, ignore_errors=True)


def last_line(text: str) -> str:
    """The last line with anything in it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
