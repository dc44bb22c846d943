"""The target of a board file: its transport's class, made with what the file says of it."""

import importlib
import inspect
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hil_tests.board.board import LONGEST_S, Board
from hil_tests.targets.target import Target
from runtime.errors import BadArgument

CLASSES = {
    "local": ("hil_tests.targets.local", "LocalTarget"),
    "ssh": ("hil_tests.targets.ssh", "SshTarget"),
    "qemu": ("hil_tests.targets.qemu", "QemuTarget"),
    "labgrid": ("hil_tests.targets.labgrid", "LabgridTarget"),
}
"""Imported only where they are asked for: some need libraries of their own."""
OF_THE_BOARD = ("name", "label", "python", "processors", "variables")
"""Keys of a board file that a class gets where it takes them, and is not asked for where it does not."""


def make_target(board: Board, beside: Path) -> Target:
    """The target, not brought up. `beside`: a folder here for what a local target or a console keeps.

    Raises BadArgument for an option that the transport does not take, and what the class raises.
    """
    where = f"board file {board.path}: [{board.transport}]"
    module, name = CLASSES[board.transport]
    try:
        kind: Any = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise BadArgument(f"board file {board.path}: transport {board.transport} needs {error.name}") from None
    parameters = {
        key: parameter
        for key, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    hints = typing.get_type_hints(kind.__init__)
    given: dict[str, Any] = {
        key: getattr(board, key) for key in OF_THE_BOARD if key in parameters and getattr(board, key)
    }
    for key, value in board.options.items():
        if key not in parameters or key in OF_THE_BOARD:
            allowed = ", ".join(sorted(set(parameters) - set(OF_THE_BOARD)))
            raise BadArgument(f"{where}: key {key!r} is not known, allowed {allowed or 'none'}")
        given[key] = option(value, hints[key], board.path.parent, f"{where}: {key}")
    if board.transport == "local":
        given.setdefault("folder", beside / "target")
    if "console" in parameters:
        given.setdefault("console", beside / "console.log")
    missing = [key for key, one in parameters.items() if one.default is inspect.Parameter.empty and key not in given]
    if missing:
        raise BadArgument(f"{where}: key {missing[0]!r} is missing")
    target: Target = kind(**given)
    if target.label != board.label:
        raise BadArgument(
            f"board file {board.path}: label is {board.label!r}, transport {board.transport} allows {target.label!r}"
        )
    return target


def option(value: Any, hint: Any, folder: Path, where: str) -> Any:
    """A value of TOML as a parameter of this type takes it; a path is relative to the board file."""
    kinds = [typing.get_origin(kind) or kind for kind in (typing.get_args(hint) or (hint,))]
    if Path in kinds:
        if not isinstance(value, str) or not value:
            raise BadArgument(f"{where} is {value!r}, allowed a path")
        return folder / Path(value).expanduser()
    if typing.get_origin(hint) is Sequence:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise BadArgument(f"{where} is {value!r}, allowed a list of texts")
        return value
    scalars = [kind for kind in kinds if kind in (str, int, float, bool)]
    fits = any(type(value) is kind or (kind is float and type(value) is int) for kind in scalars)
    if not fits:
        raise BadArgument(f"{where} is {value!r}, allowed {' or '.join(kind.__name__ for kind in scalars)}")
    if float in kinds and not 0 < value <= LONGEST_S:  # they are seconds, all of them
        raise BadArgument(f"{where} is {value:g}, allowed more than 0, {LONGEST_S:g} at most")
    return value
