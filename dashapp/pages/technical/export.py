"""What leaves the chart and what stays on it: the drawn columns as CSV, and the analyst's own drawings."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc
from dash.exceptions import PreventUpdate

from dashapp import inputs
from dashapp.data import known_instrument, market
from dashapp.ids import SHELL
from dashapp.pages.technical.layout import ID, OVERLAYS, PANES
from pipeline.queries import prices as price_queries
from pipeline.queries import signals as signal_queries

MOST_SHAPES = 100
_DRAWN = ("type", "xref", "yref", "x0", "x1", "y0", "y1", "path", "line", "fillcolor", "opacity")

clientside_callback(  # a drawing is noted in the browser, by ticker: it is nobody else's
    ClientsideFunction("plumbline", "drawings"),
    Output(ID.drawings, "data"), Input(ID.chart, "relayoutData"), State(ID.drawings, "data"), State(SHELL.view, "data"),
    prevent_initial_call=True,
)  # fmt: skip


def kept_shapes(drawings: Any, ticker: str) -> list[dict[str, Any]]:
    """Return the shapes that the analyst drew on this ticker; what has not the form of one is passed over."""
    own = drawings.get(ticker) if isinstance(drawings, Mapping) else None
    shapes = own if isinstance(own, list) else []
    return [
        {name: shape[name] for name in _DRAWN if name in shape} | {"editable": True}
        for shape in shapes[:MOST_SHAPES] if isinstance(shape, Mapping)
    ]  # fmt: skip


def start_of(span: str, last_date: str) -> str | None:
    """Return the first date of a range such as 6m or 2y that ends on `last_date`; None for the whole history."""
    if span == "max":
        return None
    offset = pd.DateOffset(**{"months" if span.endswith("m") else "years": int(span[:-1])})
    return str((pd.Timestamp(last_date) - offset).date())


@callback(
    Output(ID.download, "data"), Input(ID.csv, "n_clicks"), State(SHELL.view, "data"), State(ID.overlays, "value"),
    State(ID.panes, "value"), prevent_initial_call=True,
)  # fmt: skip
def download(clicks: Any, seen: Any, overlays: Any, panes: Any) -> Any:
    """Return the chart's bars, stored lines, votes and signals as CSV."""
    if not clicks:
        raise PreventUpdate
    ticker, span = inputs.view(seen)
    drawn = [*inputs.choices("overlay", overlays, OVERLAYS), *inputs.choices("pane", panes, PANES)]
    lines = [output for indicator in drawn if indicator for output in indicator.outputs]
    with market() as reader:
        instrument = known_instrument(reader, ticker)
        start = start_of(span, instrument["last_date"])
        bars = price_queries.bars(reader, instrument["ticker"], start=start)
        totals = ("date", "buy_votes", "sell_votes", "overall_signal", "rating_score", "rating_label")
        signals = signal_queries.signal_history(reader, instrument["ticker"], columns=[*totals, *lines], start=start)
    fields = ("open", "high", "low", "close", "adj_close", "volume")
    prices = pd.DataFrame({"date": bars.dates.astype(str)} | {name: getattr(bars, name) for name in fields})
    table = prices.merge(signals, on="date", how="left").assign(ticker=instrument["ticker"])
    return dcc.send_string(table.to_csv(index=False), f"plumbline-{instrument['ticker']}-{span}.csv")
