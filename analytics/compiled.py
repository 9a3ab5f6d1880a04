"""How the inner loops are compiled. Importing this takes half a second: only modules of compiled code do."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function, keep the code on disk where that can be written, and divide by 0 as numpy does.

    The cache is keyed by the function's own file: what it calls must stand in the same one.
    """
    try:
        return njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # nowhere to keep it: each process compiles anew
        return njit(error_model="numpy")(function)
