"""A line on the terminal that goes on while a step says nothing: what is done, and for how long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

TICK_S = 1.0


@contextmanager
def waiting(what: str) -> Iterator[Callable[[str], None]]:
    """On a terminal only. What it gives is called with what happens now; the time is of the whole wait."""
    with tqdm(total=None, desc=what, bar_format="{desc}, {elapsed}", disable=None, leave=False) as bar:
        is_over = threading.Event()

        def tick() -> None:
            while not is_over.wait(TICK_S):
                bar.refresh()

        thread = threading.Thread(target=tick, daemon=True)
        thread.start()
        try:
            yield lambda text: bar.set_description_str(f"{what}: {text}")
        finally:
            is_over.set()
            thread.join()
