"""Compilation of kernels that make no array and return none.

They need not count who holds the arrays that they are given. Counts are atomic, and dear where rows are short.
"""

from typing import Any, cast

from runtime.kernels.kernel_cache import njit

uncounted = cast(Any, njit)(cache=True, _nrt=False)
