"""The target of a board file: its transport's class, made with what the file says of it."""

import importlib
import inspect
from pathlib import Path
from typing import Any

from hil_tests.board.board import Board, board_file
from hil_tests.targets.target import Target
from runtime.checked_table import checked_arguments, shown, wrong
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
    where = board_file(board.path)
    module, name = CLASSES[board.transport]
    try:
        kind: Any = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise BadArgument(f"{where}: transport {board.transport} needs {error.name}") from None
    taken = inspect.signature(kind).parameters
    defaults = {"local": {"folder": str(beside.absolute() / "target")}}.get(board.transport, {})
    if "console" in taken:
        defaults["console"] = str(beside.absolute() / "console.log")
    options = {**defaults, **board.options}
    values = checked_arguments(kind, options, where, board.transport, without=OF_THE_BOARD)
    paths = {key: board.path.parent / one.expanduser() for key, one in values.items() if isinstance(one, Path)}
    of_the_board = {key: getattr(board, key) for key in OF_THE_BOARD if key in taken and getattr(board, key)}
    try:
        target: Target = kind(**values | paths | of_the_board)
    except BadArgument as error:
        raise BadArgument(f"{where}: {error}") from None
    if target.label != board.label:
        raise wrong(where, "label", board.label, f"{shown(target.label)} with transport {board.transport}")
    return target
