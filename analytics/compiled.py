"""How the inner loops are compiled. Importing this takes half a second: only modules of compiled code do."""

from collections.abc import Callable
from functools import partial
from typing import Any

from numba import njit


def compiled(
    function: Callable[..., Any] | None = None, *, nogil: bool = False, inline: bool = False, counted: bool = True
) -> Any:
    """Compile a function, keep the code on disk where that can be written, and divide by 0 as numpy does.

    nogil: other threads run meanwhile; what it was given must not change until it returns. inline: made part of its
    callers, for what is called so often that the call itself would cost. counted: who uses an array is counted at every
    call it is passed to; what passes many and makes none is several times as fast without (a private option of numba).
    The cache is keyed by the function's own file: what it calls must stand in the same one.
    """
    if function is None:
        return partial(compiled, nogil=nogil, inline=inline, counted=counted)
    options: dict[str, Any] = {"error_model": "numpy", "nogil": nogil, "forceinline": inline, "_nrt": counted}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to keep it: each process compiles anew
        return njit(**options)(function)
