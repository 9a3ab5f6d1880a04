"""Cross-sectional momentum: own what has risen most over a year, its last month left out."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import decisions, known_prices
from analytics.backtest.strategies._rebalance import last_completed_month, schedule, until_next
from analytics.backtest.strategies._strategy import Strategy
from analytics.conventions import MONTHS, FloatArray
from analytics.market import period_ends, period_of
from analytics.parameters import Parameter


def decide(inputs: StrategyInputs, *, fraction: float, skip_months: int, short_losers: bool) -> FloatArray:
    """Return equal weights of the tickers of the highest momentum whenever a month is over, 0 of the others.

    Shape of the panel, NaN in between. The number bought is `fraction` of the tickers whose momentum is known, at
    least 1. With short_losers half of the account buys them and half sells short as many of the lowest.
    """
    acts = schedule(inputs, "monthly")
    ranks = _ranks(momentum(inputs, np.flatnonzero(acts), skip_months=skip_months))
    known = np.isfinite(ranks).sum(axis=1, keepdims=True)
    count = np.maximum((fraction * known).astype(int), 1)
    if short_losers:
        count = np.minimum(count, known // 2)
    winners, losers = ranks <= count, ranks > known - count
    weights = winners.astype(float) if not short_losers else 0.5 * (winners.astype(float) - losers)
    return decisions(inputs, until_next(acts, weights / np.maximum(count, 1)), again=acts)


def momentum(inputs: StrategyInputs, rows: np.ndarray, *, skip_months: int) -> FloatArray:
    """Return the total return from 12 months before to skip_months before the last completed month, (n_rows, n_tickers).

    From month end to month end, each ticker's newest adjusted close. NaN when: one of the prices is unknown, or the
    ticker counts as delisted then. Source: Jegadeesh and Titman (1993), Returns to buying winners and selling losers.
    """
    dates, prices = inputs.panel.dates, known_prices(inputs)
    ends = period_ends(dates, "M")
    month = period_of(dates, "M")
    by_month = np.full((month[-1] - month[0] + 1 if len(month) else 0, prices.shape[1]), np.nan)
    by_month[month[ends] - month[0]] = prices[ends]
    last = last_completed_month(dates)[rows] - month[0]
    found = np.full((len(rows), prices.shape[1]), np.nan)
    dated = last >= MONTHS
    found[dated] = by_month[last[dated] - skip_months] / by_month[last[dated] - MONTHS] - 1.0
    return np.where(np.isfinite(prices[rows]), found, np.nan)


def _ranks(values: FloatArray) -> FloatArray:
    """1 for the highest of each row, equal ones by column; NaN where unknown."""
    order = np.argsort(-values, axis=1, kind="stable")  # NaN goes last
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(1.0, values.shape[1] + 1), values.shape), axis=1)
    return np.where(np.isfinite(values), ranks, np.nan)


def explain(
    inputs: StrategyInputs, column: int, rows: np.ndarray, *, fraction: float, skip_months: int, short_losers: bool
) -> list[str]:
    """Return the rank and the momentum behind each decision."""
    acts = schedule(inputs, "monthly")
    acted = np.flatnonzero(acts)
    standing = np.cumsum(acts)[rows] - 1
    found = momentum(inputs, acted, skip_months=skip_months)
    ranks = _ranks(found)
    return [
        f"rank {ranks[place, column]:.0f} of {np.isfinite(ranks[place]).sum()}: {found[place, column]:+.1%} over "
        f"{MONTHS - skip_months} months"
        if np.isfinite(ranks[place, column]) else "momentum unknown"
        for place in standing
    ]  # fmt: skip


STRATEGY = Strategy(
    key="momentum_12_1",
    label="Momentum 12-1",
    description="Each month buys the tickers that rose most over the year before, its last month left out.",
    parameters=(
        Parameter("fraction", "Fraction", 0.3, "share of the tickers that is bought", minimum=0.01, maximum=1, step=0.05),
        Parameter("skip_months", "Months left out", 1, "newest months that are not counted", minimum=1, maximum=6),
        Parameter(
            "short_losers", "Short the losers", default=False,
            help="half of the account sells short as many of the lowest; needs the direction long and short",
        ),
    ),
    decide=decide,
    explain=explain,
)  # fmt: skip
