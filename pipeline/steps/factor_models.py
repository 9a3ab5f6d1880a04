"""Factor-model fits of every stock and fund on monthly excess returns."""

import hashlib

import numpy as np
import pandas as pd

from analytics.factor_models import fit_factor_models
from analytics.returns import monthly_returns
from pipeline import schema, store
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.steps._step import Context, Outcome, Step

KEY = "factor_models"


def run(context: Context) -> Outcome:
    """Fit every model over every window where returns or factors changed.

    Indices are left out, because theirs are not total returns.
    """
    listed = instrument_queries.instruments(context.reader)
    tickers = sorted(listed.loc[listed["kind"] != "index", "ticker"])
    factors = factor_queries.factor_returns(context.reader, "M")
    if factors.empty or not tickers:
        return Outcome(0, message="no fits: the source has no monthly factor returns" if tickers else "no stocks")
    returns = monthly_returns(price_queries.month_end_closes(context.reader, tickers))
    returns = returns[returns.index <= factors.index[-1]]
    lag = context.settings.publication_lag_days
    stale = context.input_changed(KEY, _digests(returns, factors, lag))
    context.report(0.3, f"{len(stale)} tickers")
    if not stale:
        return Outcome(0, message=f"0 of {len(tickers)} tickers recomputed")
    fits, loadings = fit_factor_models(returns[stale], factors, publication_lag_days=lag)
    rows = 0
    with store.transaction(context.connection):
        for table, found in ((schema.factor_model_fits, fits), (schema.factor_loadings, loadings)):
            found = found.sort_values([column.name for column in table.primary_key], ignore_index=True)
            of_ticker = dict(list(found.groupby("ticker")))
            for ticker in stale:
                rows += store.replace(context.connection, table, of_ticker.get(ticker, found.head(0)), owner=ticker)
    return Outcome(rows, message=f"{len(fits)} fits of {fits['ticker'].nunique()} tickers")


def _digests(returns: pd.DataFrame, factors: pd.DataFrame, lag: int) -> dict[str, str]:
    """A word per ticker for all that its fits depend on."""
    shared = hashlib.sha256(np.ascontiguousarray(factors.to_numpy(float)).tobytes())
    shared.update(f"{factors.index[0]} {factors.index[-1]} {returns.index[:1]} {returns.index[-1:]} {lag}".encode())
    found = {}
    for ticker in returns.columns:
        digest = shared.copy()
        digest.update(returns[ticker].to_numpy(float).tobytes())
        found[str(ticker)] = digest.hexdigest()
    return found


STEP = Step(
    KEY, "Factor models", ("instruments", "prices", "factor_returns"), ("factor_model_fits", "factor_loadings"), run
)
