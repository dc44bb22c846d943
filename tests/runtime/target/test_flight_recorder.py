"""The recorder as it flies: every source, gaps, forms, commands, rotation, quota, packets, notices, a graceful end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from runtime.codec.forms_encoder import FormsEncoder, loaded_forms
from runtime.errors import BadArgument
from runtime.images.raw_lines import describe_pipe
from runtime.packets.assembled_file import assemble
from runtime.packets.packet_scan import fragments
from runtime.target.flight_command import record, run
from runtime.target.flight_config import FlightConfig
from runtime.target.flight_tables import OutputTable
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import LineFrames
from runtime.target.stream_files import StreamFiles
from tests.runtime.codec.test_coder_beside import thread_names
from tests.runtime.target.recorded_frames import LINES, config_of, config_text, frame, read_back, told

WAIT_S = 300  # a first start compiles


def recorded(folder: Path, data: bytes, more: str = "", **changes: str) -> list[Path]:
    """The recordings of a file of frames."""
    (folder.parent / "frames").write_bytes(data)
    text = config_text(folder, f'kind = "file"\npath = "{folder.parent / "frames"}"', more)
    for old, new in changes.items():
        text = text.replace(f"[{old}]\n", f"[{old}]\n{new}\n")
    run(config_of(text), threading.Event())
    return sorted(folder.glob("*.lrwk"))


def test_gaps_and_repeats_are_in_the_stream_and_in_telemetry(tmp_path: Path) -> None:
    sent = [0, 1, 1, 2, 5, 6, 7, 8, 9, 10]
    (path,) = recorded(tmp_path / "out", b"".join(map(frame, sent)))
    lines, gaps, segments = read_back(path)
    kept = sorted(set(sent))
    assert sorted(lines) == kept and all(np.array_equal(lines[y], LINES[y]) for y in kept)
    assert gaps == [(3, 2)]
    assert [one.header.first_line for one in segments] == [0, 5, 9]
    events = told(tmp_path / "out")
    assert [one["gap"] for one in events if "gap" in one] == [2]
    found = [(one["first_line"], one["form"]) for one in events if "segment" in one]
    assert found == [(0, "ccsds123"), (5, "ccsds123"), (9, "ccsds123")]
    end = events[-1]["ended"]
    assert (end["lines"], end["lost"], end["repeated"], end["dropped"]) == (9, 2, 1, 0)
    assert json.loads((tmp_path / "out.status").read_text())["lines"] == 9


@pytest.mark.parametrize("form", ["dpcm", "ccsds123"])
def test_threads_change_no_byte(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = thread_names(monkeypatch)
    data = b"".join(map(frame, range(40)))
    paths = [
        recorded(tmp_path / str(n), data, coding=f'form = "{form}"\nthreads = {n}', output="rotate_bytes = 300")
        for n in (1, 3)
    ]
    one, three = ([path.read_bytes() for path in found] for found in paths)
    assert one == three and len(one) > 3
    assert {name.partition("_")[0] for name in names} == {"MainThread", "linerwkv-0"}


def test_a_line_beyond_the_depth_is_a_gap(tmp_path: Path) -> None:
    bad = frame(2)[:8] + b"\xff" * (len(frame(2)) - 8)
    (path,) = recorded(tmp_path / "out", frame(0) + frame(1) + bad + frame(3))
    lines, gaps, _ = read_back(path)
    assert sorted(lines) == [0, 1, 3] and gaps == [(2, 1)]
    assert recorded(tmp_path / "none", bad) == []


def test_each_form_does_to_samples_beyond_the_depth_what_it_says(tmp_path: Path) -> None:
    text = config_text(tmp_path / "out", 'kind = "file"')
    config = config_of(text.replace('predictor = "ccsds123"', 'predictor = "ccsds123"\nout_of_range = "clip"'))
    image = describe_pipe(config.lines.layout(), config.lines.bit_depth)
    beyond = np.full_like(LINES[0], 1 << config.lines.bit_depth)
    with loaded_forms(image, config.made_forms(), [0]) as loaded:
        encoder = FormsEncoder(image, loaded, 0, 0)
        encoder.push(beyond)
        encoder.use(1, 0)
        with pytest.raises(BadArgument, match="line 1"):
            encoder.push(beyond)
        encoder.use(0, 0)
        encoder.push(beyond)
        assert encoder.codes.n_clipped == 2 * beyond.size


def test_streams_rotate_and_the_oldest_leave_for_the_quota(tmp_path: Path) -> None:
    data = b"".join(map(frame, range(40)))
    paths = recorded(tmp_path / "all", data, output="rotate_bytes = 300")
    assert len(paths) > 3
    lines = [line for path in paths for _, line in sorted(read_back(path)[0].items())]
    assert np.array_equal(lines, LINES)
    ends = [(one["file_ended"], one["bytes"], one["whole"]) for one in told(tmp_path / "all") if "file_ended" in one]
    assert ends == [(path.name, path.stat().st_size, True) for path in paths]
    sizes = [path.stat().st_size for path in paths]
    quota = sum(sizes[-2:]) + 50
    kept = recorded(tmp_path / "few", data, output=f"rotate_bytes = 300\nquota_bytes = {quota}")
    assert [path.name for path in kept] == [path.name for path in paths[-len(kept) :]] and 1 <= len(kept) <= 2
    assert np.array_equal(read_back(kept[-1])[0][0], read_back(paths[-1])[0][0])


def test_a_recording_that_somebody_took_away_is_no_error_of_the_quota(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0000.lrwk").symlink_to(tmp_path / "taken")  # named by the folder, and not there any more
    files = StreamFiles(OutputTable(tmp_path / "out", quota_bytes=1000), None)
    files.begin()
    files.append(bytes(900))
    files.flush()
    files.append(bytes(101))
    for _ in range(3):  # each try counts the same
        with pytest.raises(BadArgument, match="would have 1001 bytes, the quota allows 1000"):
            files.flush()
    files.close(is_kept=False)


def test_packets_of_each_stream_give_it_again(tmp_path: Path) -> None:
    data = b"".join(map(frame, [*range(20), *range(25, 40)]))
    words = "[packets]\napid = 3\npacket_bytes = 128"
    paths = recorded(tmp_path / "both", data, words, output="rotate_bytes = 400")
    packets = sorted((tmp_path / "both").glob("*.packets"))
    assert [one.stem for one in packets] == [one.stem for one in paths] and len(paths) > 1
    names = []
    for path in paths:
        stream = next(iter({name for name in stream_names(packets) if name.startswith(f"{int(path.stem)}-")}))
        done = assemble(packets, tmp_path / "back", 3, stream)
        assert not done.missing and (tmp_path / "back").read_bytes() == path.read_bytes()
        names.append(done.stream)
    assert len(set(names)) == len(paths)


def stream_names(packets: list[Path]) -> set[str]:
    return {str(one.stream) for path in packets for one in fragments(path.read_bytes(), 3)}


def test_while_lines_pile_up_segments_are_cheaper(tmp_path: Path) -> None:
    """The source is far faster than the encoder: the buffer is full and the last form codes nearly all."""
    text = config_text(tmp_path / "out", f'kind = "file"\npath = "{tmp_path / "frames"}"')
    (tmp_path / "frames").write_bytes(b"".join(frame(y % 40, y) for y in range(2000)))
    run(config_of(text.replace("buffer_lines = 64", "buffer_lines = 8")), threading.Event())
    events = told(tmp_path / "out")
    forms = [one["form"] for one in events if "segment" in one]
    assert set(forms) <= {"ccsds123", "dpcm"} and "dpcm" in forms
    assert events[-1]["ended"]["lines"] == 2000 and events[-1]["ended"]["dropped"] == 0
    (path,) = (tmp_path / "out").glob("*.lrwk")
    predictors = {one.header.coding.predictor.name.lower() for one in read_back(path)[2]}
    assert predictors == set(forms)


def test_a_source_that_cannot_wait_drops_into_gaps() -> None:
    buffer, frames = LineBuffer(2), LineFrames(config_of(config_text(Path("x"), 'kind = "file"')).lines)
    data = iter([b"".join(map(frame, [0, 1, 2, 4, 5])), b""])
    for i, found in enumerate(frames.lines(lambda _: next(data))):
        buffer.put(found, can_wait=False)
        if i == 3:
            assert buffer.fill == 1 and buffer.take(0) is not None
    assert buffer.n_dropped == 2
    assert [found.n_lost for found in buffer.lines] == [0, 3]


@contextlib.contextmanager
def service(config: FlightConfig | str, folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, ended by TERM, which must leave with 0."""
    (folder / "config.toml").write_text(str(config))
    program = "from runtime.commands.cli import guarded; from runtime.target.flight_command import record; "
    words = [sys.executable, "-c", program + "guarded(lambda: record)", str(folder / "config.toml")]
    with subprocess.Popen(words, env={**os.environ, **environment}, stderr=subprocess.PIPE) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT_S) == 0, process.stderr and process.stderr.read()
        finally:
            process.kill()


