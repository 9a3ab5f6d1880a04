"""The answer of a backtest: verdict and key figures first, then the tear sheet, every metric and how it was made."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import html

from analytics.metrics import METRICS
from dashapp.components import card, column, empty_state, grid, stat, stats
from dashapp.data import market, published
from dashapp.format import by_unit, percent
from dashapp.pages.backtest.assumptions import asked, assumed, notes, words
from dashapp.pages.backtest.badge import audit_stat, gate_list
from dashapp.pages.backtest.reconciliation import reconciliation_view
from dashapp.pages.backtest.script import python_script
from dashapp.pages.backtest.stored import Stored, is_current, stored
from dashapp.pages.backtest.tables import HEADLINE, LEVELS, explain, interval_text, metric_groups, metric_text
from dashapp.pages.backtest.tear_sheet import pictures, trades_card

SCRIPT = "backtest-script"
METRIC_HEIGHT = 440


def result_view(result_id: str | None, *, theme: str | None, checking: bool = False) -> Any:
    """Return the stored result, or what to do where there is none; raises MissingDataError where it is not stored.

    checking: whether its job still checks it, so that what is missing is on its way.
    """
    with market() as reader:
        run, _ = published(reader)  # without a store there is nothing to test on: this says so
    if result_id is None:
        nothing = empty_state("Set the controls and press Run Backtest. The answer is stored: the same question on the same "
                              "data comes back at once.", title="No backtest yet", icon="play-circle")  # fmt: skip
        return [nothing, reconciliation_view()]
    shown = stored(result_id)
    result, stale = shown.result, not is_current(result_id, run["run_id"])
    return [
        html.P(asked(result), className="mb-1"),
        html.P(assumed(result), className="small text-body-secondary mb-1"),
        *(html.P(text, className="small text-body-secondary mb-1") for text in notes(result, stale=stale)),
        html.Div(stats([audit_stat(shown.audit, checking=checking), *_cards(shown)]), className="filled mt-3"),
        *gate_list(shown.audit),
        *pictures(shown, theme=theme),
        trades_card(shown),
        card("Metrics", _metric_grids(shown.metrics), tip="Every figure from one registry; rest on a name for what it is, its formula and its source."),
        card("Audit", _facts(result), tip="How this result can be made again, to the same bytes."),
        _script(result),
        reconciliation_view(),
    ]  # fmt: skip


def _cards(shown: Stored) -> list[dbc.Card]:
    metrics, intervals = shown.metrics, shown.audit.get("intervals") or {}
    notes_of = {
        "total_return": f"buy and hold {percent(metrics.get('benchmark_total_return'))}",
        "sharpe_ratio": f"± {by_unit(metrics.get('sharpe_ratio_se'), 'ratio')} standard error",
    }
    return [
        stat(METRICS[key].label, metric_text(key, metrics.get(key)), tip=_with_interval(key, intervals),
             note=interval_text(key, intervals) or notes_of.get(key, ""))
        for key in HEADLINE
    ]  # fmt: skip


def _with_interval(key: str, intervals: dict[str, Any]) -> str:
    about = " The interval is a stationary block bootstrap's: 95 % of what such sessions, drawn anew in blocks, would have given."
    return explain(key) + (about if interval_text(key, intervals) else "")


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
    seen = {name: value for name, value in result["audit"].items() if name not in ("gates", "intervals", "verdict")}
    items = {"result": result["result_id"], "computed": result["test_date"], "data run": result["data_run_id"],
             "code": result["code_version"], "parameters": result["params"], **seen}  # fmt: skip
    rows = [
        html.Tr([html.Th(name.replace("_", " "), className="text-nowrap pe-3"), html.Td(words(value))])
        for name, value in items.items()
    ]
    return html.Div(html.Table(html.Tbody(rows), className="small"), style={"overflowWrap": "anywhere"})


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
