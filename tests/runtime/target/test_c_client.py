"""The client in C against a recorder: its lines come back, its commands are answered, it counts all packets."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hil_tests.places.place import REPOSITORY
from runtime.packets.packet_scan import fragments
from tests.runtime.target.recorded_frames import N_BANDS, N_COLUMNS, config_text, read_back

CLIENT = REPOSITORY / "examples" / "c"
FLAGS = ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
LINES, LEFT_OUT, APID = 40, 7, 77
WAIT_S = 300  # a first start compiles


@pytest.fixture(scope="module")
def imager(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the example."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    path = tmp_path_factory.mktemp("c") / "imager"
    sources = [CLIENT / name for name in ("imager.c", "lrwk_client.c")]
    subprocess.run([compiler, *FLAGS, "-o", path, *sources], check=True)
    return path


def line_of(y: int) -> np.ndarray:
    """What imager.c sends (Z, X)."""
    return ((y * 31 + np.arange(N_BANDS * N_COLUMNS) * 17) % 4096).reshape(N_BANDS, N_COLUMNS)


def test_lines_commands_telemetry_and_packets(imager: Path, tmp_path: Path) -> None:
    words = [str(imager), str(tmp_path / "commands"), f"{tmp_path / 'out'}.jsonl"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        lines_port, packets_port = client.stdout.readline().split()
        more = f"""
        [packets]
        apid = {APID}
        packet_bytes = 64
        [downlink]
        port = {packets_port}
        [commands]
        socket = "{tmp_path / "commands"}"
        """
        text = config_text(tmp_path / "out", f'kind = "tcp"\nport = {lines_port}') + more
        (tmp_path / "config.toml").write_text(text)
        record = [sys.executable, "-m", "runtime.commands.cli", "record", str(tmp_path / "config.toml")]
        subprocess.run(record, check=True, cwd=REPOSITORY, timeout=WAIT_S)
        said = client.communicate(timeout=WAIT_S)[0].splitlines()
    assert client.returncode == 0
    assert said[0] == '{"ok": true}'
    assert said[1].startswith('{"ok": false, "error": "command: key do: found \\"launch\\"')
    lines, gaps, segments = read_back(tmp_path / "out" / "0001.lrwk")
    assert sorted(lines) == [y for y in range(LINES) if y != LEFT_OUT]
    assert gaps == [(LEFT_OUT, 1)]
    for segment, _ in segments:
        for y in range(segment.first_line, segment.next_line):
            assert np.abs(lines[y].astype(int) - line_of(y)).max() <= segment.coding.max_error
    packets = list(fragments((tmp_path / "out" / "0001.packets").read_bytes(), APID))
    assert said[2] == f"{len(packets)} packets of APID {APID}, {len(segments)} segments"
