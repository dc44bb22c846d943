"""Telecommands of any bytes: one line of JSON each, and only a sound command changes the recorder."""

import io
import json
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from runtime.codec.forms_encoder import LoadedForms
from runtime.images.raw_lines import describe_pipe
from runtime.target.flight_recorder import FlightRecorder
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import LineFrames
from runtime.target.telecommands import LONGEST_COMMAND, answers
from runtime.target.told_lines import told_lines
from tests.fuzz.stream_mutations import EXTREMES, Random
from tests.runtime.target.recorded_frames import config_of, config_text

State = tuple[str, int, bool]
SOUND: list[dict[str, Any]] = [
    {"do": "form", "form": "dpcm"}, {"do": "form", "form": "auto"}, {"do": "form"}, {"do": "max_error", "max_error": 2},
    {"do": "max_error"}, {"do": "stop"}, {"do": "start"}, {"do": "status"}, {"do": "stop", "until": 1e12},
    {"do": "form", "form": "ccsds123", "until": None},
]  # fmt: skip
REFUSED = {"do": "package", "form": "dpcm", "file": "package.zip"}
"""Where the configuration has no table for packages."""
VALUES: list[Any] = [
    None, "", "x", [], {}, True, -1, 2.5, 1 << 70, -(1 << 63), 1e308, -1e308, float("nan"), float("inf"), "\ud800",
    "\0", "a\nb", "\u2028", ["form"], {"do": "stop"}, "form", "stop", "auto", *EXTREMES,
]  # fmt: skip
KEYS = ["do", "form", "max_error", "until", "", "do\n", "\ud800", "Do", "more"]
NOISE = [
    b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\0", b"{", b"}", b"[" * 2000, b'{"a":' * 700, b'"', b"1e999", b" " * 5000,
]  # fmt: skip


@cache
def loaded() -> tuple[Any, Any, LoadedForms]:
    """A configuration, its image, and its forms without what codes: no line comes."""
    config = config_of(config_text(Path("out"), 'kind = "file"'))
    return config, describe_pipe(config.lines.layout(), 12), LoadedForms(tuple(config.made_forms()), (), {}, (), ())


def new_recorder(told: list[str]) -> FlightRecorder:
    """One whose telemetry goes to `told`."""
    config, image, forms = loaded()
    buffer, frames = LineBuffer(config.buffer_lines), LineFrames(config.lines)
    return FlightRecorder(config, image, forms, buffer, frames, told_lines(told.append), lambda packets: None)


def hostile_line(random: Random) -> tuple[bytes, bool]:
    """A line without its end, and whether it is a sound command as it stands."""
    kind = random.integers(6)
    if kind == 0:
        return json.dumps(SOUND[random.integers(len(SOUND))]).encode(), True
    bases = [*SOUND, REFUSED]
    command = dict(bases[random.integers(len(bases))])
    if kind == 1:
        for _ in range(random.integers(1, 4)):
            command[KEYS[random.integers(len(KEYS))]] = VALUES[random.integers(len(VALUES))]
        return json.dumps(command, ensure_ascii=bool(random.integers(2))).encode(errors="surrogatepass"), False
    text = bytearray(json.dumps(command).encode())
    if kind == 2:
        text[random.integers(len(text))] ^= 1 << int(random.integers(8))
    elif kind == 3:
        at = int(random.integers(len(text) + 1))
        text[at:at] = NOISE[random.integers(len(NOISE))]
    elif kind == 4:
        del text[random.integers(len(text)) :]
    else:  # longer than a command may be, with one that would be sound behind it
        text[:0] = b" " * (LONGEST_COMMAND - int(random.integers(-2, len(text) + 2)))
    return bytes(text), False


def state_of(recorder: FlightRecorder) -> State:
    """What commands change."""
    return recorder.form, recorder.max_error, recorder.is_asked


def state_after(line: bytes, state: State) -> State:
    """What a sound command makes of a state."""
    values = json.loads(line.decode(errors="replace"))
    name = values["do"]
    assert values.get("until") is None or values["until"] > time.time() - 60
    if name == "form":
        return values.get("form", "auto"), *state[1:]
    if name == "max_error":
        return state[0], values.get("max_error", 0), *state[2:]
    if name in ("start", "stop"):
        return *state[:2], name == "start"
    assert name == "status"
    return state


def check_commands(random: Random) -> Counter[str]:
    """Hold what comes over one connection against the law; how each line ended."""
    lines = [hostile_line(random) for _ in range(random.integers(1, 6))]
    data = b"\n".join(line for line, _ in lines) + b"\n" * int(random.integers(2))
    pieces = data.split(b"\n")
    pieces = pieces if pieces[-1] else pieces[:-1]
    sound = {line for line, is_sound in lines if is_sound}
    told: list[str] = []
    recorder = new_recorder(told)
    ends, state = Counter[str](), state_of(recorder)
    for one, text in zip(answers(io.BytesIO(data).readline, recorder.do), pieces, strict=True):
        assert one.endswith(b"\n") and one.count(b"\n") == 1
        found = json.loads(one)
        if found["ok"]:
            state = state_after(text, state)
            assert len(text) < LONGEST_COMMAND
        else:
            assert set(found) == {"ok", "error"} and len(found["error"].splitlines()) == 1 and text not in sound
        assert state_of(recorder) == state
        ends[f"command: {'done' if found['ok'] else 'refused'}"] += 1
    assert all(len(line.splitlines()) == 1 and json.loads(line) for line in told)
    last = list(answers(io.BytesIO(b'{"do": "form", "form": "dpcm"}\n{"do": "status"}\n').readline, recorder.do))
    assert json.loads(last[0]) == {"ok": True} and json.loads(last[1])["form_asked"] == "dpcm"
    return ends
