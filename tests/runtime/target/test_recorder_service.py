"""The recorder as it flies: lines by FIFO, TCP and datagrams, commands, notices, a graceful end."""

import contextlib
import json
import os
import socket
import threading
from pathlib import Path

import numpy as np

from runtime.target.flight_command import run
from tests.runtime.target.recorded_frames import LINES, config_of, config_text, frame, read_back
from tests.runtime.target.recorder_service import WAIT_S, ask, service, status, wait_for


def test_a_service_by_fifo_is_commanded_and_ends_gracefully(tmp_path: Path) -> None:
    fifo, commands = tmp_path / "fifo", tmp_path / "c"
    os.mkfifo(fifo)
    text = config_text(tmp_path / "out", f'kind = "fifo"\npath = "{fifo}"', "")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "n"))
        notices.settimeout(WAIT_S)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "200000"}
        with service(text + f'[commands]\nsocket = "{commands}"\n', tmp_path, **environment):
            assert notices.recv(100) == b"READY=1"
            assert notices.recv(100) == b"WATCHDOG=1" == notices.recv(100)
            with fifo.open("wb") as out:
                out.write(b"".join(map(frame, range(6))) + frame(6)[:4])
            wait_for(lambda: status(commands)["lines"] == 6)
            answers = ask(
                commands, b'{"do": "form", "form": "dpcm"}', b'{"do": "max_error", "max_error": 2}',
                b'{"do": "form", "form": "x"}', b'{"do": "max_error", "max_error": 1}', b'{"do": "fly"}', b"{",
                b"\xff\xfe", b'{"do": "stop", "until": 1.0}', b'{"do": "stop", "more": 1}', b"[]",
            )  # fmt: skip
            assert [one["ok"] for one in answers] == [True, True] + [False] * 8
            assert all("\n" not in one["error"] for one in answers[2:]) and "late" in answers[7]["error"]
            with fifo.open("wb") as out:
                out.write(frame(6)[4:] + b"".join(map(frame, range(7, 12))) + frame(12)[:4])
            wait_for(lambda: status(commands)["lines"] == 12)
            assert ask(commands, b'{"do": "stop"}') == [{"ok": True}]
            wait_for(lambda: status(commands)["file"] is None)
            with fifo.open("wb") as out:
                out.write(frame(12)[4:] + frame(13)[:4])
            wait_for(lambda: status(commands)["not_recorded"] == 1)
            assert ask(commands, b'{"do": "start"}') == [{"ok": True}]
            with fifo.open("wb") as out:
                out.write(frame(13)[4:] + frame(14))
            wait_for(lambda: status(commands)["lines"] == 13)
        heard = []
        notices.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.append(notices.recv(100))
        assert b"STOPPING=1" in heard and set(heard) <= {b"STOPPING=1", b"WATCHDOG=1"}
    first, second = sorted((tmp_path / "out").glob("*.lrwk"))
    lines, _, segments = read_back(first)
    codings = [(one.header.coding.predictor.name, one.header.coding.max_error) for one in segments]
    assert codings == [("CCSDS123", 0), ("CCSDS123", 0), ("DPCM", 2)][: len(codings)] and codings[-1] == ("DPCM", 2)
    assert sorted(lines) == list(range(12))
    assert all(np.abs(lines[y].astype(int) - LINES[y].astype(int)).max() <= 2 for y in lines)
    assert np.abs(read_back(second)[0][0].astype(int) - LINES[13].astype(int)).max() <= 2
    assert not commands.exists()


def test_lines_come_by_tcp(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        text = config_text(tmp_path / "out", f'kind = "tcp"\nport = {server.getsockname()[1]}', "")

        def send() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"noise" + b"".join(map(frame, range(9))))

        sender = threading.Thread(target=send)
        sender.start()
        run(config_of(text), threading.Event())
        sender.join()
    (path,) = (tmp_path / "out").glob("*.lrwk")
    assert sorted(read_back(path)[0]) == list(range(9))


def test_datagrams_that_are_lost_cost_their_lines(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stopping = threading.Event()
    config = config_of(config_text(tmp_path / "out", f'kind = "udp"\nport = {port}', ""))
    recorder = threading.Thread(target=run, args=(config, stopping))
    recorder.start()
    wait_for(lambda: (tmp_path / "out.jsonl").exists() and '"ready"' in (tmp_path / "out.jsonl").read_text())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for y in range(10):
            half = frame(y)[:20], frame(y)[20:]
            for part in half if y != 4 else half[:1]:
                sender.sendto(part, ("127.0.0.1", port))
    state = tmp_path / "out.status"
    wait_for(lambda: state.exists() and json.loads(state.read_text())["lines"] >= 8)
    stopping.set()
    recorder.join(WAIT_S)
    (path,) = (tmp_path / "out").glob("*.lrwk")
    lines, gaps, _ = read_back(path)
    assert sorted(lines) == [0, 1, 2, 3, 5, 6, 7, 8, 9] and gaps == [(4, 1)]
