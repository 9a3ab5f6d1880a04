"""The form of the Backtest tab; a strategy's own controls follow from its declared parameters."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from analytics.backtest.spec import ENGINES
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.errors import PlumblineError
from analytics.indicators import VOTES
from analytics.parameters import Parameter
from dashapp.components import KEPT, card, field
from dashapp.data import market
from dashapp.ids import ids
from dashapp.pages.backtest.export_bar import exports_bar
from dashapp.pages.backtest.link import asked_capital, asked_date, asked_engine, asked_tickers
from pipeline.queries import instruments as instrument_queries

ID = ids(
    "backtest", "strategy", "scope", "tickers", "start", "end", "capital", "engine", "parameters", "run", "cancel",
    "error", "interval", "progress", "message", "shown", "content", "asked", "checking", "unknown", "verdict", "each", "record",
)  # fmt: skip
POLL_MILLISECONDS = 250
LONGEST_LINK = 2_000  # characters of an address that tell forms apart
SCOPES = {"chosen": "Chosen tickers", "all": "All stocks"}
TERM = "backtest-term"
ONE_OF_LABELS = {"long_only": "Long only", "long_short": "Long and short"}


def layout(strategy: str | None = None, **query: str) -> html.Div:
    """Return the form, the progress line and the place of the answer.

    The address may name a strategy, its parameters and everything else of the form; what cannot be read is passed over.
    Such a link begins a form of its own: what the browser has kept of another one does not override it.
    """
    chosen = strategy if strategy is not None and strategy in STRATEGIES else "technical_vote"
    link = "&".join(f"{name}={value}" for name, value in sorted(query.items())) if strategy is not None else ""
    kept = KEPT | {"persistence": f"{strategy}?{link}"[:LONGEST_LINK]} if strategy is not None else KEPT
    asked = {item.name: query[item.name] for item in STRATEGIES[chosen].parameters if item.name in query}
    return html.Div([
        dcc.Store(id=ID.asked, data={"strategy": chosen, "parameters": asked, "kept": kept["persistence"]}),
        dcc.Interval(id=ID.interval, interval=POLL_MILLISECONDS, disabled=True),
        dcc.Store(id=ID.shown), dcc.Store(id=ID.checking),
        card("Backtest", _form(chosen, kept, query if strategy is not None else {}), tip="Signals are decided at a close and traded at the next open, net of fees and slippage; "
             "several tickers share one account."),
        exports_bar(),
        html.Div(id=ID.unknown), html.Div(id=ID.verdict), html.Div(id=ID.content), html.Div(id=ID.each), html.Div(id=ID.record),
    ])  # fmt: skip


def _form(strategy: str, kept: Mapping[str, Any], query: Mapping[str, str]) -> html.Div:
    tradable = tradable_tickers()
    chosen = asked_tickers(query, (option["value"] for option in tradable))
    strategies = {item.key: item.label for item in STRATEGIES.values()}
    return html.Div([
        html.Div([
            field("Strategy", dcc.Dropdown(id=ID.strategy, options=strategies, value=strategy, clearable=False, **kept)),
            field("Universe", dcc.Dropdown(id=ID.scope, options=SCOPES, value="chosen",
                                            clearable=False, **kept)),
            html.Div(field("Tickers", dcc.Dropdown(
                id=ID.tickers, options=tradable, value=chosen or None, multi=True, placeholder="Choose tickers", **kept)),
                     className="flex-grow-1"),
        ], className="controls mb-2"),
        html.Div([
            field("From", dbc.Input(id=ID.start, type="date", value=asked_date(query, "start"), size="sm", **kept), "First date; empty: from the first price."),
            field("To", dbc.Input(id=ID.end, type="date", value=asked_date(query, "end"), size="sm", **kept), "Last date; empty: to the last price."),
            field("Initial capital, $", _number(ID.capital, asked_capital(query), kept)),
        ], className="controls mb-2"),
        html.Div(id=ID.parameters, className="controls mb-3"),
        dbc.Accordion([
            dbc.AccordionItem(_terms(COSTS, kept, query), title="Costs"),
            dbc.AccordionItem([_terms(RULES, kept, query), html.Div(field("Engine", dcc.Dropdown(
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


def parameter_controls(
    strategy: str, asked: Mapping[str, Any] | None = None, *, kept: Mapping[str, Any] = KEPT
) -> list[html.Div]:
    """Return a control per declared parameter of a strategy: a number, a text, or a list for a choice.

    asked: {parameter: text of the address} where it names one; what the parameter does not allow is passed over.
    """
    return [
        field(_label(item), _control(item, (asked or {}).get(item.name), kept), item.help)
        for item in STRATEGIES[strategy].parameters
    ]


def _terms(declared: tuple[Parameter, ...], kept: Mapping[str, Any], query: Mapping[str, str]) -> html.Div:
    return html.Div(
        [field(_label(item), _control(item, query.get(item.name), kept, kind=TERM), item.help) for item in declared],
        className="controls",
    )


def _label(parameter: Parameter) -> str:
    return f"{parameter.label}, %" if parameter.percent else parameter.label


def _control(
    parameter: Parameter, asked: str | None, kept: Mapping[str, Any], *, kind: str = "backtest-parameter"
) -> Any:
    key = {"type": kind, "name": parameter.name}
    try:
        value = parameter.default if asked is None else parameter.check(asked)
    except PlumblineError:
        value = parameter.default
    if parameter.parse is not None:
        return dbc.Input(id=key, type="text", value=value, placeholder="rsi.window=21", size="sm", **kept)
    if parameter.choices:
        options = {choice: VOTES[choice].vote.label if choice in VOTES else choice for choice in parameter.choices}
        return dcc.Dropdown(id=key, options=options, value=list(value), multi=True, **kept)
    if parameter.one_of:
        options = {choice: ONE_OF_LABELS.get(choice, choice.replace("_", " ")) for choice in parameter.one_of}
        return dcc.Dropdown(id=key, options=options, value=value, clearable=False, **kept)
    if isinstance(parameter.default, bool):
        return dbc.Switch(id=key, value=value, **kept)
    shown = round(value * 100, 6) if parameter.percent else value
    return dbc.Input(id=key, type="number", value=shown, step="any", size="sm", **kept)


def _number(key: str, value: float, kept: Mapping[str, Any]) -> dbc.Input:
    return dbc.Input(id=key, type="number", value=round(value, 6), step="any", size="sm", **kept)
