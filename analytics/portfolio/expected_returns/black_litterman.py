"""Black-Litterman: what the market's weights imply, moved by the analyst's views."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError, MissingDataError
from analytics.portfolio._checks import SINGULAR, expected_returns_and_covariance
from analytics.portfolio.expected_returns._expected_returns import ExpectedReturns
from analytics.portfolio.market_data import MarketData, View
from analytics.registry import lookup

RISK_AVERSION: Final = 2.5  # δ of He and Litterman (1999): the world's average taste for risk


def equilibrium_returns(
    covariance: FloatArray,
    market_weights: FloatArray,
    *,
    risk_free_rate: float,
    risk_aversion: float = RISK_AVERSION,
) -> FloatArray:
    """Return f + δ Σ w, (n,): the returns at which holding the market's weights is best. Annual, fractions.

    covariance (n, n) and risk_free_rate are annual; market_weights (n,) are in any unit. Raises InputError on a
    weight that is unknown or negative, MissingDataError without a risk-free rate. Source: Black and Litterman
    (1992), Global portfolio optimization.
    """
    if not np.isfinite(risk_free_rate):
        raise MissingDataError("Black-Litterman expected returns need a risk-free rate, and none is stored.")
    weights = np.asarray(market_weights, dtype=float)
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise InputError(
            "market_weights", got=weights.tolist(), allowed="a market value for every ticker, 0 or more, not all 0"
        )
    return risk_free_rate + risk_aversion * covariance @ (weights / weights.sum())


def black_litterman(
    prior: FloatArray, covariance: FloatArray, views: Sequence[View], *, tickers: Sequence[str]
) -> FloatArray:
    """Return the expected returns after the views, (n,): Π + ΣP′(PΣP′ + Ω)⁻¹(Q − PΠ), annual, fractions.

    prior: Π (n,), total returns. covariance: Σ (n, n), annual. P holds a row of coefficients per view, Q the
    values. Ω = diag(PΣP′)(1 / c − 1), so that a single view of confidence c takes its portfolio a share c of the
    way from what the prior says to what the view says. The scale τ of the prior's error stands in both terms and
    cancels. Raises UnknownKeyError on a ticker that is not among tickers, InputError where the assets of a view
    move as one, or certain views follow from or contradict one another. Source: He and Litterman (1999), The
    intuition behind Black-Litterman model portfolios; Ω by Idzorek (2005) in the closed form of Walters (2014).
    """
    if not views:
        return np.array(prior, dtype=float)
    prior, covariance = expected_returns_and_covariance(prior, covariance)
    picks = _picks(views, tickers)
    confidence = np.array([view.confidence for view in views])
    variance = np.einsum("vi,ij,vj->v", picks, covariance, picks)
    if (variance <= SINGULAR * np.trace(covariance) * (picks**2).sum(axis=1)).any():
        raise InputError(
            "views", got="a view on assets that move as one", allowed="views on portfolios that carry risk"
        )
    # Each view's row is divided by its standard deviation and multiplied by √c: then no confidence divides by 0.
    scale = np.sqrt(confidence / variance)
    spread = scale[:, None] * picks @ covariance
    system = spread @ (scale[:, None] * picks).T + np.diag(1 - confidence)
    if np.linalg.eigvalsh(system)[0] <= SINGULAR:
        raise InputError(
            "views",
            got="certain views of which one follows from the others or contradicts them",
            allowed="views of confidence 1 that are independent",
            fix="Lower a confidence below 1, or leave a view out.",
        )
    surprise = np.array([view.value for view in views]) - picks @ prior
    return prior + spread.T @ np.linalg.solve(system, scale * surprise)


def _picks(views: Sequence[View], tickers: Sequence[str]) -> FloatArray:
    """P: a row of coefficients per view, (n_views, n)."""
    place = {ticker: number for number, ticker in enumerate(tickers)}
    picks = np.zeros((len(views), len(place)))
    for row, view in zip(picks, views, strict=True):
        for ticker, coefficient in view.assets.items():
            row[lookup(place, ticker, "ticker of a view")] = coefficient
    return picks


def _estimate(data: MarketData, covariance: FloatArray) -> FloatArray:
    weights = np.ones(len(data.tickers)) if data.market_weights is None else data.market_weights
    prior = equilibrium_returns(covariance, weights, risk_free_rate=data.risk_free_rate)
    return black_litterman(prior, covariance, data.views, tickers=data.tickers)


EXPECTED_RETURNS = ExpectedReturns(
    key="black_litterman",
    label="Black-Litterman",
    description="What the market's weights imply (equal weights where market values are unknown), moved by your views.",
    reference="Black and Litterman (1992); He and Litterman (1999); Idzorek (2005)",
    estimate=_estimate,
)
