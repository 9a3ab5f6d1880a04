"""Factor fits of 100 tickers with Newey-West errors, against a loop over statsmodels."""

from typing import Any

from bench.measure import Benchmark, Row, agree, race
from bench.stores import simulated

TICKERS, YEARS, ROUNDS = 100, 10, 5
SAME = 1e-8  # relative


def run() -> list[Row]:
    import pandas as pd

    from analytics.factor_models import fit_factor_models
    from analytics.returns import monthly_returns
    from bench.peers import statsmodels_loop

    data = simulated(TICKERS, YEARS)
    prices = data.prices.pivot(index="date", columns="ticker", values="adj_close")
    returns = monthly_returns(prices.set_axis(pd.DatetimeIndex(prices.index)))
    monthly = data.factors[data.factors["frequency"] == "M"]
    factors = monthly.set_index(pd.DatetimeIndex(monthly["date"])).drop(columns=["frequency", "date"]).astype(float)

    def ours() -> Any:
        return fit_factor_models(returns, factors)

    fits, peer_fits = ours()[0], statsmodels_loop(returns, factors)
    for name in ("alpha", "alpha_se", "r_squared"):
        agree(name, fits[name], peer_fits[name], rtol=SAME)
    seconds, peer = race(ours, lambda: statsmodels_loop(returns, factors), rounds=ROUNDS)
    note = f"{len(fits)} fits: every model and window, alpha, loadings, errors and required return."
    return [Row(f"fit_factor_models, {TICKERS} tickers", seconds, "statsmodels OLS + HAC loop", peer, note=note)]


BENCHMARK = Benchmark("factor_models", "all factor fits of 100 tickers", run)
