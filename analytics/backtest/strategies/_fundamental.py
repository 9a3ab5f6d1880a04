"""What strategies read of the factor fits, each from the date on which it was known."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.conventions import FloatArray
from analytics.factor_models import OUTLOOK_LABELS
from analytics.signals import known_on


def known_median(inputs: StrategyInputs) -> FloatArray:
    """Return the universe's median expected return as it was known at each date, annual, shape (n_dates, 1)."""
    if inputs.factors is None:
        return np.full((len(inputs.panel.dates), 1), np.nan)
    return known_on(inputs.panel.dates, inputs.factors.as_of, inputs.factors.universe_median)[:, None]


def factor_trend(inputs: StrategyInputs, factor: str, *, months: int) -> FloatArray:
    """Return what a factor earned over the newest published months, compounded, shape (n_dates, 1).

    NaN when: fewer months than that were known, or one of them is not.
    """
    view = inputs.factors
    if view is None or factor not in view.factor_returns:
        return np.full((len(inputs.panel.dates), 1), np.nan)
    growth = 1.0 + view.factor_returns[factor]
    earned = np.full(len(growth), np.nan)
    for last in range(months - 1, len(growth)):
        earned[last] = growth[last - months + 1 : last + 1].prod() - 1.0
    return known_on(inputs.panel.dates, view.factor_known, earned)[:, None]


def outlook_text(value: float) -> str:
    """Return a known outlook in words, such as "positive outlook"."""
    return f"{OUTLOOK_LABELS[int(np.sign(value))]} outlook" if np.isfinite(value) else "unknown outlook"
