"""Market betas other than the plain one: shrunk to a prior, and those of rising and falling markets."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.conventions import BLUME_WEIGHT, FloatArray
from analytics.factor_models._regression import Spans, regress

MIN_SIDE: Final = 12  # fewer observations of a rising (falling) market than this give no up (down) beta


@dataclass(frozen=True)
class UpDownBetas:
    """Betas of rising and falling markets and their Newey-West errors, each of shape (n_regressions,)."""

    up: FloatArray
    up_se: FloatArray
    down: FloatArray
    down_se: FloatArray


def blume_beta(beta: FloatArray) -> FloatArray:
    """Return ⅔ β + ⅓: betas come back towards 1 (Blume 1975)."""
    return BLUME_WEIGHT * beta + (1 - BLUME_WEIGHT)


def vasicek_beta(beta: pd.Series, std_err: pd.Series, group: pd.Series) -> pd.Series:
    """Return (s² β̄ + σ² β) / (s² + σ²), the estimate shrunk to the mean β̄ of its group (Vasicek 1973).

    σ²: variance of the group's estimates; s: OLS error of the ticker's own. NaN when: an input is NaN, or the
    group has fewer than two known betas.
    """
    groups = beta.groupby(group)
    mean, variance, noise = groups.transform("mean"), groups.transform("var"), std_err**2
    total = noise + variance
    return (noise * mean + variance * beta) / total.where(total > 0)


def up_down_betas(excess_returns: FloatArray, market: FloatArray, spans: Spans | None = None) -> UpDownBetas:
    """Return the betas of the periods in which the market's excess return is above 0, and of the others.

    excess_returns: (n_rows, n_regressions); market: (n_rows,), fractions per period. Each side has its own
    intercept, so the betas are those of two regressions; one regression keeps the order of time that the
    Newey-West errors need. NaN when: a side has fewer than MIN_SIDE observations or one return only.
    """
    rising = (market > 0).astype(float)
    found = regress(excess_returns, np.column_stack([rising, rising * market, (1 - rising) * market]), spans)
    n_up = found.spans.mask(len(market)) @ rising
    enough = (n_up >= MIN_SIDE) & (found.n_obs - n_up >= MIN_SIDE)
    values = (found.coefficients[2], found.std_err[2], found.coefficients[3], found.std_err[3])
    return UpDownBetas(*(np.where(enough, value, np.nan) for value in values))
