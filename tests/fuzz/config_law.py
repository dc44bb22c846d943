"""Configurations of the recorder with a wrong value: refused in one line that names the file and the key."""

import copy
import datetime
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from runtime.checked_table import PLAIN_KEY
from runtime.errors import BadArgument
from runtime.target.flight_config import read_config
from runtime.target.line_frames import LineFrames
from tests.fuzz.stream_mutations import EXTREMES, Random

SOUND: dict[str, Any] = {
    "buffer_lines": 64,
    "source": {"kind": "udp", "path": "-", "host": "127.0.0.1", "port": 5000, "lines_per_second": 2.0},
    "lines": {
        "bands": 3, "columns": 5, "bit_depth": 12, "dtype": "<u2", "bit_order": "msb", "interleave": "bil",
        "line_header": 8, "line_trailer": 0, "sync": "1acffc1d", "counter_at": 4, "counter_bytes": 4,
    },
    "coding": {"max_errors": [0, 2], "segment_lines": 32, "form": "auto"},
    "forms": [
        {"name": "rls best", "predictor": "rls", "stage": "best"},
        {"name": "ccsds123", "predictor": "ccsds123", "guard": "off", "index": True},
    ],
    "rule": {"cheaper_at": 0.6, "dearer_at": 0.25, "last_resort_at": 0.9, "least_segments": 2},
    "output": {"folder": "out", "rotate_bytes": 1000, "quota_bytes": 9000, "when_full": "oldest"},
    "packets": {"apid": 100, "packet_bytes": 4096, "header_every": 256},
    "downlink": {"host": "127.0.0.1", "port": 5001},
    "telemetry": {"file": "t.jsonl", "status": "s.json", "seconds": 1.0},
    "commands": {"socket": "c"},
}  # fmt: skip
"""Every key but `packing`, which goes with another dtype, and `recording`, which is not allowed."""
NAN, INF, HUGE, DATE = float("nan"), float("inf"), 1 << 70, datetime.date(2026, 1, 2)
WRONG: dict[type, list[Any]] = {
    bool: ["x", 3, 1.5, [], {}, NAN, HUGE, DATE],
    int: ["1", "", "\0", 1.5, True, [], {}, NAN, INF, HUGE, -HUGE, -1, -(1 << 40), DATE],
    float: ["x", "", "\0", True, [], {}, NAN, INF, -INF, -1.0, -1e300, -3, DATE],
    str: [3, 1.5, True, [], {}, ["x"], NAN, HUGE, "a\0b", DATE],
    list: [3, 1.5, "x", {}, True, [], [NAN], [[]], ["x", "x"], [HUGE], [-1], [{}], [DATE]],
    dict: [3, "x", 1.5, [], True, {"unknown": 1}, {"a\nb": 1}, {"": 1}, NAN, DATE],
}  # fmt: skip
"""By the type of the sound value."""
OUT_OF_RANGE: dict[tuple[Any, ...], list[Any]] = {
    ("buffer_lines",): [0, 1], ("source", "kind"): ["disk", "UDP", "udp\n", ""], ("source", "port"): [65536, 1 << 40],
    ("source", "host"): [""], ("source", "path"): [""], ("lines", "bands"): [0, 65537, 1 << 40, (1 << 63) - 1],
    ("lines", "columns"): [0, 65537, 1 << 40, (1 << 63) - 1], ("lines", "bit_depth"): [0, 7, 17, 1 << 40],
    ("lines", "dtype"): ["", "x", "<f4", "O", "<u2\n", "u2,u2"], ("lines", "packing"): [11, "x", True, NAN, 0],
    ("lines", "bit_order"): ["", "MSB"], ("lines", "interleave"): ["", "bsq", "x"], ("lines", "line_header"): [0, 7],
    ("lines", "sync"): ["1", "zz", "1acffc1", "1acffc1d1acffc1d1a", "\n", "\u2028", ""],
    ("lines", "counter_at"): [0, 3, 5, 1 << 40], ("lines", "counter_bytes"): [5, 9, 1 << 40],
    ("coding", "segment_lines"): [0, 65536, 1 << 40], ("coding", "form"): ["", "x", "a\nb", "\u2028"],
    ("coding", "max_errors"): [[1 << 20], [0, 1 << 40]],
    ("forms",): [[{"name": "a\nb"}, {"name": "a\nb"}], [{"name": 3}]],
    ("forms", 1): [{"name": "x", "a\nb": 1}, {"name": "x", "\u2028": 1}],
    ("forms", 0, "name"): ["", "auto", "ccsds123"], ("forms", 0, "predictor"): ["", "x", "RLS\n", "\u2028"],
    ("forms", 0, "stage"): ["", "x", "a\nb"], ("forms", 1, "guard"): ["x", "\u2028"],
    ("rule", "cheaper_at"): [1.5, 0.1], ("rule", "dearer_at"): [0.7, 1.1], ("rule", "last_resort_at"): [1.01, 0.5],
    ("rule", "least_segments"): [0], ("output", "folder"): [""], ("output", "rotate_bytes"): [0],
    ("output", "quota_bytes"): [0], ("output", "when_full"): ["", "x", "newest\n"],
    ("packets", "apid"): [2047, 1 << 40], ("packets", "packet_bytes"): [0, 63, 65508, 65543, 1 << 40],
    ("packets", "header_every"): [1 << 40], ("packets", "recording"): [1, -1, 65536],
    ("downlink", "port"): [0, 65536], ("downlink", "host"): [""],
    ("telemetry", "seconds"): [0.0, 0], ("telemetry", "file"): [""], ("telemetry", "status"): [""],
    ("commands", "socket"): [""],
}  # fmt: skip
REQUIRED: list[tuple[Any, ...]] = [
    ("source",), ("lines",), ("output",), ("source", "kind"), ("lines", "bands"), ("lines", "columns"),
    ("lines", "bit_depth"), ("output", "folder"), ("commands", "socket"), ("downlink", "port"), ("forms", 0, "name"),
]  # fmt: skip
ANYTHING: list[Any] = [
    "", "x", [], {}, True, -1, 2.5, NAN, INF, HUGE, DATE, "a\nb", "\0", "\u2028", 1e-320, 1e308, *EXTREMES,
]  # fmt: skip


