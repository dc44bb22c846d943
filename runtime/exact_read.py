"""Exactly N bytes of a file or pipe, which may give them in pieces."""

from collections.abc import Callable

from runtime.errors import Truncated

CHUNK_BYTES = 1 << 20
Take = Callable[[int], bytes]
"""Reads at most that many bytes, none only at the end."""


def read_fully(take: Take, n_bytes: int, chunk_bytes: int = CHUNK_BYTES) -> bytes:
    """`n_bytes`, fewer only at the end; asked for in chunks, so that an absurd number allocates nothing.

    chunk_bytes: larger where the number is known to be sound, and each chunk is a request to a server.
    """
    parts: list[bytes] = []
    missing = n_bytes
    while missing and (part := take(min(missing, chunk_bytes))):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def read_exactly(take: Take, n_bytes: int, what: str) -> bytes:
    """`n_bytes`, no fewer. Raises Truncated, which names `what`."""
    data = read_fully(take, n_bytes)
    if len(data) < n_bytes:
        raise Truncated(f"{what}: ends after {len(data)} of {n_bytes} bytes")
    return data
