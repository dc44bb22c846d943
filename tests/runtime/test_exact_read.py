"""Bytes that come in pieces are all read, and an end within them is said."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import Truncated
from runtime.exact_read import CHUNK_BYTES, read_exactly, read_fully


def in_pieces(data: bytes, sizes: list[int]) -> Callable[[int], bytes]:
    """A pipe that gives at most so many bytes a call, in turn."""
    file, turns = io.BytesIO(data), iter(sizes)
    return lambda n_bytes: file.read(min(n_bytes, next(turns, n_bytes)))


@given(st.binary(max_size=60), st.lists(st.integers(1, 9)), st.integers(0, 80))
def test_pieces_of_any_size(data: bytes, sizes: list[int], n_bytes: int) -> None:
    assert read_fully(in_pieces(data, sizes), n_bytes) == data[:n_bytes]
    if n_bytes <= len(data):
        assert read_exactly(in_pieces(data, sizes), n_bytes, "message") == data[:n_bytes]
    else:
        with pytest.raises(Truncated, match=f"message: ends after {len(data)} of {n_bytes} bytes"):
            read_exactly(in_pieces(data, sizes), n_bytes, "message")


def test_an_absurd_length_asks_for_chunks() -> None:
    asked: list[int] = []

    def take(n_bytes: int) -> bytes:
        asked.append(n_bytes)
        return b"x" if len(asked) == 1 else b""

    with pytest.raises(Truncated, match=f"ends after 1 of {1 << 60} bytes"):
        read_exactly(take, 1 << 60, "stream")
    assert max(asked) == CHUNK_BYTES
