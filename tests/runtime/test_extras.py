"""A library that is not installed is named with the extra that brings it."""

import importlib

import pytest

from runtime.errors import BadArgument
from runtime.extras import needed_for


def test_a_missing_library_is_named_with_its_extra() -> None:
    with (
        pytest.raises(BadArgument, match=r"^a picture needs no_such_library, install linerwkv\[ground\]$"),
        needed_for("a picture", "ground"),
    ):
        importlib.import_module("no_such_library.of_pictures")


def test_a_library_that_does_not_load_says_why() -> None:
    with (
        pytest.raises(BadArgument, match=r"^a picture: libexpat\.so\.1: no such file$"),
        needed_for("a picture", "ground"),
    ):
        raise ImportError("libexpat.so.1: no such file")


def test_what_is_there_is_imported() -> None:
    with needed_for("arithmetic", "ground"):
        module = importlib.import_module("decimal")
    assert module.Decimal(1) == 1
