"""Technical: one ticker's price, indicators and stored signals, and how each indicator votes today."""

from typing import Any

import numpy as np
import pandas as pd
from dash import Input, Output, callback, dcc, html

from analytics.conventions import CORE_VOTES
from analytics.errors import MissingDataError
from analytics.indicators import INDICATORS, Indicator
from analytics.market import Bars, week_ends
from dashapp.components import KEPT, card, graph, guarded, stat, stats
from dashapp.components.votes import signal_word, vote_table
from dashapp.data import known_instrument, market, published
from dashapp.figures.technical import MARKER_COLUMNS, Chart, signal_changes, technical_figure
from dashapp.format import number, percent, usd
from dashapp.ids import SHELL, ids
from dashapp.inputs import choice, choices, view
from dashapp.pages._page import Page
from pipeline.queries import prices as price_queries
from pipeline.queries import signals as signal_queries

ID = ids("technical", "style", "overlays", "panes", "content")

STYLES = {"candles": "Candles", "line": "Line"}
VOLUME = "volume"  # a pane that no indicator stands for
OVERLAYS = {key: item for key, item in INDICATORS.items() if item.pane == "price"}
PANES: dict[str, Indicator | None] = {VOLUME: None} | {
    key: item for key, item in INDICATORS.items() if item.pane == "own"
}
MAX_PANES = 4
WEEKLY_ABOVE = 1_400  # sessions; a longer range is drawn in weekly bars, because drawing is what takes time


def layout(**_query: str) -> html.Div:
    """Return the controls and an empty page: the callback fills it."""
    overlays = {key: item.label for key, item in OVERLAYS.items()}
    panes = {key: item.label if item else "Volume" for key, item in PANES.items()}
    controls = html.Div([
        html.Div([html.Label("Price as", htmlFor=ID.style), dcc.Dropdown(
            id=ID.style, options=STYLES, value="candles", clearable=False, **KEPT)]),
        html.Div([html.Label("Overlays", htmlFor=ID.overlays), dcc.Dropdown(
            id=ID.overlays, options=overlays, value=["sma"], multi=True, **KEPT)], className="flex-grow-1"),
        html.Div([html.Label(f"Panes (up to {MAX_PANES})", htmlFor=ID.panes), dcc.Dropdown(
            id=ID.panes, options=panes, value=["volume", "rsi", "macd"], multi=True, **KEPT)], className="flex-grow-1"),
    ], className="controls mb-3")  # fmt: skip
    return html.Div([controls, html.Div(id=ID.content)])


@callback(
    Output(ID.content, "children"),
    Input(SHELL.view, "data"), Input(SHELL.theme_name, "data"),
    Input(ID.style, "value"), Input(ID.overlays, "value"), Input(ID.panes, "value"), Input(SHELL.run, "data"),
)  # fmt: skip
@guarded
def show(seen: Any, theme: Any, style: Any, overlays: Any, panes: Any, _run: Any) -> Any:
    """Draw one ticker."""
    ticker, span = view(seen)
    style = choice("price as", style, STYLES)
    overlays, panes = choices("overlay", overlays, OVERLAYS), choices("pane", panes, PANES)
    with market() as reader:
        instrument = known_instrument(reader, ticker)
        _, source = published(reader)
        start = start_of(span, instrument["last_date"])
        bars = price_queries.bars(reader, instrument["ticker"], start=start)
        last = signal_queries.latest_signal(reader, instrument["ticker"])
        if not len(bars) or last is None:
            raise MissingDataError(f"There are no prices of {ticker}. The Data tab shows what the store holds.")
        is_index = instrument["kind"] == "index"
        chart = _chart(bars, style, overlays, panes, unit="" if is_index else "$")
        signals = signal_queries.signal_history(reader, instrument["ticker"], columns=_columns(chart), start=start)
    drawn, drawn_signals = (bars.weekly(), signals.iloc[week_ends(bars.dates)]) if chart.weekly else (bars, signals)
    figure = technical_figure(drawn, drawn_signals, signal_changes(signals, bars.close), chart, theme=theme)
    basis = "Index points." if is_index else f"Prices in USD, {source.price_basis}."
    return [
        _summary(bars, last, price=number(bars.close[-1]) if is_index else usd(bars.close[-1])),
        card(f"{instrument['name']} ({instrument['ticker']})", [_notes(bars, basis, chart, panes), graph(figure)]),
        card(f"Votes on {last['date']}", vote_table(bars, last),
             tip="Each indicator's stored vote at the last close. The seven core votes make the signal; "
                 "a signal is acted on at the next open."),
    ]  # fmt: skip


