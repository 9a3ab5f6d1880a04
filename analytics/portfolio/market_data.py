"""What estimates of expected returns and covariance are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError

MAX_VIEW: Final = 1.0  # annual, either way: beyond it a percent was taken for a fraction


@dataclass(frozen=True)
class View:
    """What the analyst expects of one ticker, or of one against others.

    assets: coefficients by ticker; one ticker at 1 is an absolute view on its total return, +1 and −1 a relative
    view on the difference. value: annual return, a fraction. confidence: 0 (ignore the view) to 1 (certain).
    Raises InputError on a view of nothing, a value beyond ±1 or a confidence beyond 0 and 1.
    """

    assets: Mapping[str, float]
    value: float
    confidence: float

    def __post_init__(self) -> None:
        """Refuse what cannot be a view."""
        coefficients = np.array(list(self.assets.values()), dtype=float)
        if not np.isfinite(coefficients).all() or not coefficients.any():
            raise InputError(
                "view", got=dict(self.assets), allowed="a number per ticker, not all 0", fix="+1 and −1 compare two."
            )
        if not abs(self.value) <= MAX_VIEW:
            allowed = f"an annual fraction from -{MAX_VIEW:g} to {MAX_VIEW:g}"
            raise InputError("view's return", got=self.value, allowed=allowed, fix="Write 5 % as 0.05.")
        if not 0 <= self.confidence <= 1:
            raise InputError("view's confidence", got=self.confidence, allowed="0 (ignored) to 1 (certain)")


@dataclass(frozen=True, eq=False)
class MarketData:
    """All that an estimate may draw on: n assets over the same T sessions.

    returns: (T, n), simple daily returns, fractions, complete. risk_free_rate: annual, NaN where unknown.
    model_returns: annual expected returns (n,) by factor model, NaN where a ticker has none. factor_returns:
    (T, k) daily, NaN where the factor files end earlier; None where the source has none. market_weights: (n,) by
    market value, in any unit; None where unknown, and equal weights stand in. Raises InputError where the shapes
    do not fit.
    """

    tickers: tuple[str, ...]
    returns: FloatArray = field(repr=False)
    risk_free_rate: float
    model_returns: Mapping[str, FloatArray] = field(default_factory=dict)
    factor_returns: FloatArray | None = field(default=None, repr=False)
    market_weights: FloatArray | None = None
    views: tuple[View, ...] = ()

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit."""
        n_assets = len(self.tickers)
        if len(set(self.tickers)) < n_assets:
            raise InputError("tickers", got=list(self.tickers), allowed="each ticker once")
        if self.returns.ndim != 2 or self.returns.shape[1] != n_assets:
            raise InputError(
                "returns", got=f"shape {self.returns.shape}", allowed=f"a column for each of {n_assets} tickers"
            )
        per_ticker = {f"model_returns {key}": values for key, values in self.model_returns.items()}
        if self.market_weights is not None:
            per_ticker["market_weights"] = self.market_weights
        for name, values in per_ticker.items():
            if values.shape != (n_assets,):
                raise InputError(
                    name, got=f"shape {values.shape}", allowed=f"one number for each of {n_assets} tickers"
                )
        factors = self.factor_returns
        if factors is not None and (factors.ndim != 2 or len(factors) != len(self.returns)):
            allowed = f"a row for each of {len(self.returns)} sessions"
            raise InputError("factor_returns", got=f"shape {factors.shape}", allowed=allowed)
