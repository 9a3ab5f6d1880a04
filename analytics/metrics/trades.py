"""Metrics of the trades, of what they cost and of how much of the account they used."""

import numpy as np

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.metrics._metric import NAN, Metric, mean, ratio
from analytics.metrics._performance import Performance


def _of_trades(performance: Performance, name: str) -> FloatArray:
    return getattr(performance.trades, name) if performance.trades is not None else np.empty(0)


def n_trades(performance: Performance) -> float:
    """Return the number of round trips. NaN when: the trades are not known."""
    return float(len(performance.trades.pnl)) if performance.trades is not None else NAN


def win_rate(performance: Performance) -> float:
    """Return the share of trades with a net gain, 0 to 1. NaN when: there is no trade."""
    return mean(_of_trades(performance, "pnl") > 0.0)


def profit_factor(performance: Performance) -> float:
    """Return net gains over net losses. NaN when: no trade lost."""
    pnl = _of_trades(performance, "pnl")
    return ratio(float(pnl[pnl > 0.0].sum()), -float(pnl[pnl < 0.0].sum()))


def average_trade_return(performance: Performance) -> float:
    """Return the mean net return of a trade. NaN when: there is no trade."""
    return mean(_of_trades(performance, "return_pct"))


def average_holding_days(performance: Performance) -> float:
    """Return the mean time in a position in calendar days. NaN when: there is no trade."""
    return mean(_of_trades(performance, "days"))


def exposure_share(performance: Performance) -> float:
    """Return the share of sessions that end with a position, 0 to 1. NaN when: the exposure is not known."""
    (exposure,) = performance.known("gross_exposure")
    return mean(exposure > 0.0)


def average_gross_exposure(performance: Performance) -> float:
    """Return the mean share of the account in positions. NaN when: the exposure is not known."""
    return mean(*performance.known("gross_exposure"))


def annual_turnover(performance: Performance) -> float:
    """Return half the traded value over the account's, per year. NaN when: the turnover is not known."""
    return TRADING_DAYS * mean(*performance.known("turnover")) / 2.0


def total_fees(performance: Performance) -> float:
    """Return the fees of all trades in USD. NaN when: the trades are not known."""
    return float(_of_trades(performance, "fees").sum()) if performance.trades is not None else NAN


def total_slippage(performance: Performance) -> float:
    """Return the cost of slippage of all trades in USD. NaN when: the trades are not known."""
    return float(_of_trades(performance, "slippage").sum()) if performance.trades is not None else NAN


METRICS = (
    Metric(
        key="n_trades",
        label="Trades",
        formula="number of round trips",
        unit="count",
        better="neither",
        func=n_trades,
        reference="definition",
        description="Round trips from flat to flat; a position still open at the end counts.",
    ),
    Metric(
        key="win_rate",
        label="Win rate",
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
        formula="Σ gains / Σ losses",
        unit="ratio",
        better="higher",
        func=profit_factor,
        reference="definition",
        description="What the winning trades earned for each dollar that the losing ones lost.",
    ),
    Metric(
        key="average_trade_return",
        label="Average trade return",
        formula="mean(pnl / (quantity × entry price))",
        unit="fraction",
        better="higher",
        func=average_trade_return,
        reference="definition",
        description="The mean net return of a trade on the money put into it.",
    ),
    Metric(
        key="average_holding_days",
        label="Average holding time",
        formula="mean(exit date − entry date)",
        unit="days",
        better="neither",
        func=average_holding_days,
        reference="definition",
        description="How long a position was held, in calendar days.",
    ),
    Metric(
        key="exposure_share",
        label="Time in the market",
        formula="share of sessions that end with a position",
        unit="fraction",
        better="neither",
        func=exposure_share,
        reference="definition",
        description="How many of the sessions the account ended with any position at all.",
    ),
    Metric(
        key="average_gross_exposure",
        label="Average exposure",
        formula="mean(value of positions / value of account)",
        unit="fraction",
        better="neither",
        func=average_gross_exposure,
        reference="definition",
        description="How much of the account was in positions on average, at the close.",
    ),
    Metric(
        key="annual_turnover",
        label="Annual turnover",
        formula=f"{TRADING_DAYS} × mean(traded value / value of account) / 2",
        unit="ratio",
        better="lower",
        func=annual_turnover,
        reference="one-way turnover",
        description="How many times a year the whole account was exchanged.",
    ),
    Metric(
        key="total_fees",
        label="Fees",
        formula="Σ fees",
        unit="usd",
        better="lower",
        func=total_fees,
        reference="definition",
        description="What was paid in fees over the whole period.",
    ),
    Metric(
        key="total_slippage",
        label="Slippage",
        formula="Σ quantity × |price paid − price quoted|",
        unit="usd",
        better="lower",
        func=total_slippage,
        reference="definition",
        description="What was lost to prices worse than quoted over the whole period.",
    ),
)
