"""What the chosen runs show at once: curves, Sharpe ratios, the table of metrics, correlation."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import html

from analytics.metrics import METRICS
from dashapp.components import card, column, graph, grid, number_column, percent_column
from dashapp.figures.compare import correlation_figure, curves_figure, sharpe_figure
from dashapp.pages.compare.runs import Runs, known, tickers_text

SHOWN = (
    "total_return", "annual_return", "annual_volatility", "sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio",
    "value_at_risk", "beta", "annual_alpha", "exposure_share", "annual_turnover", "cost_drag", "win_rate", "n_trades",
)  # fmt: skip


def overview(runs: Runs, *, theme: str | None) -> list[Any]:
    """Return the cards that need no test; raises MissingDataError where the runs share no sessions."""
    common = runs.common
    lists = {tuple(item["tickers"]) for item in runs.results.values()}
    tickers = f", all on {tickers_text(lists.pop())}" if len(lists) == 1 else ""
    span = f"{common.dates[0]} to {common.dates[-1]}, {len(common.dates):,} sessions{tickers}"
    apart = (
        ""
        if runs.same_dates
        else " The runs cover different dates: curves, correlations and tests use the sessions they share, the metrics each run's own."
    )
    return [
        card("Value of 100", [
            html.P(f"{span}.{apart}", className="small text-body-secondary mb-1"),
            graph(curves_figure(common.dates, common.curves, muted=list(runs.benchmarks), theme=theme)),
        ], tip="What 100 became, from the close of the first common session, on a log scale. Grey: buy and hold of the same tickers."),
        dbc.Row([
            dbc.Col(_sharpe(runs, theme), xl=6),
            dbc.Col(card("Correlation of returns", graph(correlation_figure(common.correlation, theme=theme), tools=False),
                         tip="Of the daily returns on the common sessions. Runs that move together are one bet, and blend to little."), xl=6),
        ]),
        card("Metrics", grid("compare-metrics", metric_rows(runs), metric_columns(dated=not runs.same_dates), row_id="label", row_height=32),
             tip="Each over its own dates, as on its tear sheet; the heading of a column explains its metric."),
    ]  # fmt: skip


def _sharpe(runs: Runs, theme: str | None) -> html.Div:
    rows = sharpe_rows(runs)
    missing = [row.name for row in rows.itertuples(index=False) if not row.muted and not np.isfinite(row.low)]
    note = (
        [html.P(f"No interval is stored for: {', '.join(missing)}.", className="small text-body-secondary mb-0")]
        if missing
        else []
    )
    return card("Sharpe ratio, with 95 % intervals", [graph(sharpe_figure(rows, theme=theme), tools=False), *note],
                tip="Per year, in excess of the risk-free rate, each over its own dates. The intervals are the audit's stationary block bootstrap. "
                    "Intervals that overlap do not settle which run is better: ask below, for the runs share their sessions.")  # fmt: skip


def sharpe_rows(runs: Runs) -> pd.DataFrame:
    """Return name, sharpe_ratio, low, high and muted of each run and of buy and hold; NaN where not known."""
    rows = []
    for label, item in runs.results.items():
        low, high = (item["audit"].get("intervals") or {}).get("sharpe_ratio") or (None, None)
        rows.append((label, known(item["metrics"].get("sharpe_ratio")), known(low), known(high), False))
    rows += [(label, benchmark_metric(runs, label, "sharpe_ratio"), np.nan, np.nan, True) for label in runs.benchmarks]
    return pd.DataFrame(rows, columns=["name", "sharpe_ratio", "low", "high", "muted"])


def metric_rows(runs: Runs) -> pd.DataFrame:
    """Return label, dates and the metrics SHOWN, a row per run and per buy and hold; NaN where undefined or not stored."""
    rows = [
        {"label": label, "dates": _dates(item)} | {key: known(item["metrics"].get(key)) for key in SHOWN}
        for label, item in runs.results.items()
    ]
    rows += [
        {"label": label, "dates": _dates(runs.results[_owner(runs, label)])} | {key: benchmark_metric(runs, label, key) for key in SHOWN}
        for label in runs.benchmarks
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _dates(item: Mapping[str, Any]) -> str:
    return f"{item['start_date'][:7]} to {item['end_date'][:7]}"


def _owner(runs: Runs, benchmark: str) -> str:
    """The label of the run that a buy and hold belongs to."""
    return next(name for name, record in runs.records.items() if record is runs.benchmarks[benchmark])


def benchmark_metric(runs: Runs, label: str, key: str) -> float:
    """Return a metric of buy and hold as the run it belongs to has stored it; NaN where it has not."""
    return known(runs.results[_owner(runs, label)]["metrics"].get(f"benchmark_{key}"))


def metric_columns(*, dated: bool) -> list[dict[str, Any]]:
    """Return the columns of the table of metrics, explained by the registry; dated: with the months that each run covers."""
    columns = [column("label", "Run", minWidth=200, pinned="left", tooltipField="label")]
    columns += [column("dates", "Over", width=150)] if dated else []
    for key in SHOWN:
        metric = METRICS[key]
        about = f"{metric.label}: {metric.description} {metric.formula}. {metric.reference}."
        if metric.unit == "fraction":
            columns.append(percent_column(key, metric.label, tip=about, width=110))
        else:
            columns.append(
                number_column(key, metric.label, tip=about, digits=0 if metric.unit == "count" else 2, width=100)
            )
    return columns
