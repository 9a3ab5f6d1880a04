"""The answer of a backtest: verdict and key figures first, then the tear sheet, every metric and how it was made."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import dcc, html

from analytics.backtest.intervals import SPREADS
from analytics.metrics import METRICS
from dashapp.components import card, column, empty_state, grid, stat, stats, text_table
from dashapp.data import market, published, workspace
from dashapp.format import is_known, unbroken
from dashapp.pages.backtest.assumptions import asked, assumed, facts, notes
from dashapp.pages.backtest.badge import audit_stat, gate_list
from dashapp.pages.backtest.link import link_to
from dashapp.pages.backtest.luck import luck_card
from dashapp.pages.backtest.reconciliation import reconciliation_view
from dashapp.pages.backtest.script import python_script
from dashapp.pages.backtest.stored import (
    KEPT_RESULTS,
    capital_of,
    curves_of,
    is_current,
    result_row,
    stored,
    tickers_alone,
    trades_of,
)
from dashapp.pages.backtest.tables import (
    HEADLINE,
    LEVELS,
    beside_text,
    explain,
    interval_source,
    interval_text,
    metric_groups,
    metric_text,
    ticker_rows,
)
from dashapp.pages.backtest.tear_sheet import account_card, pictures, tickers_card, trades_card

SCRIPT = "backtest-script"
METRIC_HEIGHT = 440


def verdict_view(result_id: str | None, *, checking: bool = False) -> list[Any]:
    """Return what was asked, what is assumed, the verdict and the key figures; nothing where no result is shown.

    checking: whether its job still checks it, so that what is missing is on its way.
    """
    if result_id is None:
        return []
    with market() as reader:
        run, _ = published(reader)
    result = result_row(result_id)
    stale = not is_current(result_id, run["run_id"])
    return [
        html.P([asked(result), " ", dcc.Link("set the form to this question", href=link_to(result))], className="mb-1"),
        html.P(assumed(result), className="small text-body-secondary mb-1"),
        *(html.P(text, className="small text-body-secondary mb-1") for text in notes(result, stale=stale)),
        html.Div(stats([audit_stat(result["audit"], checking=checking), *_cards(result)]), className="filled mt-3"),
        *gate_list(result["audit"]),
    ]


def account_view(result_id: str | None, *, theme: str | None) -> Any:
    """Return the account of a stored result, or what to do where there is none; raises MissingDataError where it is not stored."""
    with market() as reader:
        published(reader)  # without a store there is nothing to test on: this says so
    if result_id is None:
        return empty_state("Set the controls and press Run Backtest. The answer is stored: the same question on the same "
                           "data comes back at once.", title="No backtest yet", icon="play-circle")  # fmt: skip
    initial_capital = capital_of(result_row(result_id))  # what is drawn already may be stored no more
    return _account(workspace(), result_id, initial_capital, theme)


def sheet_view(result_id: str | None, *, theme: str | None) -> Any:
    """Return what the ledger says of a stored result, and its other pictures; nothing where no result is shown."""
    if result_id is None:
        return None
    return [luck_card(result_row(result_id)), _sheet(workspace(), result_id, theme)]


def tickers_view(result_id: str | None) -> Any:
    """Return what each ticker earned, alone too once that is stored; nothing where no result is shown."""
    if result_id is None:
        return None
    initial_capital = capital_of(result_row(result_id))
    return tickers_card(ticker_rows(trades_of(result_id), tickers_alone(result_id), initial_capital))


def record_view(result_id: str | None) -> Any:
    """Return trades, metrics and how the result was made, and how our numbers compare with others'."""
    made = [] if result_id is None else _record(workspace(), result_id)
    return [*made, reconciliation_view()]


@lru_cache(maxsize=KEPT_RESULTS)
def _account(_workspace: Path, result_id: str, initial_capital: float, theme: str | None) -> html.Div | None:
    """A result never changes once it is stored: neither do its pictures. What its audit adds stands elsewhere."""
    return account_card(curves_of(result_id), initial_capital, theme=theme)


@lru_cache(maxsize=KEPT_RESULTS)
def _sheet(_workspace: Path, result_id: str, theme: str | None) -> dbc.Row | None:
    return pictures(stored(result_id), theme=theme)


@lru_cache(maxsize=KEPT_RESULTS)
def _record(_workspace: Path, result_id: str) -> list[Any]:
    shown = stored(result_id)
    return [
        trades_card(shown),
        card("Metrics", _metric_grids(shown.metrics), tip="Every figure from one registry; rest on a name for what it is, its formula and its source."),
        card("How it was made", _facts(shown.result), tip="From these this result can be made again, to the same bytes."),
        _script(shown.result),
    ]  # fmt: skip


def _cards(result: dict[str, Any]) -> list[html.Div]:
    return [
        stat(METRICS[key].label, metric_text(key, result["metrics"].get(key)), tip=_with_interval(key, result), note=_note(key, result))
        for key in HEADLINE
    ]  # fmt: skip


def _note(key: str, result: dict[str, Any]) -> str:
    """The interval, or of the Sharpe ratio its standard error, and the same of buy and hold."""
    metrics, sure = result["metrics"], interval_text(key, result["audit"].get("intervals") or {})
    if not sure and key == "sharpe_ratio" and is_known(metrics.get("sharpe_ratio_se")):
        sure = f"± {metric_text('sharpe_ratio_se', metrics.get('sharpe_ratio_se'))} standard error"
    return unbroken(" · ".join(text for text in (sure, beside_text(key, metrics)) if text))


def _with_interval(key: str, result: dict[str, Any]) -> str:
    has_interval = interval_text(key, result["audit"].get("intervals") or {}) or key in SPREADS
    return explain(key) + (f" {interval_source(key)}" if has_interval else "")


def _metric_grids(metrics: dict[str, Any]) -> dbc.Row:
    """A table per level. As grids: a thousand cells as components of their own would hold the browser up for seconds."""
    columns = [
        column("metric", "Metric", cellClass="explained", tooltipField="about", tip="Rest on a name for what it is, its formula and its source"),
        column("value", "Value", width=138, sortable=False, cellClass="ag-right-aligned-cell num", headerClass="ag-right-aligned-header"),
    ]  # fmt: skip
    parts = []
    for level, keys in metric_groups(metrics):
        rows = pd.DataFrame({
            "key": keys, "metric": [METRICS[key].label for key in keys], "about": [explain(key) for key in keys],
            "value": [metric_text(key, metrics[key]) for key in keys],
        })  # fmt: skip
        table = grid(f"backtest-metrics-{level}", rows, columns, row_id="key", height=METRIC_HEIGHT, row_height=28)
        parts.append(dbc.Col([html.H3(LEVELS[level], className="metric-group"), table], md=6, xl=3, class_name="mb-3"))
    return dbc.Row(parts)


def _facts(result: dict[str, Any]) -> html.Div:
    return html.Div(text_table(["", ""], list(facts(result).items())), className="facts small")


def _script(result: dict[str, Any]) -> html.Details:
    """The result as a script, with a button that copies it; the page's own script does the copying."""
    label = [html.I(className="bi bi-clipboard"), " Copy"]
    button = html.Button(label, className="btn btn-sm btn-outline-secondary", **{"data-copy": SCRIPT})  # type: ignore[arg-type]
    text = html.Pre(python_script(result), id=SCRIPT, className="script", tabIndex=0)
    body = [
        html.P("Runs this backtest again from data.db and prints its metrics.", className="small text-body-secondary"),
        text,
    ]
    return html.Details(
        [html.Summary("Copy as Python"), card("The same numbers, by a script", body, tools=button)], className="mb-3"
    )
