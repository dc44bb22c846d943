"""Laws of a soak's instruments: they see what is held, and nothing else."""

import ctypes
import subprocess
import sys

from tests.runtime.memory_growth import LIBC, growth, memory_now

LIBC.malloc.restype = ctypes.c_void_p
INTERNING = """
import sys
from tests.runtime.memory_growth import memory_now, renew_interned
renew_interned()
before = memory_now()["allocated_mib"]
for number in range(1 << 17):
    sys.intern(f"{number} of a path")
print(memory_now()["allocated_mib"] - before)
"""


def test_native_memory_that_is_held_is_seen_until_it_is_freed() -> None:
    before = memory_now()["allocated_mib"]
    held = [LIBC.malloc(1000) for _ in range(10_000)]
    grown = memory_now()["allocated_mib"] - before
    for piece in held:
        LIBC.free(ctypes.c_void_p(piece))
    assert 9.5 < grown < 11  # 10,000 pieces of 1,000 bytes, each with 8 to 16 bytes of its own
    assert abs(memory_now()["allocated_mib"] - before) < 0.5  # what the test itself holds


def test_strings_that_come_and_go_are_no_growth() -> None:
    done = subprocess.run([sys.executable, "-c", INTERNING], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.1  # MiB; a larger table would be half of one at least


def test_an_object_that_stays_is_seen() -> None:
    before = memory_now()["objects"]
    held = [str(number) for number in range(10_000, 30_000)]
    assert abs(memory_now()["objects"] - before - len(held)) < 500  # what else came and went


def test_growth_is_the_slope_over_the_whole_time() -> None:
    notes = [{"seconds": float(second), "rss_mib": 100 + second / 10} for second in range(61)]
    assert growth(notes, "rss_mib", 1 / 3) == 6.0
    assert growth([one | {"rss_mib": 5.0} for one in notes], "rss_mib", 1 / 3) == 0.0
