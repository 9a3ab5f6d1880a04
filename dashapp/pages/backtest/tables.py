"""The tables of the tear sheet as words: what the page and the report show alike."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from analytics.backtest.crises import crisis_table
from analytics.backtest.intervals import SPREADS, WIDEST
from analytics.backtest.tear_sheet import Record, contributions, cost_items, period_returns, worst_drawdowns
from analytics.metrics import METRICS
from dashapp.figures.backtest_returns import MONTHS, tenths
from dashapp.format import UNKNOWN, by_unit, is_known, number, percent, usd

Table = tuple[list[str], list[list[str]]]  # header, rows
Looks = dict[str, tuple[str, Callable[[Any], str]]]  # {column: (header, format)}

LEVELS = {"period": "Returns and risk", "benchmark": "Against buy and hold", "trade": "Trades", "cost": "Costs"}
PENNY = 0.01  # USD
BOOTSTRAP_INTERVAL = "The interval is a stationary block bootstrap's: 95 % of what such sessions, drawn anew in blocks, would have given."
VOLATILITY_INTERVAL = (
    "The 95 % interval is no bootstrap's: it follows from how slowly the size of the returns rises and falls (docs/METHODS.md). "
    "None is shown where it would be too wide to say anything, as of an account that is mostly in cash."
)
HEADLINE = ("total_return", "annual_return", "annual_volatility", "sharpe_ratio", "max_drawdown", "n_trades")


def metric_text(key: str, value: Any) -> str:
    """Return a metric's value in the format of its unit, days named as such; a dash where it is undefined."""
    unit = METRICS[key].unit
    return by_unit(value, unit) + (" days" if unit == "days" and is_known(value) else "")


def explain(key: str) -> str:
    """Return what a metric is, its formula and its source."""
    metric = METRICS[key]
    return f"{metric.description} {metric.formula}. {metric.reference}."


