"""The 16 low-entropy codes of the hybrid coder as arrays for kernels (5.4.3.3.3.3, annex B).

The active prefixes of a code are the inner nodes of a tree, its input codewords the leaves. The decoder runs
backwards: it leaves a node towards the parent where the encoder came from, so both hold the same node after the
same sample. Output words and flush words are suffix-free and are looked up from their last bit.
"""

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int32Array = npt.NDArray[np.int32]
Words = dict[tuple[int, ...], tuple[int, int]]  # Output word (value, number of bits) of each input sequence

N_CODES = 16
DIGITS = "0123456789ABC"
N_SYMBOLS = len(DIGITS) + 1


class LowEntropyCode(NamedTuple):
    """One code as it stands in the file."""

    limit: int  # L_i; the escape symbol X is L_i + 1
    threshold: int  # T_i
    code: Words
    flush: Words


class LowEntropyTables(NamedTuple):
    """All codes; nodes and words are numbered through all of them."""

    limit: Int32Array  # L_i, (16,)
    threshold: Int32Array  # T_i, (16,)
    root: Int32Array  # Node of the empty prefix, (16,)
    child: Int32Array  # (nodes, symbols): the node after a symbol, or -1 - word where an input codeword is complete
    node_parent: Int32Array  # (nodes,): the node before the last symbol; a root is its own
    node_symbol: Int32Array  # (nodes,): the last symbol of the prefix
    flush_value: Int32Array  # (nodes,)
    flush_bits: Int32Array  # (nodes,)
    word_value: Int32Array  # (words,)
    word_bits: Int32Array  # (words,)
    word_parent: Int32Array  # (words,): the node before the last symbol of the input codeword
    word_symbol: Int32Array  # (words,): that last symbol
    word_suffix: Int32Array  # (16,): root of the suffix tree of a code's output words
    flush_suffix: Int32Array  # (16,): root of the suffix tree of a code's flush words
    suffix_child: Int32Array  # (suffixes, 2): the suffix with one more bit in front, or -1 - word or node


def read_codes() -> list[LowEntropyCode]:
    """The codes of the package's data file."""
    codes: list[LowEntropyCode] = []
    text = files("runtime.ccsds123").joinpath("low_entropy_codes.txt").read_text("ascii")
    for line in text.splitlines():
        kind, *rest = line.split()
        if kind == "table":
            codes.append(LowEntropyCode(int(rest[1]), int(rest[2]), {}, {}))
        elif kind in ("code", "flush"):
            n_bits, _, value = rest[1].partition(":")
            words = codes[-1].code if kind == "code" else codes[-1].flush
            words[symbols_of(rest[0], codes[-1].limit)] = (int(value, 16), int(n_bits))
    return codes


def symbols_of(text: str, limit: int) -> tuple[int, ...]:
    """Input symbols as numbers: digits, X as `limit` + 1, s{n} for n times s, - for none."""
    spelled = re.sub(r"(.)\{(\d+)\}", lambda match: match[1] * int(match[2]), text.replace("-", ""))
    return tuple(limit + 1 if symbol == "X" else DIGITS.index(symbol) for symbol in spelled)


@cache
def low_entropy_tables() -> LowEntropyTables:
    """The arrays of all codes; made once."""
    codes = read_codes()
    child: list[list[int]] = []
    node_parent, node_symbol, node_flush = [], [], []
    words: list[tuple[int, int]] = []
    word_parent, word_symbol = [], []
    suffix_child: list[list[int]] = []
    roots, word_suffixes, flush_suffixes = [], [], []
    for code in codes:
        nodes = {}
        for prefix in sorted(code.flush, key=len):
            nodes[prefix] = len(child)
            child.append([0] * N_SYMBOLS)
            node_parent.append(nodes[prefix[:-1]])
            node_symbol.append(prefix[-1] if prefix else 0)
            node_flush.append(code.flush[prefix])
            if prefix:
                child[nodes[prefix[:-1]]][prefix[-1]] = nodes[prefix]
        first_word = len(words)
        for sequence, word in code.code.items():
            child[nodes[sequence[:-1]]][sequence[-1]] = -1 - len(words)
            words.append(word)
            word_parent.append(nodes[sequence[:-1]])
            word_symbol.append(sequence[-1])
        roots.append(nodes[()])
        word_suffixes.append(add_suffixes(suffix_child, dict(enumerate(words[first_word:], first_word))))
        flush_suffixes.append(add_suffixes(suffix_child, {node: node_flush[node] for node in nodes.values()}))
    columns = [
        [code.limit for code in codes], [code.threshold for code in codes], roots, child, node_parent, node_symbol,
        [value for value, _ in node_flush], [n_bits for _, n_bits in node_flush],
        [value for value, _ in words], [n_bits for _, n_bits in words], word_parent, word_symbol,
        word_suffixes, flush_suffixes, suffix_child,
    ]  # fmt: skip
    return LowEntropyTables(*(np.array(column, np.int32) for column in columns))


def add_suffixes(suffix_child: list[list[int]], words: dict[int, tuple[int, int]]) -> int:
    """Append the suffix tree of `words` (by number) to `suffix_child`; returns its root."""
    root = len(suffix_child)
    suffix_child.append([0, 0])
    for number, (value, n_bits) in words.items():
        at = root
        for i in range(n_bits - 1):
            bit = (value >> i) & 1
            if suffix_child[at][bit] == 0:
                suffix_child[at][bit] = len(suffix_child)
                suffix_child.append([0, 0])
            at = suffix_child[at][bit]
        suffix_child[at][(value >> (n_bits - 1)) & 1] = -1 - number
    return root
