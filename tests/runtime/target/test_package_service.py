"""The program itself, killed while a package is on trial: the next start goes on by the old one."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from runtime.cell.flight_package import SHIPPED, open_package
from tests.runtime.target.package_flights import LINES, SEGMENT_LINES, Ground, all_lines, streams, text_of
from tests.runtime.target.recorder_service import ask, service, status, wait_for


@pytest.mark.slow
def test_the_next_start_after_a_kill_rolls_back(tmp_path: Path) -> None:
    ground, fifo, commands = Ground.made(tmp_path / "ground"), tmp_path / "fifo", tmp_path / "c"
    new = ground.good()
    os.mkfifo(fifo)
    text = text_of(tmp_path, ground.trust, "flight").replace('kind = "file"', f'kind = "fifo"\npath = "{fifo}"')
    text += f'[commands]\nsocket = "{commands}"\n[telemetry]\nfile = "{tmp_path / "told"}"\n'

    def send(first: int, last: int, n_sent: int) -> None:
        with fifo.open("wb") as out:
            out.write(LINES[first:last].astype("<u2").tobytes())
        wait_for(lambda: status(commands)["lines"] == n_sent)

    def states() -> list[str]:
        told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
        return [one["state"] for one in told if "state" in one]

    with pytest.raises(AssertionError), service(text, tmp_path) as process:
        wait_for(commands.exists)
        send(0, 2, 2)
        command = {"do": "package", "form": "my net", "file": str(new.source)}
        assert ask(commands, json.dumps(command).encode()) == [{"ok": True, "package": new.sha256.hex()}]
        assert not ask(commands, json.dumps(command | {"file": str(tmp_path)}).encode())[0]["ok"]
        wait_for(lambda: states() == ["verified"])
        send(2, 2 + SEGMENT_LINES, 2 + SEGMENT_LINES)
        wait_for(lambda: states() == ["verified", "on trial"])
        process.send_signal(signal.SIGKILL)
        process.wait()
    commands.unlink()
    with service(text, tmp_path):
        wait_for(commands.exists)
        assert states() == ["verified", "on trial", "rolled back"]
        send(0, 2, 2)
    found = streams(tmp_path, new)
    assert found[-1].named == [open_package(SHIPPED).sha256]
    assert np.array_equal(all_lines(found), [*LINES[:SEGMENT_LINES], *LINES[:2]])
