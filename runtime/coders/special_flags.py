"""Which samples of a line are special values: adaptive binary flags, by the range coder (docs/formats/stream.md).

A flag for each line says whether it has any; then one for each sample; then, of several values, which.
"""

from typing import Any

import numpy as np

from runtime.coders.flag_contexts import (
    FULL_SHARE,
    N_NEIGHBOURS,
    end_band,
    initial_flags,
    kind_context,
    learn,
    level_of,
    neighbours,
    share_of,
)
from runtime.coders.range_coder import (
    LOW,
    POSITION,
    SHARE_BITS,
    SPAN,
    initial_reader,
    initial_writer,
    last_bytes,
    place,
    put,
    take,
)
from runtime.errors import Truncated
from runtime.kernels.copied import copy_line
from runtime.kernels.kernel_cache import njit
from runtime.kernels.marks import Marks


@njit(cache=True, inline="always")
def put_flag(flag: Any, probabilities: Any, where: Any, low: Any, span: Any, position: Any, out: Any) -> Any:
    """Append a flag and learn from it; returns (low, span, position)."""
    share = share_of(probabilities, where)
    if flag:
        low, span, position = put(0, share, SHARE_BITS, low, span, position, out)
    else:
        low, span, position = put(share, FULL_SHARE - share, SHARE_BITS, low, span, position, out)
    learn(probabilities, where, flag)
    return low, span, position


@njit(cache=True, inline="always")
def take_flag(probabilities: Any, where: Any, code: Any, span: Any, position: Any, data: Any) -> Any:
    """Read a flag and learn from it; returns (flag, code, span, position)."""
    share = share_of(probabilities, where)
    flag = place(SHARE_BITS, code, span) < share
    if flag:
        code, span, position = take(0, share, SHARE_BITS, code, span, position, data)
    else:
        code, span, position = take(share, FULL_SHARE - share, SHARE_BITS, code, span, position, data)
    learn(probabilities, where, flag)
    return flag, code, span, position


@njit(cache=True)
def encode_flags(marks: Any, has_any: Any, had_any: Any, state: Any, coder: Any, out: Any) -> None:
    """Append a line (Z, X) to `out`, which has room for it. had_any: whether the line before had any."""
    low, span, position = coder[LOW], coder[SPAN], coder[POSITION]
    n_kinds = state.kinds.shape[0] // 4
    low, span, position = put_flag(has_any, state.lines, np.int64(had_any), low, span, position, out)
    if has_any:
        for z in range(marks.shape[0]):
            level = level_of(state.rates[z])
            for x in range(marks.shape[1]):
                where = N_NEIGHBOURS * level + neighbours(z, x, marks, state.before)
                mark = np.int64(marks[z, x])
                low, span, position = put_flag(mark != 0, state.flags, where, low, span, position, out)
                for kind in range(1, min(mark + 1, n_kinds)):
                    where = kind_context(kind, z, x, marks, state.before)
                    low, span, position = put_flag(mark == kind, state.kinds, where, low, span, position, out)
            end_band(z, marks, state)
    if has_any or had_any:
        copy_line(marks, state.before)
    coder[LOW], coder[SPAN], coder[POSITION] = low, span, position


@njit(cache=True)
def decode_flags(had_any: Any, state: Any, coder: Any, data: Any, out_marks: Any) -> Any:
    """Fill a line (Z, X) of zeros; whether it has any."""
    code, span, position = coder[LOW], coder[SPAN], coder[POSITION]
    n_kinds = state.kinds.shape[0] // 4
    has_any, code, span, position = take_flag(state.lines, np.int64(had_any), code, span, position, data)
    if has_any:
        for z in range(out_marks.shape[0]):
            level = level_of(state.rates[z])
            for x in range(out_marks.shape[1]):
                where = N_NEIGHBOURS * level + neighbours(z, x, out_marks, state.before)
                is_marked, code, span, position = take_flag(state.flags, where, code, span, position, data)
                if not is_marked:
                    continue
                mark = np.int64(1)
                while mark < n_kinds:
                    where = kind_context(mark, z, x, out_marks, state.before)
                    is_this, code, span, position = take_flag(state.kinds, where, code, span, position, data)
                    if is_this:
                        break
                    mark += 1
                out_marks[z, x] = mark
            end_band(z, out_marks, state)
    if has_any or had_any:
        copy_line(out_marks, state.before)
    coder[LOW], coder[SPAN], coder[POSITION] = code, span, position
    return has_any


def largest_flags(n_lines: int, n_bands: int, n_columns: int, n_specials: int) -> int:
    """Bytes that no payload of `FlagWriter` exceeds: 13 bits for each flag at the smallest share."""
    return (n_lines * (n_bands * n_columns * max(n_specials, 1) + 1) * 13 + 7) // 8 + 8


class FlagWriter:
    """The flags of one segment being written."""

    def __init__(self, n_bands: int, n_columns: int, n_specials: int) -> None:
        self.none = np.zeros((n_bands, n_columns), np.uint8)
        self.state = initial_flags(n_bands, n_columns, n_specials)
        self.room = largest_flags(1, n_bands, n_columns, n_specials)
        self.coder = initial_writer()
        self.buffer = np.empty(0, np.uint8)
        self.had_any = False
        self.has_marks = False
        """Whether any line had any."""
        self.n_waiting = 0
        """Last lines without any, which are coded when they must be: mostly never."""

    def push(self, marks: Marks | None) -> None:
        """Append a line (Z, X); None: it has none."""
        if marks is None:
            self.n_waiting += 1
            return
        self.code_waiting()
        self.code(marks)
        self.has_marks = True

    def code_waiting(self) -> None:
        """Code the lines that wait."""
        for _ in range(self.n_waiting):
            self.code(None)
        self.n_waiting = 0

    def code(self, marks: Marks | None) -> None:
        """Code a line."""
        position = int(self.coder[POSITION])
        room = 16 if marks is None else self.room
        if position + room > self.buffer.size:
            self.buffer = np.concatenate([self.buffer[:position], np.empty(position // 2 + room, np.uint8)])
        has_any = marks is not None
        line = self.none if marks is None else marks
        encode_flags(line, has_any, self.had_any, self.state, self.coder, self.buffer)
        self.had_any = has_any

    def payload(self) -> bytes:
        """The finished bytes."""
        self.code_waiting()
        return b"".join([self.buffer[: int(self.coder[POSITION])].data, last_bytes(self.coder)])


class FlagReader:
    """The flags of one segment being read."""

    def __init__(self, payload: bytes, n_bands: int, n_columns: int, n_specials: int) -> None:
        self.state = initial_flags(n_bands, n_columns, n_specials)
        self.data = np.frombuffer(payload, np.uint8)
        self.coder = initial_reader(self.data)
        self.had_any = False

    def take(self) -> Marks | None:
        """The next line (Z, X), None where it has none. Raises Truncated."""
        marks = np.zeros_like(self.state.before)
        self.had_any = bool(decode_flags(self.had_any, self.state, self.coder, self.data, marks))
        if self.coder[POSITION] > self.data.size:
            raise Truncated(f"flags of special values end after {self.data.size} bytes, their lines do not")
        return marks if self.had_any else None
