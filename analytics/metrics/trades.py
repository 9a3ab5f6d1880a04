"""Metrics of the round trips: how many won, and how much."""

import math

import numpy as np

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.metrics._arithmetic import NAN, deviation, largest, longest_run, mean, ratio, smallest
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance
from analytics.metrics.days import gains, losses


def of_trades(performance: Performance, name: str) -> FloatArray:
    """Return the named array of the trades, (n_trades,); empty where it is not known."""
    values = getattr(performance.trades, name) if performance.trades is not None else None
    return np.empty(0) if values is None else values


def n_trades(performance: Performance) -> float:
    """Return the number of round trips. NaN when: the trades are not known."""
    return float(len(performance.trades.pnl)) if performance.trades is not None else NAN


def annual_trades(performance: Performance) -> float:
    """Return the number of round trips per year of sessions. NaN when: the trades are not known, or no session."""
    return ratio(TRADING_DAYS * n_trades(performance), len(performance.dates))


def win_rate(performance: Performance) -> float:
    """Return the share of trades with a net gain, 0 to 1. NaN when: there is no trade."""
    return mean(of_trades(performance, "pnl") > 0.0)


def profit_factor(performance: Performance) -> float:
    """Return net gains over net losses. NaN when: no trade lost."""
    pnl = of_trades(performance, "pnl")
    return ratio(float(gains(pnl).sum()), -float(losses(pnl).sum()))


def payoff_ratio(performance: Performance) -> float:
    """Return the average gain of a winning trade over the average loss. NaN when: none won, or none lost."""
    pnl = of_trades(performance, "pnl")
    return ratio(mean(gains(pnl)), -mean(losses(pnl)))


def expectancy(performance: Performance) -> float:
    """Return the mean net gain of a trade in USD. NaN when: there is no trade."""
    return mean(of_trades(performance, "pnl"))


def system_quality_number(performance: Performance) -> float:
    """Return √n × mean over deviation of the net gains. NaN when: fewer than two trades, or all alike."""
    pnl = of_trades(performance, "pnl")
    return math.sqrt(len(pnl)) * ratio(mean(pnl), deviation(pnl))


def average_trade_return(performance: Performance) -> float:
    """Return the mean net return of a trade. NaN when: there is no trade."""
    return mean(of_trades(performance, "return_pct"))


def average_winning_trade(performance: Performance) -> float:
    """Return the mean net return of the trades that won. NaN when: none did."""
    return mean(_where_pnl(performance, "return_pct", won=True))


def average_losing_trade(performance: Performance) -> float:
    """Return the mean net return of the trades that lost, 0 or less. NaN when: none did."""
    return mean(_where_pnl(performance, "return_pct", won=False))


def best_trade(performance: Performance) -> float:
    """Return the largest net return of a trade. NaN when: there is no trade."""
    return largest(of_trades(performance, "return_pct"))


def worst_trade(performance: Performance) -> float:
    """Return the smallest net return of a trade. NaN when: there is no trade."""
    return smallest(of_trades(performance, "return_pct"))


def max_consecutive_winning_trades(performance: Performance) -> float:
    """Return the most trades in a row with a net gain. NaN when: there is no trade."""
    return longest_run(of_trades(performance, "pnl") > 0.0)


def max_consecutive_losing_trades(performance: Performance) -> float:
    """Return the most trades in a row with a net loss. NaN when: there is no trade."""
    return longest_run(of_trades(performance, "pnl") < 0.0)


def _where_pnl(performance: Performance, name: str, *, won: bool) -> FloatArray:
    """The named array of the trades that won, or of those that lost."""
    pnl, values = of_trades(performance, "pnl"), of_trades(performance, name)
    return values[pnl > 0.0] if won else values[pnl < 0.0]


