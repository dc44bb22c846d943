"""Numbers below the normal range taken as zero, for as long as a training runs and no longer.

They slow arithmetic down by an order of magnitude and mean nothing to a gradient. But the switch is the processor's,
for everything that the thread does: left on, it would change what the float32 cells of a flight package predict.
"""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def flushed_denormals() -> Iterator[None]:
    """Flush inside the block only."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
