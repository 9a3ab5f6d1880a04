"""Round numbers for the ticks of an axis: few enough to be read on a narrow screen."""

import math

TICKS = 5
_STEPS = (1, 2, 5, 10)
FEW_DECADES = 3.0  # of more, the powers of ten alone
NARROW = 0.45  # decades; within a factor of about three 1, 2 and 5 leave too few ticks


def linear_ticks(low: float, high: float, *, count: int = TICKS) -> list[float]:
    """Return round numbers from at or below `low` to at or above `high`, about `count` of them."""
    rough = max(high - low, 1e-6) / count
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in _STEPS if size * factor >= rough)
    return [step * number for number in range(math.floor(low / step), math.ceil(high / step) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return ticks of a logarithmic axis from low to high, both above 0: 1, 2 and 5 times powers of ten.

    Of more than FEW_DECADES the powers of ten alone; within NARROW decades round steps as on a linear axis.
    """
    bottom, top = math.log10(low), math.log10(high)
    if top - bottom < NARROW:
        inside = [tick for tick in linear_ticks(low, high) if low <= tick <= high]
        return inside or [low]
    factors = (1, 2, 5) if top - bottom < FEW_DECADES else (1,)
    powers = range(math.floor(bottom), math.ceil(top) + 1)
    every = [float(f"{factor}e{power}") for power in powers for factor in factors]
    return [tick for tick in every if 0.9 * low <= tick <= 1.1 * high]


def money(value: float) -> str:
    """Return an amount as an axis writes it: 1500 → $1.5k."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"${value / size:.6g}{letter}"
    return f"${value:.6g}"
