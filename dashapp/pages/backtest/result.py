"""The answer of a backtest: key figures, equity and drawdown, every metric and every trade."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import html

from analytics.backtest.strategies import STRATEGIES
from analytics.metrics import METRICS
from dashapp.components import (
    card,
    column,
    empty_state,
    graph,
    grid,
    info,
    number_column,
    percent_column,
    stat,
    stats,
)
from dashapp.data import market, published, workspace
from dashapp.figures.backtest import equity_figure
from dashapp.format import by_unit, percent, usd
from pipeline import backtests
from pipeline.queries import results as result_queries
from pipeline.workspace import reading

HEADLINE = ("total_return", "annual_return", "annual_volatility", "sharpe_ratio", "max_drawdown", "n_trades")


def result_view(result_id: str | None, *, theme: str) -> Any:
    """Return the stored result, or what to do where there is none; raises MissingDataError where it is not stored."""
    with market() as reader:
        run, _ = published(reader)  # without a store there is nothing to test on: this says so
    if result_id is None:
        return empty_state("Set the controls and press Run Backtest. The answer is stored: the same question on the same "
                           "data comes back at once.", title="No backtest yet", icon="play-circle")  # fmt: skip
    result = backtests.load(result_id, workspace=workspace())
    with reading(workspace()) as reader:
        account, trades = result_queries.equity(reader, result_id), result_queries.trades(reader, result_id)
        stale = not result_queries.is_current(reader, result_id, run["run_id"])
    return [
        html.P(_sentence(result, stale=stale), className="text-body-secondary"),
        stats(_cards(result["metrics"])),
        card("Equity and drawdown", graph(equity_figure(account, theme=theme)),
             tip="Account value at each close, in total-return prices, against buying the same tickers equally at the start with the same costs."),
        dbc.Row([
            dbc.Col(card("Metrics", _metric_table(result["metrics"]), tip="Every figure from one registry; hover ⓘ for its formula."), xl=4),
            dbc.Col(card("Trades", _trades(trades), tip="One row per round trip. Prices are total-return prices: split- and dividend-adjusted."), xl=8),
        ]),
        card("Audit", _audit(result), tip="How this result can be made again, to the same bytes."),
    ]  # fmt: skip


def _sentence(result: dict[str, Any], *, stale: bool) -> str:
    tickers, params = result["tickers"], result["params"]
    names = ", ".join(tickers[:8]) + (f" and {len(tickers) - 8} more" if len(tickers) > 8 else "")
    strategy = STRATEGIES[result["strategy_name"]]
    chosen = [f"{item.label.lower()} {_words(params[item.name])}" for item in strategy.parameters]
    costs = f"fees {percent(params['fee_rate'], digits=2)}, slippage {percent(params['slippage_rate'], digits=2)}"
    asked = ", ".join([*chosen, costs, f"capital {usd(params['initial_capital'], digits=0)}"])
    parts = [f"{strategy.label} on {names}, {result['start_date']} to {result['end_date']}: {asked}."]
    if len(tickers) > 1:
        parts.append("These tickers are today's: those that failed since are not among them, which flatters the past.")
    if stale:
        parts.append("Computed on an earlier data run; run it again to use the published one.")
    if carried := result["audit"].get("risk_free_carried_sessions"):
        parts.append(f"The risk-free rate is the last known one, carried over {carried:,} sessions.")
    return " ".join(parts)


def _cards(metrics: dict[str, float | None]) -> list[dbc.Card]:
    notes = {
        "total_return": f"buy and hold {percent(metrics.get('benchmark_total_return'))}",
        "sharpe_ratio": f"± {by_unit(metrics.get('sharpe_ratio_se'), 'ratio')} standard error",
    }
    return [
        stat(METRICS[key].label, by_unit(metrics[key], METRICS[key].unit), tip=_explain(key), note=notes.get(key, ""))
        for key in HEADLINE
    ]


def _explain(key: str) -> str:
    metric = METRICS[key]
    return f"{metric.description} {metric.formula}. {metric.reference}."


def _metric_table(metrics: dict[str, float | None]) -> html.Div:
    rows = [
        html.Tr([html.Td([metric.label, " ", info(_explain(key))]), html.Td(by_unit(metrics[key], metric.unit), className="text-end tabular")])
        for key, metric in METRICS.items() if key in metrics
    ]  # fmt: skip
    return html.Div(
        dbc.Table(html.Tbody(rows), size="sm", class_name="mb-0"), style={"maxHeight": "480px", "overflowY": "auto"}
    )


def _trades(trades: pd.DataFrame) -> Any:
    if trades.empty:
        return html.P("No trade: the strategy never bought in this period.", className="mb-0")
    return grid("backtest-trades", trades.assign(row=trades["trade_id"].astype(str)), [
        number_column("trade_id", "#", digits=0, width=70), column("ticker", "Ticker", width=95),
        column("entry_date", "Entry", width=115), number_column("entry_price", "at $", width=100),
        column("exit_date", "Exit", width=115), number_column("exit_price", "at $", width=100),
        number_column("pnl", "P&L $", width=115, tip="Net of all costs"),
        percent_column("return_pct", "Return", coloured=True, width=100, tip="Net of all costs"),
        number_column("quantity", "Shares", width=105, tip="Total-return shares"), number_column("fees", "Fees $", width=95),
        number_column("slippage", "Slippage $", width=105), column("reason", "Closed by", width=120),
    ], row_id="row", height=480)  # fmt: skip


def _audit(result: dict[str, Any]) -> html.Div:
    items = {"result": result["result_id"], "computed": result["test_date"], "data run": result["data_run_id"],
             "code": result["code_version"], "parameters": result["params"], **result["audit"]}  # fmt: skip
    rows = [
        html.Tr([html.Th(name.replace("_", " "), className="text-nowrap pe-3"), html.Td(_words(value))])
        for name, value in items.items()
    ]
    return html.Div(html.Table(html.Tbody(rows), className="small"), style={"overflowWrap": "anywhere"})


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    return str(value)
