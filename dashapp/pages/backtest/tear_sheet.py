"""The pictures and tables of a backtest: the path, the periods, the falls, the costs, and where the money came from."""

from functools import cache
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import dcc, html

from analytics.backtest.tear_sheet import (
    Record,
    contributions,
    distribution,
    period_returns,
    period_turnover,
    rolling_statistics,
    worst_drawdowns,
)
from dashapp.components import card, column, graph, grid, number_column, percent_column, text_table
from dashapp.figures.backtest import equity_figure, exposure_figure, rolling_figure, turnover_unit
from dashapp.figures.backtest_returns import (
    best_and_worst,
    contribution_figure,
    distribution_figure,
    months_figure,
    years_figure,
)
from dashapp.format import is_known
from dashapp.pages.backtest.stored import Stored
from dashapp.pages.backtest.tables import cost_words, crisis_words, drawdown_words

NARROW = 4  # columns that a telephone shows


def account_card(curves: pd.DataFrame, initial_capital: float, *, theme: str | None) -> html.Div | None:
    """Return the account beside buy and hold; None where no account is stored.

    curves: date, equity, benchmark (USD) and drawdown.
    """
    if curves.empty:
        return None
    deepest = worst_drawdowns(Record.of(curves, initial_capital))
    return card("Equity and drawdown", graph(equity_figure(curves, theme=theme, drawdowns=deepest)), tools=_scale(),
                tip="Account value at each close, in total-return prices, against buying the same tickers equally at the start with the same "
                    "costs. Shaded: the worst drawdowns, with their numbers in the table below.")  # fmt: skip


@cache
def practice_chart() -> dcc.Graph:
    """Return a chart like that of an account, which nobody sees: a browser draws its first of a kind in twice the time."""
    days, path = np.arange(60), 100.0 + 10.0 * np.sin(np.arange(60))
    account = pd.DataFrame({
        "date": np.datetime_as_string(np.datetime64("2000-01-03") + days), "equity": path, "benchmark": 100.0 + days,
        "drawdown": path / np.maximum.accumulate(path) - 1.0,
    })  # fmt: skip
    return graph(equity_figure(account, theme=None, drawdowns=worst_drawdowns(Record.of(account, 100.0))))


def pictures(shown: Stored, *, theme: str | None) -> dbc.Row | None:
    """Return the other cards of the tear sheet; None where no account is stored."""
    if shown.account.empty:
        return None
    left = [
        card("Worst drawdowns", _table(drawdown_words(shown.record), "No drawdown."), tip="From a peak until it is regained; days are calendar days."),
        _months(shown, theme), _rolling(shown, theme), _costs(shown),
    ]  # fmt: skip
    right = [
        card("Crises", _table(crisis_words(shown.record), "The test overlaps none of the dated crises."),
             tip="From the closing high of the S&P 500 to the closing low that ended the fall. (part): the test covers only part of it."),
        _years(shown, theme), _distribution(shown, theme), _exposure(shown, theme), _contributions(shown, theme),
    ]  # fmt: skip
    return dbc.Row([dbc.Col(left, xl=6), dbc.Col(right, xl=6)])


def trades_card(shown: Stored) -> html.Div:
    """Return the trades, a row per round trip, with why each was entered and left."""
    return card("Trades", _trades(shown.trades), tip="One row per round trip. Prices are total-return prices: split- and dividend-adjusted.")  # fmt: skip


def _months(shown: Stored, theme: str | None) -> html.Div:
    figure = months_figure(period_returns(shown.record, "M"), theme=theme)
    return card("Monthly returns, %", graph(figure, tools=False), tip="Compounded by calendar month; the first and last may be parts of one.")  # fmt: skip


def _years(shown: Stored, theme: str | None) -> html.Div:
    figure = years_figure(period_returns(shown.record, "Y"), theme=theme)
    return card("Yearly returns", graph(figure, tools=False), tip="Compounded by calendar year, beside buy and hold.")


def _distribution(shown: Stored, theme: str | None) -> html.Div:
    risks = {
        name: _known(shown.metrics.get(key))
        for name, key in (("VaR 95 %", "value_at_risk"), ("ES 95 %", "expected_shortfall"))
    }
    figure = distribution_figure(distribution(shown.record.returns), risks, theme=theme)
    return card("Distribution of the returns", graph(figure, tools=False),
                tip="Sessions by their return, with the normal distribution of the same mean and deviation. VaR: the loss that 5 % of the "
                    "sessions exceed; ES: their mean loss.")  # fmt: skip


def _exposure(shown: Stored, theme: str | None) -> html.Div:
    figure = exposure_figure(
        shown.account, period_turnover(shown.account, turnover_unit(shown.record.dates)), theme=theme
    )
    return card("Exposure and turnover", graph(figure, tools=False),
                tip="Value of the positions over the account's at each close; turnover is half the value traded over the account's, by month.")  # fmt: skip


def _costs(shown: Stored) -> html.Div:
    return card("Costs", _table(cost_words(shown.trades, shown.record), ""),
                tip="What trading cost, item by item: slippage is its flat part, impact the part that grows with the order. Interest is "
                    "what the account gained beyond its trades.")  # fmt: skip


def _rolling(shown: Stored, theme: str | None) -> html.Div:
    rolling = rolling_statistics(shown.record)
    whole = {name: _known(shown.metrics.get(name)) for name in ("sharpe_ratio", "beta", "annual_volatility")}
    body = (
        graph(rolling_figure(rolling, whole, theme=theme), tools=False)
        if len(rolling)
        else html.P("The test is shorter than a year.", className="mb-0")
    )
    return card("Rolling, one year", body, tip="Sharpe ratio, beta on buy and hold, and annual volatility of the 252 sessions up to each date; "
                "dotted: over the whole test. A gap: the risk-free rate is unknown, or nothing moved.")  # fmt: skip


