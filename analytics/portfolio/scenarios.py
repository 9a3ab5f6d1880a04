"""Other worlds than the estimated one: named stress scenarios, shocks by hand, and shocks drawn from estimation error."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import FRONTIER_SEED, TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.portfolio._checks import at_least, expected_returns_and_covariance, finite

SPREAD: Final = 0.90  # of random shocks that lie between the ends given: from 5 to 95 %


@dataclass(frozen=True)
class Scenario:
    """A named shock; its numbers are assumptions, not estimates. The fields are those of `shock`."""

    key: str
    label: str
    expected_return_shift: float
    volatility_factor: float
    correlation_shift: float
    description: str

    def apply(self, expected_returns: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the shocked expected returns and covariance."""
        return shock(
            expected_returns,
            covariance,
            expected_return_shift=self.expected_return_shift,
            volatility_factor=self.volatility_factor,
            correlation_shift=self.correlation_shift,
        )


SCENARIOS: Final = (
    Scenario("crash", "2008-like", -0.30, 2.5, 0.5,
             "Assumed: volatilities two and a half times as high, correlations half-way to one, 30 points less return a year."),
    Scenario("panic", "2020-like", -0.15, 3.0, 0.6,
             "Assumed: three times the volatility, correlations most of the way to one, 15 points less return a year."),
    Scenario("bear", "Slow decline", -0.20, 1.3, 0.2,
             "Assumed: returns lower by 20 points a year for long, volatility and correlation somewhat higher."),
    Scenario("no_premium", "No premium", -0.05, 1.0, 0.0,
             "Assumed: 5 points less return a year and the same risk: about what the past gave stocks above bills."),
    Scenario("contagion", "Correlations rise", 0.0, 1.0, 0.5,
             "Assumed: correlations half-way to one and nothing else: what diversification was worth."),
    Scenario("calm", "Calm", 0.0, 0.6, -0.3,
             "Assumed: volatilities lower by two fifths and correlations by three tenths of themselves."),
)  # fmt: skip


def shock(
    expected_returns: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    expected_return_shift: npt.ArrayLike = 0.0,
    volatility_factor: npt.ArrayLike = 1.0,
    correlation_shift: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Return expected returns (n,) and covariance (n, n) after a shock; annual fractions.

    expected_return_shift is added, volatility_factor multiplies the volatilities: one number for all, or (n,).
    correlation_shift a from −1 to below 1 moves every correlation that share of the way to 1, or to 0 where a is
    negative: (1 − a) R + a 11′, (1 − |a|) R + |a| I, mixtures of two correlation matrices and so one itself. Raises
    InputError on malformed input and on numbers out of range.
    """
    mu, sigma = expected_returns_and_covariance(expected_returns, covariance)
    n = len(mu)
    shift, factor = np.asarray(expected_return_shift, dtype=float), np.asarray(volatility_factor, dtype=float)
    if shift.shape not in ((), (n,)) or not np.isfinite(shift).all():
        raise InputError("expected_return_shift", got=expected_return_shift, allowed=f"one finite number, or {n}")
    if factor.shape not in ((), (n,)) or not (np.isfinite(factor) & (factor > 0)).all():
        raise InputError("volatility_factor", got=volatility_factor, allowed=f"one number above 0, or {n}")
    if not -1 <= correlation_shift < 1:
        allowed = "from -1 (no correlation is left) to below 1 (all are one)"
        raise InputError("correlation_shift", got=correlation_shift, allowed=allowed)
    old = np.sqrt(np.diag(sigma))
    towards = np.outer(old, old) if correlation_shift > 0 else np.diag(np.diag(sigma))
    share = abs(correlation_shift)
    scale = np.broadcast_to(factor, n)
    return mu + shift, ((1 - share) * sigma + share * towards) * np.outer(scale, scale)


def random_shocks(
    expected_returns: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    n_sessions: int,
    count: int = 100,
    seed: int = FRONTIER_SEED,
) -> tuple[FloatArray, FloatArray]:
    """Return expected returns (count, n) and covariances (count, n, n) that the sample does not rule out; annual.

    Draws of what is true given n_sessions independent normal returns with this mean and covariance, and nothing
    known before (the posterior under Jeffreys' prior): Σ inverse Wishart with n_sessions − 1 degrees of freedom, its
    mean near the covariance given; μ normal around the expected returns with covariance Σ × (a year / the length of
    the sample). Daily returns have fatter tails: the true spread of Σ is wider. Raises InputError on malformed input
    and where there are not more sessions than assets and two.
    """
    mu, sigma = expected_returns_and_covariance(expected_returns, covariance)
    n, degrees = len(mu), at_least("n_sessions", n_sessions, len(mu) + 3) - 1
    rng = np.random.default_rng(seed)
    size = at_least("count", count, 1)
    # Bartlett: A lower triangular with roots of χ² on the diagonal, A A′ is Wishart, so (A A′)⁻¹ is inverse Wishart.
    bartlett = np.tril(rng.standard_normal((size, n, n)), -1)
    diagonal = np.arange(n)
    bartlett[:, diagonal, diagonal] = np.sqrt(rng.chisquare(degrees - diagonal, size=(size, n)))
    values, vectors = np.linalg.eigh(sigma)  # any root will do, and this one exists for a singular matrix too
    factor = vectors * np.sqrt(degrees * np.maximum(values, 0)) @ np.linalg.inv(bartlett).transpose(0, 2, 1)
    years = n_sessions / TRADING_DAYS
    noise = (factor @ rng.standard_normal((size, n, 1)))[..., 0] / np.sqrt(years)
    drawn = factor @ factor.transpose(0, 2, 1)
    return mu + noise, (drawn + drawn.transpose(0, 2, 1)) / 2


def sampling_spread(
    expected_return: float,
    volatility: float,
    *,
    n_sessions: int,
    risk_free_rate: float,
    coverage: float = SPREAD,
    count: int = 10_000,
    seed: int = FRONTIER_SEED,
) -> pd.DataFrame:
    """Return what a portfolio's figures may be in truth, given that they were estimated from n_sessions; annual.

    The random shocks of the portfolio taken as one asset, its weights fixed beforehand: that they were chosen for
    the estimate is not counted. Rows: expected_return, volatility, sharpe_ratio (NaN when: no volatility, or the
    rate is NaN); columns: estimate, low, high, between which `coverage` of the draws lie. Raises InputError on
    malformed input.
    """
    variance = finite("volatility", volatility) ** 2
    mu, sigma = random_shocks([expected_return], [[variance]], n_sessions=n_sessions, count=count, seed=seed)
    means, deviations = np.append(expected_return, mu), np.sqrt(np.append(variance, sigma))
    ratios = (means - risk_free_rate) / np.where(deviations > 0, deviations, np.nan)
    figures = np.array([means, deviations, ratios])
    low, high = np.quantile(figures[:, 1:], [(1 - coverage) / 2, (1 + coverage) / 2], axis=1)
    rows = ["expected_return", "volatility", "sharpe_ratio"]
    return pd.DataFrame({"estimate": figures[:, 0], "low": low, "high": high}, index=pd.Index(rows, name="figure"))