def wait_for(is_there: Any) -> None:
    end = time.monotonic() + WAIT_S
    while not is_there():
        assert time.monotonic() < end
        time.sleep(0.02)


def ask(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"".join(line + b"\n" for line in lines))
        client.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in client.makefile("rb")]


def status(path: Path) -> dict[str, Any]:
    return ask(path, b'{"do": "status"}')[0]


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


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("bands = 3", "bands = 0", "key lines.bands: found 0, allowed int at least 1"),
        ('kind = "file"', 'kind = "udp"', None),
        ('kind = "file"', 'kind = "disk"', "key source.kind"),
        ('sync = "1acffc1d"', 'sync = "1"', "key lines.sync"),
        ("line_header = 8", "line_header = 6", "key lines.line_header: found 6 bytes, allowed 8"),
        ("counter_at = 4", "counter_at = 2", "key lines.counter_at"),
        ('name = "dpcm"', 'name = "ccsds123"', 'forms: found "ccsds123", "ccsds123"'),
        ('predictor = "dpcm"', 'predictor = "x"', "forms[1].predictor: found"),
        ("max_errors = [0, 2]", "max_errors = []", "key coding.max_errors: found none"),
        ("max_errors = [0, 2]", 'form = "x"', 'coding.form: found "x", allowed "auto", "ccsds123", "dpcm"'),
        ("buffer_lines = 64", "buffer_lines = 1", "key buffer_lines"),
        ("buffer_lines = 64", "[rule]\ncheaper_at = 0.1", "key rule.dearer_at"),
        ("buffer_lines = 64", "[packets]\nrecording = 3", "packets.recording"),
        ("buffer_lines = 64", "[downlink]\nport = 5", "downlink: found no table packets"),
        (
            "buffer_lines = 64",
            "[downlink]\nport = 5\n[packets]\npacket_bytes = 65508",
            "packet_bytes: found 65508",
        ),
        ("buffer_lines = 64", "[packets]\n[downlink]\nport = 0", "downlink.port"),
        ("buffer_lines = 64", "surprise = 1", "key surprise: not known"),
        ("bands = 3", "bands = 65537", "key lines.bands, columns, bit_depth, dtype: image: n_bands is 65537"),
        ('sync = "1acffc1d"', 'sync = " "', "key lines.sync: found ' '"),
        ("segment_lines = 4", "segment_lines = 65536", "key coding.segment_lines: found 65536"),
        ("max_errors = [0, 2]", "max_errors = [4096]", "key coding.max_errors: found 4096, allowed 0..2047"),
        ('name = "dpcm"', 'name = "a\\nb"\n"c\\nd" = 1', r'key forms[1]."c\nd": not known'),
    ],
)
def test_a_configuration_is_checked(tmp_path: Path, old: str, new: str, found: str | None) -> None:
    text = config_text(tmp_path / "out", 'kind = "file"').replace(old, new)
    (tmp_path / "c.toml").write_text(text)
    done = CliRunner().invoke(record, [str(tmp_path / "c.toml"), "--check"])
    if found is None:
        assert done.exit_code == 0, done.exception
        return
    assert isinstance(done.exception, BadArgument) and found in str(done.exception)


def test_udp_needs_a_sync_word(tmp_path: Path) -> None:
    text = config_text(tmp_path / "out", 'kind = "udp"').replace('sync = "1acffc1d"\n', "")
    with pytest.raises(BadArgument, match=r"lines\.sync: found none"):
        config_of(text)


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"source .*nothing: No such file"):
        run(config_of(config_text(tmp_path / "out", f'kind = "file"\npath = "{tmp_path}/nothing"')), threading.Event())