METRICS = (
    Metric(
        key="n_trades",
        label="Trades",
        level="trade",
        formula="number of round trips",
        unit="count",
        better="neither",
        func=n_trades,
        reference="definition",
        description="Round trips from flat to flat; a position still open at the end counts.",
    ),
    Metric(
        key="annual_trades",
        label="Trades per year",
        level="trade",
        formula=f"{TRADING_DAYS} × trades / sessions",
        unit="ratio",
        better="neither",
        func=annual_trades,
        reference="definition",
        description="How many round trips a year of sessions had.",
    ),
    Metric(
        key="win_rate",
        label="Win rate",
        level="trade",
        formula="share of trades with pnl > 0",
        unit="fraction",
        better="higher",
        func=win_rate,
        reference="definition",
        description="How many of the trades ended with a gain after all costs.",
    ),
    Metric(
        key="profit_factor",
        label="Profit factor",
        level="trade",
        formula="Σ gains / Σ losses",
        unit="ratio",
        better="higher",
        func=profit_factor,
        reference="definition",
        description="What the winning trades earned for each dollar that the losing ones lost.",
    ),
    Metric(
        key="payoff_ratio",
        label="Payoff ratio",
        level="trade",
        formula="mean(pnl : pnl > 0) / −mean(pnl : pnl < 0)",
        unit="ratio",
        better="higher",
        func=payoff_ratio,
        reference="definition",
        description="The average gain of a winning trade against the average loss of a losing one.",
    ),
    Metric(
        key="expectancy",
        label="Expectancy",
        level="trade",
        formula="mean(pnl)",
        unit="usd",
        better="higher",
        func=expectancy,
        reference="Tharp (1998); vectorbt Trades.expectancy",
        description="What a trade earned on average, after all costs.",
    ),
    Metric(
        key="system_quality_number",
        label="System quality number",
        level="trade",
        formula="√(number of trades) × mean(pnl) / s(pnl)",
        unit="ratio",
        better="higher",
        func=system_quality_number,
        reference="Tharp (2008); vectorbt Trades.sqn",
        description="The t statistic of the average gain of a trade: below 1.6 it is hard to tell from luck.",
    ),
    Metric(
        key="average_trade_return",
        label="Average trade return",
        level="trade",
        formula="mean(pnl / (quantity × entry price))",
        unit="fraction",
        better="higher",
        func=average_trade_return,
        reference="definition",
        description="The mean net return of a trade on the money put into it.",
    ),
    Metric(
        key="average_winning_trade",
        label="Average winning trade",
        level="trade",
        formula="mean(net return : pnl > 0)",
        unit="fraction",
        better="higher",
        func=average_winning_trade,
        reference="definition",
        description="The mean net return of the trades that won.",
    ),
    Metric(
        key="average_losing_trade",
        label="Average losing trade",
        level="trade",
        formula="mean(net return : pnl < 0)",
        unit="fraction",
        better="higher",
        func=average_losing_trade,
        reference="definition",
        description="The mean net return of the trades that lost, as a negative return.",
    ),
    Metric(
        key="best_trade",
        label="Best trade",
        level="trade",
        formula="max net return",
        unit="fraction",
        better="higher",
        func=best_trade,
        reference="definition",
        description="The largest net return of a trade on the money put into it.",
    ),
    Metric(
        key="worst_trade",
        label="Worst trade",
        level="trade",
        formula="min net return",
        unit="fraction",
        better="higher",
        func=worst_trade,
        reference="definition",
        description="The smallest net return of a trade on the money put into it.",
    ),
    Metric(
        key="max_consecutive_winning_trades",
        label="Most winning trades in a row",
        level="trade",
        formula="longest run of pnl > 0",
        unit="count",
        better="higher",
        func=max_consecutive_winning_trades,
        reference="definition",
        description="The longest run of trades that won, in the order in which they ended.",
    ),
    Metric(
        key="max_consecutive_losing_trades",
        label="Most losing trades in a row",
        level="trade",
        formula="longest run of pnl < 0",
        unit="count",
        better="lower",
        func=max_consecutive_losing_trades,
        reference="definition",
        description="The longest run of trades that lost, in the order in which they ended.",
    ),
)