def toml(value: Any) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key_text(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float) and value == value and abs(value) != INF:
        return repr(value) if "." in repr(value) or "e" in repr(value) else f"{value!r}.0"
    if isinstance(value, bool | str):
        return json.dumps(value)
    return str(value)


def key_text(key: str) -> str:
    """A key, quoted where it must be."""
    return key if PLAIN_KEY.fullmatch(key) else json.dumps(key)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [way for key, one in items for way in places(one, (*path, key))]
    return [path, *inner] if path else inner


def at(values: Any, path: tuple[Any, ...]) -> Any:
    """The value at a way."""
    for key in path:
        values = values[key]
    return values


@cache
def wrong_values() -> list[tuple[tuple[Any, ...], Any]]:
    """Every way with every value that is wrong there."""
    found = [(way, one) for way in places(SOUND) for one in WRONG[type(at(SOUND, way))]]
    return found + [(way, one) for way, some in OUT_OF_RANGE.items() for one in some]


def put(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The sound configuration with another value; None: without it."""
    values = copy.deepcopy(SOUND)
    holder = at(values, path[:-1])
    if value is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return values


def check_refused(values: dict[str, Any], path: tuple[Any, ...], folder: Path) -> None:
    """The error of a configuration with one wrong value names the file, and the key as people write it."""
    file = folder / "c.toml"
    file.write_text("\n".join(f"{key_text(key)} = {toml(one)}" for key, one in values.items()))
    try:
        read_config(file)
    except BadArgument as error:
        text = str(error)
        names = [one for one in path if isinstance(one, str)]
        assert len(text.splitlines()) == 1 and text.isprintable(), text
        assert text.startswith(f"{file}: "), text
        assert "not TOML" in text or all(name in text for name in (names[0], names[-1])), (path, text)
        assert len(text) < 500 + len(str(file)), text
    else:
        raise AssertionError(f"{path} may be {at(values, path) if path else values}")
    finally:
        file.unlink()


def check_config(random: Random, folder: Path) -> Counter[str]:
    """Hold a configuration against the law; how it ended. folder: empty, and empty again afterwards."""
    kind = random.integers(3)
    if kind == 0:
        chosen = wrong_values()
        path, value = chosen[random.integers(len(chosen))]
        check_refused(put(path, value), path, folder)
        return Counter({"configuration: refused": 1})
    ways, values, file = places(SOUND), copy.deepcopy(SOUND), folder / "c.toml"
    for _ in range(kind):
        path = ways[random.integers(len(ways))]
        try:
            at(values, path[:-1])[path[-1]] = ANYTHING[random.integers(len(ANYTHING))]
        except (TypeError, IndexError, KeyError):  # its table is none any more
            continue
    file.write_text("\n".join(f"{key_text(key)} = {toml(one)}" for key, one in values.items()))
    try:
        config = read_config(file)
        LineFrames(config.lines)
        return Counter({"configuration: done": 1})
    except BadArgument as error:
        assert str(error).startswith(f"{file}: ") and len(str(error).splitlines()) == 1, str(error)
        return Counter({"configuration: refused": 1})
    finally:
        file.unlink()
