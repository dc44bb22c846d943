"""A machine reached by SSH: files, the runtime and its programs over one connection."""

import contextlib
import hashlib
import os
import shlex
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated

from msgspec import Meta
from typing_extensions import override

from hil_tests.board.board import Seconds
from hil_tests.targets.remote_install import libraries_for, missing_libraries
from hil_tests.targets.remote_process import RemoteProcess
from hil_tests.targets.ssh_connection import SshConnection
from hil_tests.targets.target import Target, TargetFailed
from hil_tests.targets.transfer import archived, file_sha256
from runtime.errors import BadArgument
from runtime.whole_output import replacing

Port = Annotated[int, Meta(ge=1, le=65535)]

MARK = "LINERWKV_RUN"
"""Environment variable of everything that we start there; its value names us and the one start."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONNOUSERSITE": "1"}
SIGNAL = (
    "for place in /proc/[0-9]*; do tr '\\0' '\\n' < $place/environ 2>/dev/null | grep -q ^{mark} "
    "&& kill -{signal} ${{place#/proc/}} 2>/dev/null; done; true"
)
TRANSFER_S = 900.0


class SshTarget(Target):
    """A board behind SSH. It has a shell with the usual small commands, sha256sum and tar, and Python 3.11 to 3.13.

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
        port: Port = 22,
        key: Path | None = None,
        known_hosts: Path | None = None,
        host_key_alias: str | None = None,
        processors: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
        sites: Sequence[str] = (),
        connect_seconds: Seconds = 30.0,
        ssh: Sequence[str] = ("ssh",),
    ) -> None:
        """Nothing is connected yet. `processors`: numbers to pin commands to; `sites`: folders with libraries there.

        `ssh`: the client, or a wrapper of it. Raises BadArgument: no such client, no such host or folder.
        """
        if not folder or folder.startswith("~"):
            raise BadArgument(f"{name}: folder is {folder!r}, allowed a path from / or from the user's home")
        self.name = name
        self.label = label
        self.folder = PurePosixPath(folder)
        self.python = python
        self.processors = tuple(processors)
        self.variables = dict(variables or {})
        self.sites = tuple(sites)
        self.session = uuid.uuid4().hex
        self.n_starts = 0
        self.paths: dict[str, str] = {}
        """PYTHONPATH and the like, known after `deploy`."""
        self.connection = SshConnection(
            name=name, host=host, user=user, port=port, key=key, known_hosts=known_hosts,
            host_key_alias=host_key_alias, connect_seconds=connect_seconds, ssh=ssh,
        )  # fmt: skip

    @override
    def bring_up(self) -> None:
        """Tries to connect until `connect_seconds` are over, and ends what an earlier start left."""
        self.connection.open()
        where = shlex.quote(str(self.folder))
        said = os.fsdecode(self.connection.run(f"mkdir -p {where} && cd {where} && pwd -P")).removesuffix("\n")
        if not said.startswith("/") or "\n" in said:
            raise TargetFailed(f"{self.name}: the shell there prints more than its commands do: {said[:120]!r}")
        self.folder = PurePosixPath(said)
        if self.n_starts:
            self.signal(9, self.session)

    @override
    def shell(self, words: Sequence[str], *, seconds: float = 60.0, variables: Mapping[str, str] | None = None) -> str:
        line = self.in_folder(words, {**(variables or {}), MARK: self.token()})
        return self.connection.run(line, seconds=seconds).decode(errors="replace")

    def in_folder(self, words: Sequence[str], variables: Mapping[str, str]) -> str:
        """A line for the board's shell that becomes the command, in our folder."""
        values = [f"{name}={value}" for name, value in variables.items()]
        return f"cd {shlex.quote(str(self.folder))} && exec {shlex.join(['env', *values, *words])}"

    def token(self) -> str:
        """A name for one more start."""
        self.n_starts += 1
        return f"{self.session}-{self.n_starts:06d}"

    def environment(self) -> dict[str, str]:
        """What Python runs with there."""
        return {**ONE_THREAD, **self.paths, **self.variables}

    @override
    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        if not self.paths:
            raise TargetFailed(f"{self.name}: no runtime is deployed")
        token = self.token()
        pinned = ["taskset", "-c", ",".join(map(str, self.processors))] if self.processors else []
        words = [*pinned, self.python, "-m", module, *arguments]
        line = self.in_folder(words, {**self.environment(), MARK: token})
        return RemoteProcess([*self.connection.client(), line], lambda number: self.signal(number, token))

    def signal(self, number: int, token: str) -> None:
        """Send a signal to what the starts made whose token begins so. Raises TargetFailed."""
        self.connection.run(SIGNAL.format(mark=f"{MARK}={token}", signal=number))

    @override
    def put(self, local: Path, remote: str) -> None:
        there, new = shlex.quote(remote), shlex.quote(f"{remote}.part")
        if local.is_dir():
            with archived(local) as archive:
                self.put(archive, f"{remote}.tar")
            tar = shlex.quote(f"{remote}.tar")
            unpack = f"rm -rf {new} && mkdir -p {new} && tar -xf {tar} -C {new} && sync"
            self.shell_line(f"{unpack} || {{ rm -rf {new} {tar}; false; }}", seconds=TRANSFER_S)
            self.shell_line(f"rm -rf {there} {tar} && mv {new} {there}")
            return
        where = shlex.quote(str(PurePosixPath(remote).parent))
        receive = f"cat > {new} && sync && sha256sum < {new} || {{ rm -f {new}; false; }}"
        come = self.shell_line(f"mkdir -p {where} && rm -rf {new} && {{ {receive}; }}", data=local, seconds=TRANSFER_S)
        if come.split()[:1] != [file_sha256(local).encode()]:
            self.shell_line(f"rm -f {new}")
            raise TargetFailed(f"{self.name}: {local.name} came with another sha256 than it was sent with; not kept")
        self.shell_line(f"{{ test ! -d {there} || rm -rf {there}; }} && mv -f {new} {there}")

    @override
    def fetch(self, remote: str, local: Path) -> None:
        there = shlex.quote(remote)
        come = self.shell_line(f"sha256sum < {there} && cat {there}", seconds=TRANSFER_S)
        announced, _, content = come.partition(b"\n")
        if announced.split()[:1] != [hashlib.sha256(content).hexdigest().encode()]:
            raise TargetFailed(f"{self.name}: {remote} came with another sha256 than it has there; not kept")
        with replacing(local) as unfinished:
            unfinished.write_bytes(content)

    def shell_line(self, line: str, *, data: Path | None = None, seconds: float = 60.0) -> bytes:
        """What a line of the board's shell prints, run in our folder. Raises TargetFailed."""
        return self.connection.run(f"cd {shlex.quote(str(self.folder))} && {line}", data=data, seconds=seconds)

    @override
    def deploy(self, wheel: Path) -> None:
        """The same wheel is unpacked once; another one gets a cache of compiled kernels of its own."""
        version = file_sha256(wheel)[:12]
        site = ":".join([*self.sites, str(self.folder / "site")])
        if missing_libraries(self, site):
            with libraries_for(self) as libraries:
                self.put(libraries, "site")
        app = f"app-{version}"
        if self.shell_line(f"test -d {app} && echo there || true").strip() != b"there":
            self.put(wheel, "runtime.whl")
            older = 12 * "[0-9a-f]"
            self.shell_line(f"rm -rf app-{older} numba-{older}")
            self.shell(["rm", "-rf", "unpacked"])
            self.shell([self.python, "-m", "zipfile", "-e", "runtime.whl", "unpacked"], seconds=300)
            self.shell_line(f"sync && mv unpacked {app}")
        self.paths = {
            "PYTHONPATH": f"{self.folder / app}:{site}",
            "NUMBA_CACHE_DIR": str(self.folder / f"numba-{version}"),
        }

    @override
    def reset(self) -> None:
        """No power switch here, so what we started is killed, by `bring_up` where no link is there."""
        with contextlib.suppress(TargetFailed):
            self.signal(9, self.session)
        self.connection.close()

    def cut_link(self) -> None:
        """End the connection; until `restore_link` none can be made."""
        self.connection.close()
        self.connection.is_cut = True

    def restore_link(self) -> None:
        """Let connections be made again, and make one. Raises TargetFailed."""
        self.connection.is_cut = False
        self.bring_up()

    @override
    def close(self) -> None:
        """Deployed files stay for the next time."""
        self.connection.close()
        self.connection.remove_home()
