"""The reader of tables: a dataclass, or one line with file, key, what was found and what is allowed."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Meta

from runtime.checked_table import AtLeast1, Text, checked_arguments, checked_table, json_table, read_toml, toml_table
from runtime.errors import BadArgument


@dataclass(frozen=True)
class Part:
    size: AtLeast1
    """A whole number."""
    share: Annotated[float, Meta(gt=0, le=1)] = 0.5

    def __post_init__(self) -> None:
        if self.share * self.size > 4:
            raise BadArgument(f"share: found {self.share}, allowed at most 4 by size")


@dataclass(frozen=True)
class Whole:
    name: Text
    part: Part
    parts: list[Part] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    form: Literal["a", "b"] | None = None
    place: Path | None = None
    is_on: bool = False
    more: dict[str, Any] = field(default_factory=dict)


GOOD: dict[str, Any] = {
    "name": "x", "part": {"size": 2}, "parts": [{"size": 1, "share": 1}], "words": ["a*"],
    "rates": {"é b": 1, "c": 0.5},
    "form": "a", "place": "here", "is_on": True, "more": {"a": [1, None, {"b": 1.5}]},
}  # fmt: skip


def test_every_value_arrives_in_its_kind() -> None:
    whole = checked_table(Whole, GOOD, "f.toml")
    assert whole == Whole(
        "x", Part(2), [Part(1, 1.0)], ["a*"], {"é b": 1.0, "c": 0.5}, "a", Path("here"), True,
        {"a": [1, None, {"b": 1.5}]},
    )  # fmt: skip
    assert isinstance(whole.rates["é b"], float) and isinstance(whole.parts[0].share, float)
    assert checked_table(Whole, {"name": "x", "part": {"size": 1}}, "f.toml") == Whole("x", Part(1))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"name": ""}, 'key name: found "", allowed text of length at least 1'),
        ({"name": 3}, "key name: found 3, allowed text of length at least 1"),
        ({"part": None}, "key part: found null, allowed table"),
        ({"part": {}}, "key part.size: found nothing, allowed int at least 1"),
        ({"part": {"size": 0}}, "key part.size: found 0, allowed int at least 1"),
        ({"part": {"size": True}}, "key part.size: found true, allowed int at least 1"),
        ({"part": {"size": 2.0}}, "key part.size: found 2.0, allowed int at least 1"),
        ({"part": {"size": "2"}}, 'key part.size: found "2", allowed int at least 1'),
        ({"part": {"size": 1 << 70}}, "key part.size: found an int of 71 bits, allowed int of 64 bits"),
        ({"part": {"size": 1, "sise": 1}}, "key part.sise: not known, allowed size, share"),
        ({"part": {"size": 1, "share": 0}}, "key part.share: found 0, allowed finite number above 0, at most 1"),
        ({"part": {"size": 9}}, "key part.share: found 0.5, allowed at most 4 by size"),
        ({"parts": [{"size": 1}, {"size": 5, "share": 1}]}, "key parts[1].share: found 1.0, allowed at most 4 by size"),
        ({"parts": {"size": 1}}, 'key parts: found {"size": 1}, allowed list of table'),
        ({"words": "a*"}, 'key words: found "a*", allowed list of text'),
        ({"words": ["a", 1]}, "key words[1]: found 1, allowed text"),
        ({"rates": {"a.b": math.nan}}, 'key rates."a.b": found NaN, allowed finite number'),
        ({"rates": {"a": -math.inf}}, "key rates.a: found -Infinity, allowed finite number"),
        ({"rates": {"a": "1"}}, 'key rates.a: found "1", allowed finite number'),
        ({"form": "c"}, 'key form: found "c", allowed "a", "b" or null'),
        ({"place": ""}, 'key place: found "", allowed path or null'),
        ({"is_on": "false"}, 'key is_on: found "false", allowed true or false'),
        ({"is_on": 0}, "key is_on: found 0, allowed true or false"),
        ({"more": {"a": [math.inf]}}, "key more.a[0]: found Infinity, allowed finite number"),
        ({"more": {"a": "\0"}}, 'key more.a: found "\\u0000", allowed text without zero bytes'),
        ({"a\nb": 1}, 'key "a\\nb": not known, allowed name, part, parts, words, rates, form, place, is_on, more'),
        ({"words": "x" * 100}, f'key words: found "{"x" * 56}..., allowed list of text'),
    ],
)
def test_a_wrong_value_is_one_line(change: dict[str, Any], line: str) -> None:
    with pytest.raises(BadArgument) as caught:
        checked_table(Whole, GOOD | change, "f.toml")
    assert str(caught.value) == f"f.toml: {line}"


def test_nested_too_deeply_is_one_line() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BadArgument, match="nested too deeply"):
        checked_table(Whole, GOOD | {"more": {"a": deep}}, "f.toml")


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*GOOD, "other"]), VALUES, max_size=2))
def test_any_change_makes_a_dataclass_of_the_same_values_or_one_line(change: dict[str, Any]) -> None:
    try:
        found = checked_table(Whole, GOOD | change, "f.toml")
    except BadArgument as error:
        assert str(error).startswith("f.toml: key ") and str(error).isprintable()
        return
    for name, value in change.items():
        if name not in ("part", "parts", "place"):
            assert getattr(found, name) == value
            assert type(getattr(found, name)) is type(value)


@dataclass(frozen=True)
class Inner:
    port: Annotated[int, Meta(ge=1)]


@dataclass(frozen=True)
class Outer:
    inner: Inner | None = None
    several: list[Inner] = field(default_factory=list)


def test_the_key_of_a_table_that_may_be_left_out_is_named() -> None:
    assert checked_table(Outer, {"inner": {"port": 3}}, "f.toml") == Outer(Inner(3))
    assert checked_table(Outer, {"inner": None}, "f.toml") == Outer()
    with pytest.raises(BadArgument, match=r"^f.toml: key inner\.port: found 0, allowed int at least 1$"):
        checked_table(Outer, {"inner": {"port": 0}}, "f.toml")
    with pytest.raises(BadArgument, match=r"^f.toml: key several: found "):
        checked_table(Outer, {"several": {"port": 1}}, "f.toml")


def labelled(name: Text, *, rails: Sequence[Text] = (), label: str = "") -> str:
    return name + "".join(rails) + label


def test_arguments_of_a_function_are_read_by_the_same_rules() -> None:
    assert checked_arguments(labelled, {"rails": ["a"]}, "f.toml", without=["name"]) == {"rails": ["a"]}
    assert checked_table(labelled, {"rails": ["a"]}, "f.toml", name="x") == "xa"
    with pytest.raises(BadArgument, match=r"^f.toml: key at\.name: not known, allowed rails, label$"):
        checked_table(labelled, {"name": "y"}, "f.toml", "at", name="x")
    with pytest.raises(BadArgument, match=r"^f.toml: found 3, allowed table$"):
        checked_table(labelled, 3, "f.toml")


def test_what_is_no_toml_and_no_json_is_one_line(tmp_path: Path) -> None:
    for text in ("a = ", "a = " + "[" * 5000, "a = 1\na = 2"):
        with pytest.raises(BadArgument, match=r"^f.toml: not TOML: [^\n]+$"):
            toml_table(text.encode(), "f.toml")
    with pytest.raises(BadArgument, match=r"^f.toml: not TOML: "):
        toml_table(b"a = '\xff'", "f.toml")
    for text in ("{", '{"a": NaN}', "[" * 100_000):
        with pytest.raises(BadArgument, match=r"^job: not JSON: [^\n]+$"):
            json_table(text, "job")
    with pytest.raises(BadArgument, match=r"^job: found \[1\], allowed table$"):
        json_table("[1]", "job")
    assert json_table(json.dumps({"a": [1, None]}), "job") == {"a": [1, None]}
    with pytest.raises(BadArgument, match=r"^none: No such file or directory$"):
        read_toml(tmp_path / "none.toml", "none")
