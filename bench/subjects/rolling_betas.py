"""Rolling betas of 100 tickers over 25 years of sessions, against statsmodels' RollingOLS."""

from typing import Any

from bench.measure import Benchmark, Row, Times, agree, race

SESSIONS, TICKERS, WINDOW, ROUNDS = 6_300, 100, 252, 7
TIMED = 2  # tickers that the peer is timed on: it takes them one by one, so its time is proportional
SAME = 1e-9  # relative


def run() -> list[Row]:
    import numpy as np
    import statsmodels.api as sm
    from statsmodels.regression.rolling import RollingOLS

    from analytics.factor_models import rolling_betas

    rng = np.random.default_rng(21)
    market = rng.normal(0.0004, 0.011, (SESSIONS, 1))
    excess = market * rng.normal(1, 0.4, TICKERS) + rng.normal(0, 0.02, (SESSIONS, TICKERS))
    design = sm.add_constant(market)

    def ours() -> Any:
        return rolling_betas(excess, market, WINDOW)

    def peer(**options: Any) -> Any:
        return [RollingOLS(excess[:, ticker], design, window=WINDOW).fit(**options).params for ticker in range(TIMED)]

    alphas, betas = ours()
    for ticker, params in enumerate(peer()):
        agree("beta", betas[:, 0, ticker], params[:, 1], rtol=SAME)
        agree("1 + alpha", 1 + alphas[:, ticker], 1 + params[:, 0], rtol=SAME)
    fits = race(ours, peer, rounds=ROUNDS)
    coefficients = race(ours, lambda: peer(params_only=True), rounds=ROUNDS)
    name, scaled = (
        f"rolling_betas, {TICKERS} x {SESSIONS}, window {WINDOW}",
        f"timed on {TIMED} tickers, x {TICKERS // TIMED}",
    )
    return [
        Row(name, fits[0], f"RollingOLS.fit(), {scaled}", _of_all(fits[1]),
            note="The peer as it is called by default: it also prepares what its errors are made from."),
        Row(name, coefficients[0], f"RollingOLS.fit(params_only=True), {scaled}", _of_all(coefficients[1])),
    ]  # fmt: skip


def _of_all(times: Times) -> Times:
    """What all tickers would take."""
    times_more = TICKERS // TIMED
    return Times(tuple(times_more * value for value in times.wall), tuple(times_more * value for value in times.cpu))


BENCHMARK = Benchmark("rolling_betas", "rolling betas of 100 tickers over 6,300 sessions", run)
