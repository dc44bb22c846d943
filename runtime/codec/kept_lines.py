"""A stream of a source that cannot be read again: what fails there costs no line that came before."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.codec.stream_encoder import StreamEncoder
from runtime.errors import BadArgument, Incomplete
from runtime.images.line_frame import RecordedLine

Line = npt.NDArray[np.integer[Any]] | RecordedLine
"""(Z, X), or such a line with its record."""


class KeptLines:
    """The bytes of a stream from header to end, in pieces, one for each line of a source, mostly empty.

    Where the source fails, ends within a line, or has a line that cannot be coded, the stream ends soundly after the
    line before, and `failure` says so once all pieces are taken.
    """

    def __init__(self, lines: Iterable[Line], encoder: StreamEncoder) -> None:
        self.lines, self.encoder = lines, encoder
        self.failure: Incomplete | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Raises BadArgument where no line came, or the source told how many will and can be read again."""
        yield self.encoder.header
        lines = iter(self.lines)
        while (line := self.next_line(lines)) is not None:
            try:
                piece = self.encoder.push(*line) if isinstance(line, RecordedLine) else self.encoder.push(line)
            except BadArgument as error:
                self.fail(error)
                break
            yield piece
        yield self.encoder.finish()

    def next_line(self, lines: Iterator[Line]) -> Line | None:
        """None at the end, or where the source failed."""
        try:
            return next(lines, None)
        except BadArgument as error:
            self.fail(error)
        except OSError as error:
            self.fail(BadArgument(f"input after {self.encoder.n_lines} lines: {error.strerror}"))
        return None

    def fail(self, error: BadArgument) -> None:
        """Note why the stream ends here, or raise the error where nothing would be lost by it."""
        n_lines = self.encoder.n_lines
        if n_lines == 0 or self.encoder.image.n_lines != 0:
            raise error
        self.failure = Incomplete(f"{error}; the {n_lines} lines before it are kept")
