"""Factor fits with Newey-West errors against a loop over statsmodels, and the month-end fits of a nightly update."""

from typing import Any

from bench.measure import Benchmark, Clock, Row, agree, race

STOCKS, MONTHS, ROUNDS, PEER_ROUNDS = 518, 300, 5, 3
KEPT = 100  # tickers of the month-end fits
SAME = 1e-8  # relative


def run() -> list[Row]:
    from analytics.factor_models import fit_factor_models, month_end_fits
    from bench.peers import statsmodels_loop

    returns, factors = _simulated()
    five = {"models": ["ff5"], "windows": [0]}

    def ours() -> Any:
        return fit_factor_models(returns, factors, **five)

    def peer() -> Any:
        return statsmodels_loop(returns, factors, **five)

    fits, peer_fits = ours()[0], peer()
    for name in ("alpha", "alpha_se", "r_squared"):
        agree(name, fits[name], peer_fits[name], rtol=SAME)
    seconds, peer_seconds = race(ours, peer, rounds=PEER_ROUNDS)
    alone, _ = race(lambda: _regressions(returns, factors), peer, rounds=PEER_ROUNDS)
    rows = [Row(
        f"ff5 of {STOCKS} stocks x {MONTHS} months, the regressions alone", alone, "statsmodels OLS + HAC loop", peer_seconds,
        note="The same work: coefficients, both errors, t, p, intervals, R².",
    ), Row(
        f"ff5 of {STOCKS} stocks x {MONTHS} months", seconds, "statsmodels OLS + HAC loop", peer_seconds,
        note="The peer makes alpha, loadings and both errors; ours also diagnostics, breaks, required and realised return.",
    )]  # fmt: skip
    clock = Clock()
    month_end_fits(returns.iloc[:, :2], factors)
    for _ in range(ROUNDS):
        clock.take("every model and window", lambda: fit_factor_models(returns, factors))
        history = clock.take("month ends", lambda: month_end_fits(returns.iloc[:, :KEPT], factors))
        recent = clock.take(
            "last months", lambda: month_end_fits(returns.iloc[:, :KEPT], factors, since=returns.index[-3])
        )
    for name, found in (("month ends", history), ("last months", recent)):
        rows.append(Row(f"month_end_fits, {KEPT} x {MONTHS}, {name}", clock.of(name), note=f"{len(found[0])} fits."))
    return [
        *rows,
        Row(f"fit_factor_models, {STOCKS} stocks, all models and windows", clock.of("every model and window")),
    ]


def _regressions(returns: Any, factors: Any) -> Any:
    """One batched solve of all stocks, each over its own months."""
    import numpy as np

    from analytics.factor_models import FACTOR_MODELS
    from analytics.factor_models._regression import Spans, regress

    excess = returns.sub(factors["rf"], axis=0).to_numpy()
    start = np.isfinite(excess).argmax(axis=0)
    spans = Spans(start, np.full(len(start), len(excess)))
    return regress(np.nan_to_num(excess), factors[list(FACTOR_MODELS["ff5"].factors)].to_numpy(), spans)


def _simulated() -> tuple[Any, Any]:
    """Monthly returns and factors in memory; a tenth of the stocks is listed late."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(20)
    dates = pd.date_range("1998-01-31", periods=MONTHS, freq="ME")
    names = ["mkt_rf", "smb", "hml", "smb5", "rmw", "cma", "mom"]
    factors = pd.DataFrame(rng.normal(0.004, 0.03, (MONTHS, len(names))), dates, names).assign(rf=0.002)
    values = factors[names].to_numpy() @ rng.normal(0.3, 0.4, (len(names), STOCKS)) + rng.normal(
        0, 0.08, (MONTHS, STOCKS)
    )
    for late in range(0, STOCKS, 10):
        values[: rng.integers(1, MONTHS // 2), late] = np.nan
    return pd.DataFrame(values, dates, [f"S{number:03d}" for number in range(STOCKS)]), factors


BENCHMARK = Benchmark("factor_models", "factor fits of 518 stocks, and month-end fits", run)
