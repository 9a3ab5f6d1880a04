"""Factor-model fits of every stock and fund on monthly excess returns."""

from analytics.factor_models import fit_factor_models
from analytics.returns import monthly_returns
from pipeline import schema, store
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.steps._step import Context, Outcome, Step


def run(context: Context) -> Outcome:
    """Fit every model over every window; indices are left out, because theirs are not total returns."""
    listed = instrument_queries.instruments(context.reader)
    tickers = sorted(listed.loc[listed["kind"] != "index", "ticker"])
    factors = factor_queries.factor_returns(context.reader, "M")
    if factors.empty or not tickers:
        return Outcome(0, message="no fits: the source has no monthly factor returns" if tickers else "no stocks")
    returns = monthly_returns(price_queries.adjusted_closes(context.reader, tickers))
    context.report(0.3, f"{len(tickers)} tickers")
    fits, loadings = fit_factor_models(returns, factors, publication_lag_days=context.settings.publication_lag_days)
    with store.transaction(context.connection):
        store.delete(context.connection, schema.factor_loadings)
        store.delete(context.connection, schema.factor_model_fits)
        rows = store.insert(context.connection, schema.factor_model_fits, fits)
        rows += store.insert(context.connection, schema.factor_loadings, loadings)
    return Outcome(rows, message=f"{len(fits)} fits of {fits['ticker'].nunique()} tickers")


STEP = Step(
    "factor_models", "Factor models", ("instruments", "prices", "factor_returns"),
    ("factor_model_fits", "factor_loadings"), run,
)  # fmt: skip