def metric_groups(metrics: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return (level, keys) of the stored metrics, in the registry's order."""
    groups: dict[str, list[str]] = {level: [] for level in LEVELS}
    for key, metric in METRICS.items():
        if key in metrics:
            groups[metric.level].append(key)
    return [(level, keys) for level, keys in groups.items() if keys]


def interval_text(key: str, intervals: dict[str, Any]) -> str:
    """Return the 95 % interval of a metric, "" where there is none."""
    low, high = intervals.get(key) or (None, None)
    if low is None or high is None or (key in SPREADS and high > WIDEST * low):  # the latter of an earlier version
        return ""
    return f"95 %: {metric_text(key, low)} to {metric_text(key, high)}"


def interval_source(key: str) -> str:
    """Return by what method the interval of a metric is made."""
    return VOLATILITY_INTERVAL if key in SPREADS else BOOTSTRAP_INTERVAL


def beside_text(key: str, metrics: dict[str, Any]) -> str:
    """Return the same metric of buy and hold, "" where there is none."""
    other = f"benchmark_{key}"
    return (
        f"buy and hold {metric_text(other, metrics[other])}"
        if other in METRICS and is_known(metrics.get(other))
        else ""
    )


def ticker_rows(trades: pd.DataFrame, tickers: pd.DataFrame, initial_capital: float) -> pd.DataFrame:
    """Return what each ticker earned in the shared account, the most first, beside what it would have earned alone.

    tickers: each on its own, empty where that is not stored.
    """
    earned = contributions(trades, initial_capital)[["ticker", "n_trades", "pnl", "contribution"]]
    alone = tickers.drop(columns=["contribution", "n_trades"], errors="ignore")
    table = alone.merge(earned, on="ticker", how="outer") if len(alone) else earned
    return table.sort_values(["pnl", "ticker"], ascending=[False, True], na_position="last", ignore_index=True)


def drawdown_words(record: Record) -> Table:
    """Return the worst drawdowns: number, start, trough, recovery, depth and days."""
    found = worst_drawdowns(record)
    rows = [
        [f"{row.number}", percent(row.depth), row.start, row.trough, "not yet" if pd.isna(row.recovery) else row.recovery, f"{number(row.days, digits=0)} days"]
        for row in found.itertuples()
    ]  # fmt: skip
    return ["#", "Depth", "Peak", "Trough", "Regained", "Lasted"], rows


def crisis_words(record: Record) -> Table:
    """Return what strategy and benchmark did in each crisis that the test overlaps."""
    found = crisis_table(record)
    rows = [
        [row.label + ("" if row.is_whole else " (part)"), percent(row.total_return), percent(row.benchmark_total_return),
         percent(row.max_drawdown), percent(row.benchmark_max_drawdown)]
        for row in found.itertuples()
    ]  # fmt: skip
    return ["Crisis", "Strategy", "Buy and hold", "Drawdown", "of buy and hold"], rows


def cost_words(trades: pd.DataFrame, record: Record) -> Table:
    """Return what trading cost by item, in USD, of the capital and of the value traded."""
    rows = [
        [row.item, usd(row.usd, digits=0), percent(row.of_capital, digits=2), basis_points(row.of_traded)]
        for row in cost_items(trades, record).itertuples()
    ]
    return ["Item", "USD", "Of the capital", "Of what was traded"], rows


def ticker_words(trades: pd.DataFrame, tickers: pd.DataFrame, initial_capital: float) -> Table:
    """Return what each ticker earned, and alone where that is stored."""
    table = ticker_rows(trades, tickers, initial_capital)
    looks: Looks = {
        "ticker": ("Ticker", str), "n_trades": ("Trades", lambda value: number(value, digits=0)), "pnl": ("P&L", lambda value: usd(value, digits=0)),
        "contribution": ("Of the capital", percent), "total_return": ("Alone", percent), "buy_and_hold_return": ("Buy and hold", percent),
        "sharpe_ratio": ("Alone: Sharpe", number), "max_drawdown": ("Alone: drawdown", percent),
    }  # fmt: skip
    return _formatted(table, looks)


def trade_words(trades: pd.DataFrame) -> Table:
    """Return the trades, a row per round trip: dates, prices with the digits they need, money and percent."""
    looks: Looks = {
        "trade_id": ("#", str), "ticker": ("Ticker", str), "direction": ("Side", str), "entry_date": ("Entry", str), "entry_price": ("at", price),
        "entry_reason": ("Entered because", str), "exit_date": ("Exit", str), "exit_price": ("at", price), "reason": ("Closed by", str),
        "pnl": ("P&L", usd), "return_pct": ("Return", percent),
    }  # fmt: skip
    return _formatted(trades, looks)


def _formatted(table: pd.DataFrame, looks: Looks) -> Table:
    """The columns that are there and known, each in its format; an unknown value is a dash."""
    shown = [name for name in looks if name in table and table[name].notna().any()]
    columns = [[UNKNOWN if pd.isna(value) else looks[name][1](value) for value in table[name]] for name in shown]
    return [looks[name][0] for name in shown], [list(row) for row in zip(*columns, strict=True)]


def price(value: Any) -> str:
    """Return a price per share: cents, and of a small one four significant digits."""
    return usd(value, digits=2 if not is_known(value) or abs(value) >= 1 else 4 if abs(value) >= PENNY else 6)


def month_words(record: Record) -> Table:
    """Return the monthly returns by year, percent, with the year's."""
    months, years = period_returns(record, "M"), period_returns(record, "Y")
    by_month = {
        str(day)[:7]: value
        for day, value in zip(months["period"].to_numpy("datetime64[D]"), months["strategy"], strict=True)
    }
    rows = [
        [year, *(_cell(by_month.get(f"{year}-{month:02}")) for month in range(1, 13)), _cell(total)]
        for year, total in zip((str(day)[:4] for day in years["period"].to_numpy("datetime64[D]")), years["strategy"], strict=True)
    ]  # fmt: skip
    return ["Year, %", *MONTHS, "Year"], rows


def basis_points(value: Any) -> str:
    """Return a small fraction in basis points."""
    return f"{number(value * 1e4, digits=1)} bp" if is_known(value) else UNKNOWN


def _cell(value: Any) -> str:
    return tenths(value) if is_known(value) else ""
