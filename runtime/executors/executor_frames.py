"""Messages between an executor and its user over a pipe (docs/formats/executor-protocol.md)."""

import json
import math
import struct
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from runtime.errors import BadArgument, Corrupt, TooNew, Truncated
from runtime.exact_read import Take, read_exactly, read_fully
from runtime.executors.array_executor import AnyArray

VERSION = 1
MAGIC = b"LRXP"
START = struct.Struct("<4sI")  # magic, length of the JSON header
LARGEST_HEADER_BYTES = 1 << 16
LARGEST_PAYLOAD_BYTES = 1 << 30
MOST_TENSORS = 256
MOST_AXES = 8
LARGEST_AXIS = (1 << 31) - 1
LONGEST_NAME = 256
DTYPES = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


class Kind(StrEnum):
    """What a message is."""

    HELLO = "hello"
    STEP = "step"
    ANSWER = "answer"
    ERROR = "error"


WORDS = {Kind.HELLO: ("executor", "provider", "sha256"), Kind.STEP: (), Kind.ANSWER: (), Kind.ERROR: ("error", "text")}
"""The texts that a message of each kind has."""
WITH_TENSORS = (Kind.STEP, Kind.ANSWER)


@dataclass(frozen=True)
class Message:
    """One message; `words` are those of its kind, `arrays` any arrays of the ten types of numbers."""

    kind: Kind
    words: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, AnyArray] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The message as it is sent over the pipe. Raises BadArgument where it does not fit the limits."""
        header: dict[str, Any] = {"version": VERSION, "kind": self.kind.value, **self.words}
        if self.kind in WITH_TENSORS:
            specs = (TensorSpec(name, values.dtype.name, values.shape) for name, values in self.arrays.items())
            header["tensors"] = [spec._asdict() for spec in specs]
        text = json.dumps(header).encode()
        if len(text) > LARGEST_HEADER_BYTES:
            raise BadArgument(f"message header of {len(text)} bytes, at most {LARGEST_HEADER_BYTES}")
        try:
            parse_header(text)
        except Corrupt as error:
            raise BadArgument(f"these arrays do not fit a message: {error}") from None
        payload = [np.ascontiguousarray(v, v.dtype.newbyteorder("<")).tobytes() for v in self.arrays.values()]
        return b"".join([START.pack(MAGIC, len(text)), text, *payload])


class TensorSpec(NamedTuple):
    """What a header says of one array."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        """Of the values."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def parse_tensor(entry: Any) -> TensorSpec:
    """One entry of `tensors`. Raises Corrupt."""
    if not isinstance(entry, dict) or set(entry) != set(TensorSpec._fields):
        raise Corrupt("message: a tensor is described by name, dtype and shape")
    name, dtype, shape = entry["name"], entry["dtype"], entry["shape"]
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise Corrupt(f"message: a tensor name has 1 to {LONGEST_NAME} characters")
    if dtype not in DTYPES:
        raise Corrupt(f"message: tensor {name!r} has dtype {str(dtype)[:40]!r}, allowed: {', '.join(DTYPES)}")
    if not isinstance(shape, list) or len(shape) > MOST_AXES:
        raise Corrupt(f"message: tensor {name!r} needs a list of at most {MOST_AXES} axes")
    if not all(type(axis) is int and 0 <= axis <= LARGEST_AXIS for axis in shape):
        raise Corrupt(f"message: tensor {name!r} has an axis outside 0..{LARGEST_AXIS}")
    return TensorSpec(name, dtype, tuple(shape))


def parse_header(text: bytes) -> tuple[Kind, dict[str, str], list[TensorSpec]]:
    """Kind, words and tensors of a JSON header. Raises Corrupt or TooNew."""
    try:
        header = json.loads(text.decode())
    except (ValueError, RecursionError):
        raise Corrupt("message: the header is not JSON") from None
    if not isinstance(header, dict):
        raise Corrupt("message: the header is not an object")
    version = header.pop("version", None)
    if type(version) is not int or version < 1:
        raise Corrupt("message: no version")
    if version > VERSION:
        raise TooNew(f"message of protocol version {version}, this release speaks {VERSION}")
    try:
        kind = Kind(header.pop("kind", None))
    except ValueError:
        raise Corrupt(f"message: kind must be one of {', '.join(Kind)}") from None
    expected = {*WORDS[kind], "tensors"} if kind in WITH_TENSORS else {*WORDS[kind]}
    if set(header) != expected:
        raise Corrupt(f"message {kind}: fields {sorted(header)}, expected {sorted(expected)}"[:400])
    entries = header.pop("tensors", [])
    if not isinstance(entries, list) or len(entries) > MOST_TENSORS:
        raise Corrupt(f"message: tensors must be a list of at most {MOST_TENSORS}")
    if not all(isinstance(value, str) for value in header.values()):
        raise Corrupt(f"message {kind}: every field must be a text")
    tensors = [parse_tensor(entry) for entry in entries]
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise Corrupt("message: a tensor name appears twice")
    if sum(tensor.n_bytes for tensor in tensors) > LARGEST_PAYLOAD_BYTES:
        raise Corrupt(f"message: more than {LARGEST_PAYLOAD_BYTES} bytes of tensors")
    return kind, header, tensors


def read_message(take: Take) -> Message | None:
    """The next message, or None where the pipe ended between two. Raises Corrupt, Truncated or TooNew."""
    start = read_fully(take, START.size)
    if not start:
        return None
    if start[: len(MAGIC)] != MAGIC[: len(start)]:
        raise Corrupt(f"message begins with {start[:4]!r}, expected {MAGIC!r}")
    if len(start) != START.size:
        raise Truncated(f"message ends in its start: {len(start)} of {START.size} bytes")
    n_header = START.unpack(start)[1]
    if not 1 <= n_header <= LARGEST_HEADER_BYTES:
        raise Corrupt(f"message header of {n_header} bytes, allowed 1..{LARGEST_HEADER_BYTES}")
    kind, words, tensors = parse_header(read_exactly(take, n_header, "message header"))
    arrays = {}
    for tensor in tensors:
        data = read_exactly(take, tensor.n_bytes, f"message: tensor {tensor.name!r}")
        little = np.frombuffer(data, np.dtype(tensor.dtype).newbyteorder("<"))
        arrays[tensor.name] = little.astype(tensor.dtype).reshape(tensor.shape)
    return Message(kind, words, arrays)
