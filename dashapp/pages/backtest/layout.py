"""The form of the Backtest tab; a strategy's own controls follow from its declared parameters."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from analytics.backtest.presets import PRESETS
from analytics.backtest.spec import ENGINES
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.errors import PlumblineError
from dashapp.components import KEPT, card, field
from dashapp.data import market
from dashapp.ids import ids
from dashapp.pages.backtest.controls import number_input, term_controls
from dashapp.pages.backtest.export_bar import exports_bar
from dashapp.pages.backtest.link import asked_capital, asked_date, asked_engine, asked_tickers, once, unread
from dashapp.pages.backtest.runs_list import runs_list
from dashapp.pages.backtest.tear_sheet import practice_chart
from dashapp.pages.backtest.universes import CHOSEN, scopes
from pipeline.queries import instruments as instrument_queries

ID = ids(
    "backtest", "strategy", "scope", "tickers", "start", "end", "capital", "engine", "parameters", "run", "cancel",
    "error", "interval", "progress", "message", "shown", "content", "asked", "checking", "unknown", "verdict", "each", "record",
    "preset", "preset_told", "applied", "costs", "rules", "beside", "other", "beside_box", "drawn", "more", "waiting", "pictured", "redraw",
)  # fmt: skip
POLL_MILLISECONDS = 500  # a look that takes longer is overtaken by the next, and nothing comes of it
MOST_PROBLEMS = 3  # of a link that are spelt out
LONGEST_LINK = 2_000  # characters of an address that tell forms apart


def layout(strategy: str | None = None, **query: str) -> html.Div:
    """Return the form, the progress line and the place of the answer.

    The address may name a strategy, its parameters and everything else of the form; what cannot be used is left out, and told.
    Such a link begins a form of its own: what the browser has kept of another one does not override it.
    """
    query = once(query if strategy is None else query | {"strategy": strategy})
    strategy = query.pop("strategy", None)
    chosen = strategy if strategy is not None and strategy in STRATEGIES else "technical_vote"
    link = "&".join(f"{name}={value}" for name, value in sorted(query.items())) if strategy is not None else ""
    kept = KEPT | {"persistence": f"{strategy}?{link}"[:LONGEST_LINK]} if strategy is not None else KEPT
    asked = {item.name: query[item.name] for item in STRATEGIES[chosen].parameters if item.name in query}
    tradable = tradable_tickers()
    passed_over = unread(strategy, query, [option["value"] for option in tradable])
    return html.Div([
        dcc.Store(id=ID.asked, data={"strategy": chosen, "parameters": asked, "kept": kept["persistence"]}),
        dcc.Store(id=ID.applied, storage_type="session"),
        dcc.Interval(id=ID.interval, interval=POLL_MILLISECONDS, disabled=True),
        dcc.Store(id=ID.shown), dcc.Store(id=ID.checking), dcc.Store(id=ID.drawn), dcc.Store(id=ID.waiting),
        dcc.Store(id=ID.pictured), dcc.Store(id=ID.redraw),
        *([_not_understood(passed_over)] if passed_over else []),
        card("Backtest", _form(chosen, kept, query if strategy is not None else {}, tradable), tip="Signals are decided at a close and traded at the next open, net of fees and slippage; "
             "several tickers share one account."),
        runs_list(),
        exports_bar(),
        html.Div(id=ID.unknown), html.Div(id=ID.verdict), html.Div(id=ID.content), html.Div(id=ID.more), html.Div(id=ID.each),
        html.Div(_beside(), id=ID.beside_box, hidden=True), html.Div(id=ID.record),
        html.Div(practice_chart(), className="practice"),
    ])  # fmt: skip


def _not_understood(problems: list[str]) -> dbc.Alert:
    more = f" And {len(problems) - MOST_PROBLEMS} more." if len(problems) > MOST_PROBLEMS else ""
    return dbc.Alert(
        ["Of this link the form leaves out what it cannot use: ", " ".join(problems[:MOST_PROBLEMS]), more],
        color="warning",
    )


def _form(strategy: str, kept: Mapping[str, Any], query: Mapping[str, str], tradable: list[dict[str, str]]) -> html.Div:
    chosen = asked_tickers(query, (option["value"] for option in tradable))
    strategies = {item.key: item.label for item in STRATEGIES.values()}
    return html.Div([
        html.Div([
            field("Strategy", dcc.Dropdown(id=ID.strategy, options=strategies, value=strategy, clearable=False, **kept)),
            field("Start from", dcc.Dropdown(id=ID.preset, options=_presets(), placeholder="a preset"),
                  "A preset sets costs and rules, some the strategy too; tickers, dates and capital stay."),
            field("Universe", dcc.Dropdown(id=ID.scope, options=scopes(), value=CHOSEN, clearable=False, **kept)),
            html.Div(field("Tickers", dcc.Dropdown(
                id=ID.tickers, options=tradable, value=chosen or None, multi=True, placeholder="Choose tickers", **kept)),
                     className="flex-grow-1"),
        ], className="controls mb-2"),
        html.Div(id=ID.preset_told, className="small text-body-secondary mb-2"),
        html.Div([
            field("From", dbc.Input(id=ID.start, type="date", value=asked_date(query, "start"), size="sm", **kept), "First date; empty: from the first price."),
            field("To", dbc.Input(id=ID.end, type="date", value=asked_date(query, "end"), size="sm", **kept), "Last date; empty: to the last price."),
            field("Initial capital, $", number_input(ID.capital, asked_capital(query), kept)),
        ], className="controls mb-2"),
        html.Div(id=ID.parameters, className="controls mb-3"),
        dbc.Accordion([
            dbc.AccordionItem(html.Div(term_controls(COSTS, query, kept=kept), id=ID.costs, className="controls"), title="Costs"),
            dbc.AccordionItem([html.Div(term_controls(RULES, query, kept=kept), id=ID.rules, className="controls"), html.Div(field("Engine", dcc.Dropdown(
                id=ID.engine, options=ENGINES, value=asked_engine(query), clearable=False, **kept,
            ), "vectorbt knows no market impact, participation cap, borrow fee, drawdown halt or interest: set them to 0."),
                className="controls mt-2")], title="Rules of risk, and the engine"),
        ], start_collapsed=True, always_open=True, class_name="mb-3"),
        html.Div([
            dbc.Button("Run Backtest", id=ID.run, color="primary"),
            dbc.Button("Cancel", id=ID.cancel, color="secondary", outline=True, disabled=True),
            dbc.Progress(id=ID.progress, value=0, striped=True, animated=True, class_name="flex-grow-1", style={"visibility": "hidden"}),
        ], className="d-flex gap-2 align-items-center"),
        html.Div(id=ID.message, className="small text-body-secondary mt-2", role="status"),
        html.Div(id=ID.error),
    ])  # fmt: skip


def tradable_tickers() -> list[dict[str, str]]:
    """Return the store's stocks and funds as options. They must be there from the start: a list without options drops a kept choice."""
    try:
        with market() as reader:
            listed = instrument_queries.instruments(reader)
    except PlumblineError:
        return []  # the answer area says what is missing
    rows = listed[listed["kind"] != "index"].itertuples()
    return [{"value": row.ticker, "label": f"{row.ticker} · {row.name}"} for row in rows]


def _presets() -> list[dict[str, str]]:
    return [{"value": key, "label": item.label, "title": item.description} for key, item in PRESETS.items()]


def _beside() -> html.Div:
    other = field("Beside", dcc.Dropdown(id=ID.other, options=[], placeholder="another of my runs", clearable=False))
    return card("Beside another of my runs", [html.Div(other, className="mb-2"), html.Div(id=ID.beside)],
                tip="The run shown and another one of yours, by default the newest other: on the sessions they share. Whether they differ "
                    "is tested on the Compare tab.")  # fmt: skip
