"""Annual expected returns of assets, estimated from daily returns."""

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.portfolio._checks import complete_returns


def mean_historical(returns: FloatArray) -> FloatArray:
    """Return the annualised arithmetic mean of simple daily returns, shape (n_assets,), fractions.

    returns: (n_sessions, n_assets), complete. Raises InputError on missing values or one session.
    """
    return TRADING_DAYS * complete_returns(returns).mean(axis=0)
