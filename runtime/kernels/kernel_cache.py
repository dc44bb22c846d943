"""`njit` with a cache that never serves the code of another source, and never ends a run.

Numba's own cache knows the file of a kernel, not those that it calls, and trusts what it reads. Here the folder is
named by a hash of all that the code is made of. What is torn, of another signature or not there is compiled again; what
cannot be written is compiled in each run, and one Notice says so. The folder lies in NUMBA_CACHE_DIR, else in the
user's cache folder, wherever the install lies (docs/porting.md).
"""

import contextlib
import functools
import hashlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np
from numba.core import config as numba_config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from typing_extensions import override

from runtime.errors import Notice, one_line
from runtime.kernels.cached_code import CheckedFiles, name_allocator
from runtime.kernels.compile_notice import compiled, compiling

config: Any = numba_config  # its values come from the environment by name
RUNTIME = Path(__file__).parents[1]
SOURCES = (".py", ".txt")
"""Code, and tables that become constants of kernels."""


def cache_base() -> Path:
    """The folder that the user gives to caches."""
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR).absolute()
    named, home = Path(os.environ.get("XDG_CACHE_HOME", "")), Path(os.path.expanduser("~"))  # noqa: PTH111  # raises never
    return (named if named.is_absolute() else Path("/") / home / ".cache") / "linerwkv"


@functools.cache
def cache_folder(package: Path = RUNTIME) -> Path:
    """Where kernels of this source (a folder, or a file) lie: the runtime's, the libraries' and the processor's too."""
    features = config.CPU_FEATURES
    made_by = [
        numba.__version__, llvmlite.__version__, np.__version__,
        config.CPU_NAME or llvmlite.binding.get_host_cpu_name(),
        llvmlite.binding.get_host_cpu_features().flatten() if features is None else features,
        config.OPT, config.BOUNDSCHECK, config.LOOP_VECTORIZE, config.SLP_VECTORIZE,
    ]  # fmt: skip
    digest = hashlib.sha256(repr(made_by).encode())
    for root in {RUNTIME: None, package: None}:
        files = [path for path in root.rglob("*") if path.suffix in SOURCES] if root.is_dir() else [root]
        for path in sorted(files):
            digest.update(f"{path.relative_to(root)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return cache_base() / f"kernels-{digest.hexdigest()[:20]}"


@functools.cache
def tell_once(text: str) -> None:
    """Warn with a Notice; later calls with the same text are silent."""
    warnings.warn(Notice(text), stacklevel=2)


class KernelPlace(_CacheLocator):
    """The folder of a kernel's module in `cache_folder`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.code, self.module = function.__code__, function.__module__
        file = Path(self.code.co_filename)
        n_folders = self.module.count(".")
        self.folder = cache_folder(file.parents[n_folders - 1] if n_folders else file)

    @override
    def get_cache_path(self) -> str:
        return str(self.folder / self.module)

    @override
    def get_source_stamp(self) -> str:
        return self.folder.name

    @override
    def get_disambiguator(self) -> str:
        return str(self.code.co_firstlineno)


class PlacedKernels(CompileResultCacheImpl):
    """How a kernel is stored, and in which files."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = KernelPlace(function)
        self._filename_base = self.get_filename_base(function.__qualname__, "")


class KernelCache(FunctionCache):
    """What `njit(cache=True)` has in place of Numba's cache."""

    _impl_class = PlacedKernels

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = CheckedFiles(
            self.cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    @override
    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = self.found(sig, target_context)
        if found is None:
            compiling()
        return found

    def found(self, sig: Any, target_context: Any) -> Any:
        """What is kept for a signature; None where nothing sound is."""
        try:
            name_allocator()
            found = self._load_overload(sig, target_context)
        except Exception:  # what is torn raises anything
            with contextlib.suppress(OSError):
                Path(self._cache_file._index_path).unlink()
            return None
        # two processes that save at once may leave an index that names the other's file
        return found if found is not None and tuple(found.signature.args) == tuple(sig) else None

    @override
    def save_overload(self, sig: Any, data: Any) -> None:
        compiled()
        try:
            super().save_overload(sig, data)
        except Exception as error:  # a cache is never worth a run
            reason = getattr(error, "strerror", None) or one_line(error)
            found = f"kernel cache {self._impl.locator.folder} cannot be written: {reason}"
            tell_once(f"{found}; kernels are compiled in each run (NUMBA_CACHE_DIR names another folder)")


def njit(*, cache: bool = False, **options: Any) -> Any:
    """`numba.njit` without Python's lock; with `cache`, compiled code is kept as this module says.

    Every kernel is compiled by it, so that lines are coded on as many threads as there are cores.
    """
    made = numba.njit(nogil=True, **options)

    def decorated(function: Callable[..., Any]) -> Any:
        kernel: Any = made(function)
        if cache and not config.DISABLE_JIT:
            kernel._cache = KernelCache(function)
        return kernel

    return decorated
