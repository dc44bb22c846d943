"""Messages of the executor protocol: what is written comes back, and no bytes whatever do harm."""

import io
import json

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadArgument, Corrupt, LineRwkvError, TooNew, Truncated
from runtime.executors.array_executor import AnyArray
from runtime.executors.executor_frames import (
    DTYPES,
    LARGEST_HEADER_BYTES,
    MAGIC,
    MOST_AXES,
    START,
    Kind,
    Message,
    read_message,
)

NAMES = st.text(min_size=1, max_size=12)
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(np.dtype(dtype), hnp.array_shapes(min_dims=0, max_dims=MOST_AXES, min_side=0, max_side=3))
)
MESSAGE = Message(Kind.STEP, {}, {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "y": np.array(-7, np.int8)})


def read(data: bytes) -> Message | None:
    return read_message(io.BytesIO(data).read)


def frame(header: object, payload: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return START.pack(MAGIC, len(text)) + text + payload


def tensor(**changes: object) -> dict[str, object]:
    entry = {"name": "x", "dtype": "uint8", "shape": [2], **changes}
    return {"version": 1, "kind": "step", "tensors": [entry]}


@given(st.dictionaries(NAMES, ARRAYS, max_size=4), st.sampled_from([Kind.STEP, Kind.ANSWER]))
def test_arrays_come_back_bit_for_bit(arrays: dict[str, AnyArray], kind: Kind) -> None:
    data = Message(kind, {}, arrays).to_bytes()
    pipe = io.BytesIO(data + data)
    for _ in range(2):
        back = read_message(pipe.read)
        assert back is not None
        assert back.kind is kind
        assert list(back.arrays) == list(arrays)
        for name, values in arrays.items():
            assert back.arrays[name].dtype == values.dtype
            assert back.arrays[name].shape == values.shape
            assert back.arrays[name].tobytes() == values.tobytes()
    assert read_message(pipe.read) is None


@given(st.text(), st.text(), st.text())
def test_words_come_back(executor: str, provider: str, sha256: str) -> None:
    words = {"executor": executor, "provider": provider, "sha256": sha256}
    try:
        data = Message(Kind.HELLO, words).to_bytes()
    except BadArgument:
        assert len(json.dumps(words)) > LARGEST_HEADER_BYTES - 100
        return
    assert read(data) == Message(Kind.HELLO, words)


def test_big_endian_and_strided_arrays_go_over_as_their_values() -> None:
    values = np.arange(12, dtype=">i4").reshape(3, 4)[:, ::2]
    back = read(Message(Kind.STEP, {}, {"x": values}).to_bytes())
    assert back is not None
    assert back.arrays["x"].dtype == np.int32
    np.testing.assert_array_equal(back.arrays["x"], values)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_message_or_an_error_of_ours(data: bytes) -> None:
    for hostile in (data, MAGIC + data, frame(data)):
        try:
            read(hostile)
        except LineRwkvError as error:
            assert "\n" not in str(error)


@given(st.integers(0, len(MESSAGE.to_bytes()) - 1), st.integers(1, 255))
def test_a_changed_byte_gives_a_message_or_an_error_of_ours(position: int, change: int) -> None:
    data = bytearray(MESSAGE.to_bytes())
    data[position] ^= change
    try:
        read(bytes(data))
    except LineRwkvError as error:
        assert "\n" not in str(error)


@given(st.integers(1, len(MESSAGE.to_bytes()) - 1))
def test_a_message_that_ends_early_is_truncated(n_bytes: int) -> None:
    with pytest.raises(Truncated):
        read(MESSAGE.to_bytes()[:n_bytes])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"Warning: libfoo is old\n", "begins with b'Warn'"),
        (START.pack(MAGIC, 0), "header of 0 bytes"),
        (START.pack(MAGIC, LARGEST_HEADER_BYTES + 1), "allowed 1..65536"),
        (frame(b"\xff\xfe"), "not JSON"),
        (frame(b"[" * 60000), "not JSON"),
        (frame(b"9" * 5000), "not JSON"),
        (frame([]), "not an object"),
        (frame({"kind": "step"}), "no version"),
        (frame({"version": True, "kind": "step"}), "no version"),
        (frame({"version": 1, "kind": ["step"]}), "kind must be"),
        (frame({"version": 1, "kind": "step"}), "fields"),
        (frame({"version": 1, "kind": "hello", "executor": 1, "provider": "", "sha256": ""}), "must be a text"),
        (frame({"version": 1, "kind": "step", "tensors": 5}), "list of at most"),
        (frame({"version": 1, "kind": "step", "tensors": [7]}), "described by"),
        (frame(tensor(name="")), "1 to 256 characters"),
        (frame(tensor(dtype="object")), "dtype 'object'"),
        (frame(tensor(dtype=["uint8"])), "dtype"),
        (frame(tensor(shape=2)), "at most 8 axes"),
        (frame(tensor(shape=[1] * 9)), "at most 8 axes"),
        (frame(tensor(shape=[-1])), "outside"),
        (frame(tensor(shape=[True])), "outside"),
        (frame(tensor(shape=[2.0])), "outside"),
        (frame(tensor(shape=[1 << 31])), "outside"),
        (frame(tensor(shape=[(1 << 31) - 1] * 8)), "more than 1073741824 bytes"),
        (frame(tensor(shape=[(1 << 30) + 1])), "more than 1073741824 bytes"),
        (frame({**tensor(), "tensors": 2 * tensor()["tensors"]}), "appears twice"),  # type: ignore[operator]  # a list
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_named(data: bytes, what: str) -> None:
    with pytest.raises(Corrupt) as caught:
        read(data)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_newer_protocol_is_too_new() -> None:
    with pytest.raises(TooNew, match="version 2"):
        read(frame({"version": 2, "kind": "step", "anything": 1}))


@pytest.mark.parametrize("values", [np.array([True]), np.array(["a"]), np.array([None]), np.zeros((1,) * 9, np.int8)])
def test_arrays_that_do_not_fit_are_a_bad_argument(values: AnyArray) -> None:
    with pytest.raises(BadArgument):
        Message(Kind.STEP, {}, {"x": values}).to_bytes()