def _columns(chart: Chart) -> list[str]:
    """The stored columns that the chart draws."""
    drawn = [output for indicator in (*chart.overlays, *chart.panes) for output in indicator.outputs]
    return [*MARKER_COLUMNS, *drawn]


def start_of(span: str, last_date: str) -> str | None:
    """Return the first date of a range such as 6m or 2y that ends on `last_date`; None for the whole history."""
    if span == "max":
        return None
    offset = pd.DateOffset(**{"months" if span.endswith("m") else "years": int(span[:-1])})
    return str((pd.Timestamp(last_date) - offset).date())


def _chart(bars: Bars, style: str, overlays: list[Indicator], panes: list[Indicator | None], *, unit: str) -> Chart:
    room = MAX_PANES - (None in panes)
    return Chart(
        candles=style == "candles" and bool(np.isfinite(bars.open).all()),
        overlays=overlays,
        panes=[item for item in panes if item and not _unavailable(item, bars)][:room],
        volume=None in panes and bool(np.isfinite(bars.volume).any()),
        unit=unit,
        weekly=len(bars) > WEEKLY_ABOVE,
    )


def _unavailable(indicator: Indicator, bars: Bars) -> bool:
    return not all(np.isfinite(getattr(bars, name)).any() for name in indicator.inputs)


def _notes(bars: Bars, basis: str, chart: Chart, panes: list[Indicator | None]) -> html.P:
    notes = [basis]
    if not np.isfinite(bars.open).all():
        notes.append("This source has no open, high, low or volume for all of these days: the price is a line of closes, "
                     "and indicators that need them are left out.")  # fmt: skip
    if chart.weekly:
        notes.append("Weekly bars.")
    drawn = [*chart.panes, *([None] if chart.volume else [])]
    if left_out := [item.label if item else "Volume" for item in panes if item not in drawn]:
        notes.append(
            f"Not drawn: {', '.join(left_out)} ({MAX_PANES} panes at most, and only what this ticker has data for)."
        )
    return html.P(" ".join(notes), className="small text-body-secondary mb-1")


def _summary(bars: Bars, last: dict[str, Any], *, price: str) -> html.Div:
    change = bars.adj_close[-1] / bars.adj_close[-2] - 1 if len(bars) > 1 else float("nan")
    word, tone = signal_word(last["overall_signal"])
    available = sum(1 for key in CORE_VOTES if pd.notna(last.get(f"vote_{key}")))
    return stats([
        stat("Last close", price, note=str(bars.dates[-1]), tip="The last close the store holds, in USD."),
        stat("Last session", percent(change, digits=2, sign=True), tone="up" if change > 0 else "down",
             note="total return" if price.startswith("$") else "without dividends", tip="Adjusted close over the adjusted close of the session before, less one; an index leaves dividends out."),
        stat("Signal", word, tone=tone, note=f"{number(last['buy_votes'], digits=0)} buy, "
             f"{number(last['sell_votes'], digits=0)} sell of {available} votes",
             tip="Buy where at least three of the seven core votes are buys and buys outnumber sells; sell is the mirror."),
        stat("Rating", str(last["rating_label"] or "–"), note=f"score {number(last['rating_score'], sign=True)}",
             tip="Mean of the averages' mean vote and the oscillators' mean vote, from −1 to 1; labels change at ±0.1 and ±0.5."),
    ])  # fmt: skip


PAGE = Page(
    key="technical", path="/technical", name="Technical", order=20,
    description="Candles, indicators and the stored buy and sell signals of one ticker, vote by vote", layout=layout, uses=("ticker", "range"),
)  # fmt: skip
