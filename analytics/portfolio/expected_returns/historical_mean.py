"""Historical mean: what the assets earned is what they are expected to earn."""

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.portfolio._checks import complete_returns
from analytics.portfolio.expected_returns._expected_returns import ExpectedReturns


def mean_historical(returns: FloatArray) -> FloatArray:
    """Return the annualised arithmetic mean of simple daily returns, shape (n_assets,), fractions.

    returns: (n_sessions, n_assets), complete. Raises InputError on missing values or one session.
    """
    return TRADING_DAYS * complete_returns(returns).mean(axis=0)


EXPECTED_RETURNS = ExpectedReturns(
    key="mean",
    label="Historical mean",
    description="Past mean returns as they are.",
    reference="Markowitz (1952), Portfolio selection",
    estimate=lambda data, _covariance: mean_historical(data.returns),
)