def _contributions(shown: Stored, theme: str | None) -> Any:
    earned = contributions(shown.trades, shown.initial_capital)
    if earned.empty:
        return None
    drawn = len(best_and_worst(earned))
    title = (
        f"Contribution of each ticker, {drawn} of {len(earned)}"
        if drawn < len(earned)
        else "Contribution of each ticker"
    )
    about = " The best and the worst are drawn; the table of the tickers lists all." if drawn < len(earned) else ""
    return card(title, graph(contribution_figure(earned, theme=theme), tools=False),
                tip=f"What the ticker's trades earned in the shared account, net of all costs, as a share of the initial capital.{about}")  # fmt: skip


def tickers_card(rows: pd.DataFrame) -> html.Div:
    """Return what each ticker earned in the shared account, beside what it would have earned on its own."""
    body = _ticker_grid(rows) if len(rows) else html.P("Nothing was traded.", className="mb-0")
    return card("Tickers", body, tip="P&L: what the ticker's trades earned in the shared account, net of all costs. Alone: the same strategy with "
                "the whole capital on that ticker only.")  # fmt: skip


def _ticker_grid(table: pd.DataFrame) -> html.Div:
    on_its_own = "On its own account, with the whole capital"
    columns = [
        column("ticker", "Ticker", width=90, pinned="left"),
        number_column("pnl", "P&L $", digits=0, width=110, tip="In the shared account, net of all costs"),
        percent_column("contribution", "Of capital", coloured=True, width=100, tip="P&L over the initial capital"),
        number_column("n_trades", "Trades", digits=0, width=85),
        percent_column("total_return", "Alone: return", coloured=True, width=110, tip=on_its_own),
        percent_column(
            "buy_and_hold_return", "Buy and hold", coloured=True, width=105, tip="Of that ticker alone, same costs"
        ),
        percent_column("annual_return", "A year", coloured=True, width=95, tip=on_its_own),
        percent_column("annual_volatility", "Volatility", width=100, tip=on_its_own),
        number_column("sharpe_ratio", "Sharpe", width=90, tip=on_its_own),
        percent_column("max_drawdown", "Drawdown", width=105, tip=on_its_own),
        percent_column("win_rate", "Win rate", digits=0, width=90, tip=on_its_own),
    ]
    shown = [item for item in columns if item["field"] in table]
    return grid("backtest-tickers", table, shown, row_id="ticker", height=min(480, 70 + 32 * len(table)), row_height=32)


def _trades(trades: pd.DataFrame) -> Any:
    if trades.empty:
        return html.P("No trade: the strategy never bought in this period.", className="mb-0")
    columns = [
        number_column("trade_id", "#", digits=0, width=65), column("ticker", "Ticker", width=90), column("direction", "Side", width=75),
        column("entry_date", "Entry", width=110), _price_column("entry_price"),
        column("entry_reason", "Entered because", minWidth=230, tooltipField="entry_reason"),
        column("exit_date", "Exit", width=110), _price_column("exit_price"),
        column("reason", "Closed by", width=120),
        number_column("pnl", "P&L $", width=105, tip="Net of all costs"),
        percent_column("return_pct", "Return", coloured=True, width=90, tip="Net of all costs"),
        number_column("quantity", "Shares", width=100, tip="Shares at total-return prices: what was held, with dividends put into more of it"), number_column("fees", "Fees $", width=85),
        number_column("slippage", "Slippage $", width=95, tip="Half-spread, flat slippage and market impact together"),
        number_column("spread", "of it spread $", width=95), number_column("impact", "of it impact $", width=95),
        number_column("borrow", "Borrow $", width=90),
    ]  # fmt: skip
    known = [item for item in columns if item["field"] in trades and trades[item["field"]].notna().any()]
    return grid(
        "backtest-trades",
        trades.assign(row=trades["trade_id"].astype(str)),
        known,
        row_id="row",
        height=480,
        row_height=32,
    )


def _price_column(field: str) -> dict[str, Any]:
    """A price with four significant digits where it is small: of an old one, adjusted for dividends, cents are too few."""
    by_size = "plumblineNumber(params.value, params.value < 0.01 ? 6 : params.value < 1 ? 4 : 2)"
    return number_column(field, "at $", width=95) | {"valueFormatter": {"function": by_size}}


def _table(table: tuple[list[str], list[list[str]]], nothing: str) -> Any:
    """A table as it is read; on a narrow screen a wide one says that it slides."""
    header, rows = table
    if not rows:
        return html.P(nothing, className="mb-0")
    hint = (
        html.Div("← slide sideways for more →", className="d-md-none small text-body-secondary")
        if len(header) > NARROW
        else None
    )
    return [hint, text_table(header, rows)]


def _scale() -> html.Div:
    """Two buttons that switch the equity's axis in the browser."""
    return html.Div([
        html.Button("Log", className="btn btn-sm btn-outline-secondary active", **{"data-scale": "log"}),  # type: ignore[arg-type]
        html.Button("Linear", className="btn btn-sm btn-outline-secondary", **{"data-scale": "linear"}),  # type: ignore[arg-type]
    ], className="btn-group", role="group", title="Scale of the equity")  # fmt: skip


def _known(value: Any) -> float:
    return float(value) if is_known(value) else float("nan")
