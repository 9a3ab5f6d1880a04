"""Metrics of how long trades were held and on which side."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.metrics._arithmetic import mean
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance
from analytics.metrics.trades import of_trades


def average_holding_days(performance: Performance) -> float:
    """Return the mean time in a position in calendar days. NaN when: there is no trade."""
    return mean(of_trades(performance, "days"))


def average_winning_holding_days(performance: Performance) -> float:
    """Return the mean time in the positions that won, in calendar days. NaN when: none did."""
    return mean(of_trades(performance, "days")[of_trades(performance, "pnl") > 0.0])


def average_losing_holding_days(performance: Performance) -> float:
    """Return the mean time in the positions that lost, in calendar days. NaN when: none did."""
    return mean(of_trades(performance, "days")[of_trades(performance, "pnl") < 0.0])


def long_share(performance: Performance) -> float:
    """Return the share of trades that were long, 0 to 1. NaN when: there is no trade, or the sides are not known."""
    return mean(of_trades(performance, "direction") > 0)


def long_win_rate(performance: Performance) -> float:
    """Return the share of the long trades with a net gain. NaN when: there is none, or the sides are not known."""
    return mean(_pnl_of_side(performance, 1) > 0.0)


def short_win_rate(performance: Performance) -> float:
    """Return the share of the short trades with a net gain. NaN when: there is none, or the sides are not known."""
    return mean(_pnl_of_side(performance, -1) > 0.0)


def _pnl_of_side(performance: Performance, side: int) -> FloatArray:
    direction = of_trades(performance, "direction")
    return of_trades(performance, "pnl")[np.sign(direction) == side] if len(direction) else np.empty(0)


METRICS = (
    Metric(
        key="average_holding_days",
        label="Average holding time",
        level="trade",
        formula="mean(exit date − entry date)",
        unit="days",
        better="neither",
        func=average_holding_days,
        reference="definition",
        description="How long a position was held, in calendar days.",
    ),
    Metric(
        key="average_winning_holding_days",
        label="Average holding time of winners",
        level="trade",
        formula="mean(exit date − entry date : pnl > 0)",
        unit="days",
        better="neither",
        func=average_winning_holding_days,
        reference="vectorbt Avg Winning Trade Duration",
        description="How long a position that won was held, in calendar days.",
    ),
    Metric(
        key="average_losing_holding_days",
        label="Average holding time of losers",
        level="trade",
        formula="mean(exit date − entry date : pnl < 0)",
        unit="days",
        better="neither",
        func=average_losing_holding_days,
        reference="vectorbt Avg Losing Trade Duration",
        description="How long a position that lost was held, in calendar days.",
    ),
    Metric(
        key="long_share",
        label="Long trades",
        level="trade",
        formula="share of trades that were long",
        unit="fraction",
        better="neither",
        func=long_share,
        reference="definition",
        description="How many of the trades bought first and sold later; the others were short.",
    ),
    Metric(
        key="long_win_rate",
        label="Win rate, long",
        level="trade",
        formula="share of long trades with pnl > 0",
        unit="fraction",
        better="higher",
        func=long_win_rate,
        reference="definition",
        description="How many of the long trades ended with a gain after all costs.",
    ),
    Metric(
        key="short_win_rate",
        label="Win rate, short",
        level="trade",
        formula="share of short trades with pnl > 0",
        unit="fraction",
        better="higher",
        func=short_win_rate,
        reference="definition",
        description="How many of the short trades ended with a gain after all costs.",
    ),
)
