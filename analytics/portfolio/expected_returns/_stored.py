"""Expected returns that a factor model has already given."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import MissingDataError
from analytics.portfolio.expected_returns._expected_returns import ExpectedReturns
from analytics.portfolio.market_data import MarketData

NAMED = 10  # tickers that a message names; more would bury it


def from_factor_model(key: str, label: str, *, description: str, reference: str) -> ExpectedReturns:
    """Return the choice that takes the annual expected returns of one factor model from the market data.

    Its estimate raises MissingDataError with the tickers that the model has no expected return for.
    """

    def estimate(data: MarketData, _covariance: FloatArray) -> FloatArray:
        returns = data.model_returns.get(key, np.full(len(data.tickers), np.nan))
        unknown = [ticker for ticker, value in zip(data.tickers, returns, strict=True) if not np.isfinite(value)]
        if unknown:
            named = ", ".join(unknown[:NAMED]) + (f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else "")
            raise MissingDataError(
                f"No {label} expected return is stored for {named}. "
                "Leave them out, or choose expected returns that need no factor model."
            )
        return np.array(returns, dtype=float)

    return ExpectedReturns(key, label, description, reference, estimate)
