"""The memory of the recorder: how much it may take, and that none of it is swapped out."""

import ctypes
import os
import resource
from dataclasses import dataclass

from runtime.checked_table import AtLeast1
from runtime.errors import BadArgument
from runtime.process_memory import status_mib

CURRENT, FUTURE = 1, 2  # of Linux, mlockall(2)
MIB = 1 << 20


@dataclass(frozen=True)
class MemoryTable:
    """What holds for the whole program."""

    locked: bool = False  # All of it stays in memory, what is loaded and what comes
    limit_mib: AtLeast1 | None = None  # Of data: heap, stacks, private maps that may be written; once forms are loaded


def control_memory(table: MemoryTable) -> None:
    """Called once, when all forms are loaded. Raises BadArgument: the limit is too small, the system refuses."""
    if table.limit_mib is not None:
        limit_data(table.limit_mib)
    if table.locked:
        lock_memory()


def limit_data(limit_mib: int) -> None:
    """Let the program have so much data and no more: what asks for more gets a MemoryError. Raises BadArgument."""
    held = status_mib("VmData") or 0.0
    if limit_mib <= held:
        raise BadArgument(f"memory.limit_mib: found {limit_mib}, allowed more than the {held:.0f} of the loaded forms")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY and limit_mib * MIB > hard:
        raise BadArgument(f"memory.limit_mib: found {limit_mib}, allowed {hard // MIB} here (LimitDATA)")
    resource.setrlimit(resource.RLIMIT_DATA, (limit_mib * MIB, hard))


def lock_memory() -> None:
    """Keep what is loaded, and all that comes, in memory. Raises BadArgument where the system refuses."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.mlockall(CURRENT | FUTURE) != 0:
        soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        limit = "no limit" if soft == resource.RLIM_INFINITY else f"a limit of {soft // MIB} MiB"
        found = f"{os.strerror(ctypes.get_errno())} for {status_mib('VmSize') or 0:.0f} MiB with {limit}"
        raise BadArgument(f"memory.locked: {found}; allowed with CAP_IPC_LOCK, or LimitMEMLOCK=infinity")
