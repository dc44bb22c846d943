"""Memory of the recorder: it is locked; its limit is set, and exceeding it ends by one line with whole segments."""

import contextlib
import json
import resource
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from runtime.codec.decoder import Decoder
from runtime.codec.salvage import salvage
from runtime.command_options import EXIT_BAD_INPUT, EXIT_CHECK_FAILED
from runtime.errors import BadArgument
from runtime.process_memory import status_mib
from runtime.target.flight_command import run
from runtime.target.memory_control import MIB, MemoryTable, control_memory, limit_data
from tests.runtime.target.recorded_frames import LINES, N_BANDS, N_COLUMNS, SYNC, config_of, config_text, frame

PROGRAM = """
from runtime.commands.cli import guarded
from runtime.target.flight_command import record
guarded(lambda: record)
"""
NOISE = np.random.default_rng(0).integers(0, 1 << 12, (100, 1000)).astype("<u2")
DROP_BOUNDING_CAPABILITY, CAP_IPC_LOCK = 24, 14  # of Linux, prctl(2), capabilities(7)
LOCK = """
from runtime.errors import BadArgument
from runtime.process_memory import status_mib
from runtime.target.memory_control import MemoryTable, control_memory
try:
    control_memory(MemoryTable(locked=True))
    print("locked", status_mib("VmLck"))
except BadArgument as error:
    print(error)
"""
WITHOUT_RIGHTS = f"""
import ctypes, os, resource, sys
resource.setrlimit(resource.RLIMIT_MEMLOCK, ({MIB}, {MIB}))
ctypes.CDLL(None).prctl({DROP_BOUNDING_CAPABILITY}, {CAP_IPC_LOCK}, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-c", {LOCK!r}])
"""


def said_by(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout


def test_memory_is_locked_or_the_system_says_why_not() -> None:
    said = said_by(LOCK)
    if said.startswith("locked"):
        assert float(said.split()[1]) > 1
    else:
        assert "allowed with CAP_IPC_LOCK, or LimitMEMLOCK=infinity" in said and said.count("\n") == 1


def test_without_the_right_the_refusal_is_one_line() -> None:
    said = said_by(WITHOUT_RIGHTS)
    assert said.startswith("memory.locked: ") and said.count("\n") == 1
    assert said.endswith("with a limit of 1 MiB; allowed with CAP_IPC_LOCK, or LimitMEMLOCK=infinity\n")


def test_a_limit_below_what_is_held_is_refused_and_nothing_is_set() -> None:
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(BadArgument, match=r"memory\.limit_mib: found 1, allowed more than the \d+ of the loaded forms"):
        limit_data(1)
    assert resource.getrlimit(resource.RLIMIT_DATA) == limits


def test_a_limit_is_set_where_forms_are_loaded(tmp_path: Path) -> None:
    """A recorder of RLS runs under little more than it holds."""
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    (tmp_path / "frames").write_bytes(b"".join(map(frame, range(40))))
    limit = round(status_mib("VmData") or 0) + 200
    source = f'kind = "file"\npath = "{tmp_path / "frames"}"'
    text = config_text(tmp_path / "out", source, f"[memory]\nlimit_mib = {limit}")
    text = text.replace('predictor = "dpcm"', 'predictor = "rls"')
    try:
        run(config_of(text), threading.Event())
        assert resource.getrlimit(resource.RLIMIT_DATA) == (limit * MIB, limits[1])
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, limits)
    end = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[-1])["ended"]
    assert end["lines"] == len(LINES) and end["peak_mib"] > 10


def test_nothing_is_done_where_nothing_is_said() -> None:
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    control_memory(MemoryTable())
    assert resource.getrlimit(resource.RLIMIT_DATA) == limits


def data_mib(process_number: int) -> int:
    """What a process counts as data."""
    status = Path(f"/proc/{process_number}/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmData"))


def test_memory_that_is_exhausted_ends_by_one_line_and_whole_segments_are_kept(tmp_path: Path) -> None:
    """A segment of noise grows until the limit is hit; a gap has ended the one before."""
    text = config_text(tmp_path / "out", 'kind = "file"')
    for old, new in {
        f"bands = {N_BANDS}": f"bands = {NOISE.shape[0]}", f"columns = {N_COLUMNS}": f"columns = {NOISE.shape[1]}",
        "segment_lines = 4": 'segment_lines = 60000\nform = "dpcm"', "buffer_lines = 64": "buffer_lines = 2",
    }.items():  # fmt: skip
        text = text.replace(old, new)
    (tmp_path / "config.toml").write_text(text)
    words = [sys.executable, "-c", PROGRAM, str(tmp_path / "config.toml")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stderr is not None
        with contextlib.suppress(BrokenPipeError):
            for y in (0, 1, *range(5, 1000)):
                process.stdin.write(SYNC + y.to_bytes(4, "big") + NOISE.tobytes())
                if y == 12:  # more lines than the buffer and the pipe take: it records
                    limit = (data_mib(process.pid) + 6) * MIB
                    resource.prlimit(process.pid, resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        said = process.stderr.read().decode()
        code = process.wait(300)
    assert y < 999
    if code == EXIT_CHECK_FAILED:  # the thread that reads was the first to ask for more
        assert "source -: " in said and said.endswith("the lines before it are kept\n")
    else:
        assert code == EXIT_BAD_INPUT and said.startswith("linerwkv: out of memory at line ")
        assert said.endswith("(memory.limit_mib: none); the segments that were whole before it are kept\n")
    assert said.count("\n") == 1
    found = salvage((tmp_path / "out" / "0001.lrwk").read_bytes())
    assert found.segments[0][0].n_lines == 2
    for header, payload in found.segments:
        for line in Decoder(found.header).lines(header, payload):
            assert np.array_equal(line, NOISE)
