"""Compilation of kernels that make no array and return none.

They need no reference counts of the arrays that they are given, which are atomic and costly where rows are short.
"""

from typing import Any, cast

from runtime.kernels.kernel_cache import njit

no_refcount = cast(Any, njit)(cache=True, _nrt=False)
