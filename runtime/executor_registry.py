"""Executors by name: the built-in one, those of installed packages, or one that is named by its place."""

import importlib
import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.array_executor import ArrayExecutor
from runtime.errors import BadArgument

EXECUTOR_GROUP = "linerwkv.executors"
"""Entry points of this group are functions from the path of a flight package or ONNX file to an `ArrayExecutor`."""
ONNXRUNTIME = "onnxruntime"
BUILT_IN = {ONNXRUNTIME: "runtime.onnxruntime_arrays:onnxruntime_arrays"}


def executor_names() -> list[str]:
    """All names that `load_executor` knows here."""
    return sorted({*BUILT_IN, *(point.name for point in importlib.metadata.entry_points(group=EXECUTOR_GROUP))})


def load_executor(name: str, source: Path) -> ArrayExecutor:
    """An executor on a package or ONNX file; `name` is a known name, or `module:function`.

    Raises BadArgument where there is no such executor or its libraries are missing, and what the executor raises.
    """
    place = BUILT_IN.get(name, name)
    for point in importlib.metadata.entry_points(group=EXECUTOR_GROUP, name=name):
        place = point.value
    module, _, function = place.partition(":")
    if not function:
        raise BadArgument(f"executor {name!r} is not known; known: {', '.join(executor_names())}, or module:function")
    try:
        load: Callable[[Path], Any] = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise BadArgument(f"executor {name!r} does not load: {error}") from error
    except AttributeError:
        raise BadArgument(f"executor {name!r}: {module} has no {function}") from None
    executor: ArrayExecutor = load(source)
    return executor
