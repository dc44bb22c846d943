"""The shipped package, as an int8 one; no test of faults leaves a thread."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.cell.flight_package import IntegerPackage


@pytest.fixture
def int8(package: Any) -> IntegerPackage:
    assert isinstance(package, IntegerPackage)
    return package


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before
