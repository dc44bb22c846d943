"""Files of compiled code: each with its sha256 behind it, read without starting Numba's compiler.

Numba's own way starts it for what it can be told at once here: where its memory functions are, and the constants that
code reads. That takes 0.2 s and 35 MiB (benchmarks/results/start.md).
"""

import contextlib
import functools
import hashlib
import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding
from numba.core.caching import IndexDataCacheFile
from numba.core.environment import Environment, _rebuild_env, lookup_environment
from numba.core.runtime import _nrt_python  # type: ignore[attr-defined]
from typing_extensions import override

from runtime.errors import Corrupt

SHA256_BYTES = 32


@functools.cache
def name_allocator() -> None:
    """Tell the linker where Numba's functions for the memory of arrays are."""
    for name, address in _nrt_python.c_helpers.items():
        llvmlite.binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


class KernelUnpickler(pickle.Unpickler):
    """Numba's pickles, without imports of the modules that inlined code comes from: most of them are the compiler's."""

    @override
    def find_class(self, module: str, name: str) -> Any:
        return rebuilt_environment if name == _rebuild_env.__name__ else super().find_class(module, name)


def rebuilt_environment(module: str, constants: list[Any], name: str) -> Environment:
    """What compiled code reads its constants from."""
    found: Environment | None = lookup_environment(name)
    if found is None:
        found = Environment({"__name__": module})
        found.consts[:], found.env_name = constants, name
        Environment._memo[name] = found
    return found


class CheckedFiles(IndexDataCacheFile):
    """The files of a kernel, each with its sha256 behind it, where a pickle has ended."""

    @override
    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        with super()._open_for_write(filepath) as file:
            written = io.BytesIO()
            yield written
            file.write(written.getvalue() + hashlib.sha256(written.getvalue()).digest())

    @override
    def _load_index(self) -> Any:
        check(self._index_path)
        return super()._load_index()

    @override
    def _load_data(self, name: str) -> Any:
        check(self._data_path(name))
        return KernelUnpickler(io.BytesIO(Path(self._data_path(name)).read_bytes())).load()


def check(path: str) -> None:
    """Raise Corrupt for a file that is there and is not as it was written."""
    with contextlib.suppress(FileNotFoundError):
        data = Path(path).read_bytes()
        if hashlib.sha256(data[:-SHA256_BYTES]).digest() != data[-SHA256_BYTES:]:
            raise Corrupt(f"{path} has another sha256 than it was written with")
