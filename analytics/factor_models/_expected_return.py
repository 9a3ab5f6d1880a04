"""The annual return that a factor model requires of a ticker, and how uncertain it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.conventions import MONTHS, FloatArray
from analytics.errors import InputError
from analytics.registry import lookup

TRAILING_YEARS: Final = 10
PREMIUM_CHOICES: Final = {
    "mean": "Mean of the whole history to date",
    "trailing": f"Mean of the last {TRAILING_YEARS} years",
    "own": "My own numbers",
}
MAX_PREMIUM: Final = 1.0  # annual, either way: beyond it a percent was taken for a fraction


@dataclass(frozen=True)
class Premiums:
    """Annual factor premiums, (n_factors,), and the covariance of these means, (n_factors, n_factors)."""

    mean: FloatArray
    covariance: FloatArray


def factor_premiums(factor_returns: FloatArray, *, periods_per_year: int = MONTHS) -> Premiums:
    """Return annual premiums from factor returns per period, shape (n_periods, n_factors), fractions.

    Periods in which a factor is unknown are left out. NaN when: fewer than two periods (covariance) or none.
    """
    known = factor_returns[np.isfinite(factor_returns).all(axis=1)]
    n_periods, n_factors = known.shape
    if n_periods < 2:
        mean = known[0] * periods_per_year if n_periods else np.full(n_factors, np.nan)
        return Premiums(mean, np.full((n_factors, n_factors), np.nan))
    covariance = np.cov(known, rowvar=False, ddof=1).reshape(n_factors, n_factors)
    return Premiums(periods_per_year * known.mean(axis=0), periods_per_year**2 * covariance / n_periods)


def chosen_premiums(
    choice: str, factor_returns: FloatArray, *, names: tuple[str, ...], own: Mapping[str, float] | None = None,
    periods_per_year: int = MONTHS,
) -> Premiums:  # fmt: skip
    """Return the premiums of a choice in PREMIUM_CHOICES: the history's mean, that of its last years, or own numbers.

    factor_returns: (n_periods, n_factors), fractions per period, their columns called `names`. own: annual
    premiums by name, taken as known, so without error. Raises UnknownKeyError on another choice, InputError on
    a missing or absurd number.
    """
    lookup(PREMIUM_CHOICES, choice, "choice of premiums")
    if choice != "own":
        last = TRAILING_YEARS * periods_per_year if choice == "trailing" else len(factor_returns)
        return factor_premiums(factor_returns[-last:], periods_per_year=periods_per_year)
    given = dict(own or {})
    for name in names:
        value = given.get(name)
        if value is None or not abs(value) <= MAX_PREMIUM:
            raise InputError(
                f"premium of {name}", got=value, allowed=f"an annual fraction from -{MAX_PREMIUM:g} to {MAX_PREMIUM:g}",
                fix="Write 5 % as 0.05.",
            )  # fmt: skip
    return Premiums(np.array([given[name] for name in names]), np.zeros((len(names), len(names))))


def required_return(
    betas: FloatArray, betas_covariance: FloatArray, premiums: Premiums, *, risk_free_rate: float
) -> tuple[FloatArray, FloatArray]:
    """Return annual required returns and their standard errors, each of shape (n_tickers,), as fractions.

    betas: (n_factors, n_tickers). betas_covariance: (n_tickers, n_factors, n_factors). risk_free_rate:
    annual, taken as known. The error is by the delta method: √(m′ V_β m + β′ V_m β). NaN when: an input is
    NaN.
    """
    required = risk_free_rate + premiums.mean @ betas
    variance = np.einsum("i,tij,j->t", premiums.mean, betas_covariance, premiums.mean)
    variance += np.einsum("it,ij,jt->t", betas, premiums.covariance, betas)
    return required, np.sqrt(variance)
