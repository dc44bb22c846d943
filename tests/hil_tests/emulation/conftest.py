"""Fixtures of the files that run int8_elsewhere.py."""

from tests.hil_tests.emulation.int8_elsewhere import made, trusted

__all__ = ["made", "trusted"]
