"""Executors by name: the built-in one, those of installed packages, or one that is named by its place."""

import importlib
import importlib.metadata
import inspect
from collections.abc import Callable
from pathlib import Path

from runtime.errors import BadArgument
from runtime.executors.array_executor import ArrayExecutor

EXECUTOR_GROUP = "linerwkv.executors"
"""Entry points of this group are functions from the path of a flight package or ONNX file to an `ArrayExecutor`; those
with a second parameter take a provider of ONNX Runtime (runtime/executors/provider.py)."""
ONNXRUNTIME = "onnxruntime"
BUILT_IN = {ONNXRUNTIME: "runtime.executors.onnxruntime_arrays:onnxruntime_arrays"}


def known_places() -> dict[str, str]:
    """The functions behind all names that are known here, as `module:function`."""
    points = importlib.metadata.entry_points(group=EXECUTOR_GROUP)
    return {**BUILT_IN, **{point.name: point.value for point in points}}


def executor_names() -> list[str]:
    """All names that `load_executor` knows here."""
    return sorted(known_places())


def load_executor(name: str, source: Path) -> ArrayExecutor:
    """An executor on a package or ONNX file; `name` is a known name or `module:function`, alone or with `:provider`.

    Raises BadArgument where there is no such executor or its libraries are missing, and what the executor raises.
    """
    known, _, provider = name.partition(":")
    place = known_places().get(known)
    module, _, function = (place or name).partition(":")
    if place is None:
        function, _, provider = function.partition(":")
    if not function:
        raise BadArgument(f"executor {name!r} is not known; known: {', '.join(executor_names())}, or module:function")
    try:
        load: Callable[..., ArrayExecutor] = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise BadArgument(f"executor {name!r} does not load: {error}") from error
    except AttributeError:
        raise BadArgument(f"executor {name!r}: {module} has no {function}") from None
    if not provider:
        return load(source)
    if len(inspect.signature(load).parameters) < 2:
        raise BadArgument(f"executor {name!r} takes no provider")
    return load(source, provider)
