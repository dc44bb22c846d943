"""The whole recorder for an hour: `python -m tests.runtime.target.recorder_soak [--seconds 3600] [--output FILE]`.

A synthetic imager on TCP sends lines with gaps, repeats and noise; commands force each form in turn, change the maximum
error, stop and start, and some are wrong; streams rotate within a quota, packets go down. Each minute the memory, open
files and threads of the process go to benchmarks/results/recorder_soak.json, and the newest stream that has ended is
held against its packets. At the end, the streams that are left are decoded to the lines that were sent.
"""

import argparse
import contextlib
import gc
import itertools
import json
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from runtime.cell.flight_package import SHIPPED, open_package
from runtime.codec.decoder import Decoder
from runtime.codec.stream_reader import StreamReader
from runtime.packets.assembled_file import assemble
from runtime.stream.records import Gap
from runtime.target.flight_command import run
from tests.runtime.memory_growth import ALLOWED, growth, memory_now, renew_interned
from tests.runtime.target.paced_imager import PacedImager, config_text, line_of
from tests.runtime.target.recorded_frames import config_of
from tests.runtime.target.recorder_service import ask

RESULT = Path(__file__).parents[3] / "benchmarks" / "results" / "recorder_soak.json"
LINES_PER_SECOND = 16.0
SECONDS = 3600.0
SETTLED_AFTER = 1 / 6
"""Of the time: caches of code, of files and of the allocator are filled."""
NOTED = 1 / 60
"""Of the time, from one note to the next."""
ALLOWED_MORE = {"files": 4, "threads": 2}
"""Beyond those of the first settled note: the status file while it is replaced, the folder while it is synced,
connections for commands that are about to end. One that stays open at each stream or command would be hundreds."""
COMMANDS: list[dict[str, Any]] = [
    {"do": "form", "form": "flight"}, {"do": "max_error", "max_error": 0}, {"do": "form", "form": "rls best"},
    {"do": "launch"}, {"do": "form", "form": "rls fast"}, {"do": "max_error", "max_error": 2}, {"do": "stop"},
    {"do": "start"}, {"do": "form", "form": "ccsds123"}, {"do": "max_error", "max_error": 1},
]  # fmt: skip
"""One after another from one note to the next; two of them are refused."""


def command(path: Path, words: dict[str, Any]) -> dict[str, Any]:
    """The answer to one."""
    return ask(path, json.dumps(words).encode())[0]


def note(commands: Path, seconds: float) -> dict[str, float]:
    """How the process stands between two streams, when no segment is open."""
    command(commands, {"do": "stop"})
    while (status := command(commands, {"do": "status"}))["file"] is not None:
        time.sleep(0.05)
    gc.collect()
    found = {
        "seconds": round(seconds, 1), **memory_now(),
        "files": len(list(Path("/proc/self/fd").iterdir())), "threads": len(list(Path("/proc/self/task").iterdir())),
        "lines": status["lines"], "segments": status["segments"],
    }  # fmt: skip
    command(commands, {"do": "start"})
    return found


def last_ended(telemetry: BinaryIO) -> dict[str, Any] | None:
    """The newest stream that has ended since the last look; lines of telemetry are read once, so that none are kept."""
    found = None
    for line in telemetry:
        if b'"file_ended"' in line:
            found = json.loads(line)
    return found


def check_ended(folder: Path, ended: dict[str, Any]) -> None:
    """A stream of which telemetry says that it has ended is whole, and its packets give it."""
    path = folder / "out" / ended["file_ended"]
    assert ended["whole"] and path.stat().st_size == ended["bytes"]
    done = assemble([path.with_suffix(".packets")], folder / "assembled", 100, None)
    assert not done.missing and (folder / "assembled").read_bytes() == path.read_bytes()


