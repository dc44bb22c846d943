"""What can go wrong with a stream, a package, an argument or an executor."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


class LineRwkvError(Exception):
    """Base of every error that a caller can act on: one line of what was found, what is allowed, and where."""


class BadArgument(LineRwkvError):
    """The caller asked for something outside the allowed range, or gave unusable input."""


class Incomplete(LineRwkvError):
    """What was written is whole and sound, but lacks a part of what was given; commands end with exit code 1."""


class Corrupt(LineRwkvError):
    """Stored bytes contradict themselves or their checksum."""


class Foreign(Corrupt):
    """Stored bytes are of another kind of file from the first one on: nothing of them can be given back."""


class Truncated(LineRwkvError):
    """Stored bytes end before the structure that they announce."""


class TooNew(LineRwkvError):
    """Stored bytes follow a format version that this release does not know."""


class ExecutorFailed(LineRwkvError):
    """What runs the cell died, did not answer in time, or answered nonsense."""


class Notice(UserWarning):
    """What a user should know and what ends nothing: one line."""


@contextlib.contextmanager
def naming(path: Path, *also: type[LineRwkvError]) -> Iterator[None]:
    """Name the file of whose bytes something is wrong, which what reads bytes does not know; also in other errors."""
    try:
        yield
    except LineRwkvError as error:
        if not isinstance(error, (Corrupt, Truncated, TooNew, *also)):
            raise
        raise type(error)(f"{path}: {error}") from error


def one_line(error: BaseException) -> str:
    """The text of a library's error on one line."""
    return " ".join(str(error).split()) or type(error).__name__
