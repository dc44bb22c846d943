"""Compilation of kernels that make no array and return none.

They need not count who holds the arrays that they are given. Counts are atomic: for the many short rows of a narrow
image they took a tenth of the time of the adaptive stage.
"""

from typing import Any, cast

from numba import njit

uncounted = cast(Any, njit)(cache=True, _nrt=False)