def check_lines(path: Path) -> int:
    """How many lines a stream has, each that which was sent with its counter."""
    n_lines = 0
    with path.open("rb") as file:
        reader = StreamReader(file)
        decoder = Decoder(reader.header, [open_package(SHIPPED)])
        for piece, records in reader.pieces_with_records():
            if isinstance(piece, Gap):
                continue
            header, found = piece.header, records.records if records is not None else ()
            for line, record in zip(decoder.lines(header, piece.payload), found, strict=True):
                sent = line_of(int.from_bytes(record[4:8], "big"))
                assert np.abs(line - sent.astype(np.int32)).max() <= header.coding.max_error
                n_lines += 1
    return n_lines


def report_of(notes: list[dict[str, float]], asked: float, began_cpu: float) -> dict[str, Any]:
    """What is written."""
    seconds = notes[-1]["seconds"]
    settled = [one for one in notes if one["seconds"] >= SETTLED_AFTER * seconds]
    grown = {name: growth(notes, name, SETTLED_AFTER) for name in ALLOWED}
    more = {name: max(one[name] for one in settled) - settled[0][name] for name in ALLOWED_MORE}
    holds = all(grown[name] <= ALLOWED[name] for name in ALLOWED)
    holds &= all(more[name] <= ALLOWED_MORE[name] for name in ALLOWED_MORE)
    return {
        "seconds": seconds, "seconds asked": asked, "lines": notes[-1]["lines"], "segments": notes[-1]["segments"],
        "processor share": round((time.process_time() - began_cpu) / max(1.0, seconds), 3), "growth": grown,
        "allowed growth": ALLOWED, "more": more, "allowed more": ALLOWED_MORE, "holds": holds, "notes": notes,
    }  # fmt: skip


def soak(seconds: float, output: Path, folder: Path) -> dict[str, Any]:
    """Run the recorder so long. Raises AssertionError: what it recorded is not what was sent."""
    imager, stopping, failed = PacedImager(LINES_PER_SECOND), threading.Event(), list[BaseException]()
    ground = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ground.bind(("127.0.0.1", 0))
    config = config_of(config_text(folder, imager.port, ground.getsockname()[1]))

    def recorded() -> None:
        try:
            run(config, stopping)
        except BaseException as error:
            failed.append(error)

    recorder = threading.Thread(target=recorded, daemon=True)
    recorder.start()
    commands, words = folder / "commands", itertools.cycle(COMMANDS)
    while recorder.is_alive() and not imager.n_sent:
        time.sleep(0.1)
    renew_interned()
    telemetry = (folder / "telemetry.jsonl").open("rb")
    start, cpu, n_datagrams = time.monotonic(), time.process_time(), 0
    notes: list[dict[str, float]] = []
    next_command = next_note = 0.0
    ground.settimeout(0.5)
    while not failed and (passed := time.monotonic() - start) < seconds:
        with contextlib.suppress(TimeoutError):
            n_datagrams += len(ground.recv(1 << 16)) > 0
        if passed >= next_note:
            next_note += seconds * NOTED
            notes.append(note(commands, passed))
            if (ended := last_ended(telemetry)) is not None:
                check_ended(folder, ended)
            output.write_text(json.dumps(report_of(notes, seconds, cpu), indent=1) + "\n")
        if passed >= next_command:
            next_command += seconds * NOTED / len(COMMANDS)
            command(commands, next(words))
    imager.stop()
    recorder.join()
    ground.close()
    telemetry.close()
    if failed:
        raise failed[0]
    report = report_of(notes, seconds, cpu)
    status = json.loads((folder / "status.json").read_text())
    report["end"] = {name: status[name] for name in ("lines", "lost", "repeated", "dropped", "refused", "not_recorded")}
    report["datagrams"] = n_datagrams
    paths = sorted((folder / "out").glob("*.lrwk"))
    report["streams"], report["streams left"] = int(paths[-1].stem), len(paths)
    report["lines decoded"] = sum(map(check_lines, paths))
    return report


def main() -> None:
    """Record; a growth beyond what is allowed ends with an error after the report is written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--output", type=Path, default=RESULT)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = soak(asked.seconds, asked.output, Path(folder))
    asked.output.write_text(json.dumps(report, indent=1) + "\n")
    assert report["holds"], {name: report[name] for name in ("growth", "allowed growth", "more", "allowed more")}


if __name__ == "__main__":
    main()
