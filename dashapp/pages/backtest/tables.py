"""The tables of the tear sheet as words: what the page and the report show alike."""

from typing import Any

import pandas as pd

from analytics.backtest.crises import crisis_table
from analytics.backtest.tear_sheet import Record, cost_items, period_returns, worst_drawdowns
from analytics.metrics import METRICS
from dashapp.figures.backtest_returns import MONTHS, tenths
from dashapp.format import UNKNOWN, by_unit, is_known, number, percent, usd

Table = tuple[list[str], list[list[str]]]  # header, rows

LEVELS = {"period": "Returns and risk", "benchmark": "Against buy and hold", "trade": "Trades", "cost": "Costs"}
HEADLINE = ("total_return", "annual_return", "annual_volatility", "sharpe_ratio", "max_drawdown", "n_trades")


def metric_text(key: str, value: Any) -> str:
    """Return a metric's value in the format of its unit; a dash where it is undefined."""
    return by_unit(value, METRICS[key].unit)


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
    return f"95 %: {metric_text(key, low)} to {metric_text(key, high)}" if is_known(low) and is_known(high) else ""


def drawdown_words(record: Record) -> Table:
    """Return the worst drawdowns: number, start, trough, recovery, depth and days."""
    found = worst_drawdowns(record)
    rows = [
        [f"{row.number}", row.start, row.trough, "not yet" if pd.isna(row.recovery) else row.recovery, percent(row.depth), number(row.days, digits=0)]
        for row in found.itertuples()
    ]  # fmt: skip
    return ["#", "Peak", "Trough", "Regained", "Depth", "Days"], rows


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
        [row.item, usd(row.usd, digits=0), percent(row.of_capital), basis_points(row.of_traded)]
        for row in cost_items(trades, record).itertuples()
    ]
    return ["Item", "USD", "Of the capital", "Of what was traded"], rows


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
