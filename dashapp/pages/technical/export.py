"""What leaves the chart and what stays on it: the drawn columns as CSV, the analyst's own drawings and zoom."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc
from dash.exceptions import PreventUpdate

from dashapp import inputs
from dashapp.data import known_instrument, market
from dashapp.ids import SHELL
from dashapp.pages.technical.layout import ID, OVERLAYS, PANES
from dashapp.pages.technical.live import changes, live_lines
from pipeline.queries import prices as price_queries
from pipeline.queries import signals as signal_queries

MOST_SHAPES = 100
PRICE = "price"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d+)?)?)?")
_DRAWN = ("type", "xref", "yref", "x0", "x1", "y0", "y1", "path", "line", "fillcolor", "opacity")

clientside_callback(  # a drawing is noted in the browser, by ticker: it is nobody else's
    ClientsideFunction("plumbline", "drawings"),
    Output(ID.drawings, "data"), Input(ID.chart, "relayoutData"), State(ID.drawings, "data"), State(SHELL.view, "data"),
    prevent_initial_call=True,
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "zoom"),
    Output(ID.zoom, "data"), Input(ID.chart, "relayoutData"), State(SHELL.view, "data"), prevent_initial_call=True,
)  # fmt: skip


def kept_zoom(zoom: Any, ticker: str, span: str) -> list[str] | None:
    """Return the dates between which the analyst looks, None where that is of another view or not of that form."""
    if not isinstance(zoom, Mapping) or zoom.get("view") != f"{ticker} {span}":
        return None
    dates = zoom.get("range")
    ok = (
        isinstance(dates, list)
        and len(dates) == 2
        and all(isinstance(day, str) and MOMENT.fullmatch(day) for day in dates)
    )
    return dates if ok else None


def kept_shapes(drawings: Any, ticker: str, panes: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the shapes that the analyst drew on this ticker, in the panes they were drawn in; those of a pane that is

    not there wait for it, and what has not the form of a shape is passed over. panes: {axis: key of its pane}.
    """
    own = drawings.get(ticker) if isinstance(drawings, Mapping) else None
    shapes = [shape for shape in own if isinstance(shape, Mapping)] if isinstance(own, list) else []
    axes = {key: axis for axis, key in panes.items()} | {PRICE: "y"}
    return [
        {name: shape[name] for name in _DRAWN if name in shape} | {"yref": axes[pane], "editable": True}
        for shape in shapes[:MOST_SHAPES] if (pane := str(shape.get("pane", PRICE))) in axes
    ]  # fmt: skip


def start_of(span: str, last_date: str) -> str | None:
    """Return the first date of a range such as 6m or 2y that ends on `last_date`; None for the whole history."""
    if span == "max":
        return None
    offset = pd.DateOffset(**{"months" if span.endswith("m") else "years": int(span[:-1])})
    return str((pd.Timestamp(last_date) - offset).date())


@callback(
    Output(ID.download, "data"), Input(ID.csv, "n_clicks"), State(SHELL.view, "data"), State(ID.overlays, "value"),
    State(ID.panes, "value"), State(ID.live, "data"), prevent_initial_call=True,
)  # fmt: skip
def download(clicks: Any, seen: Any, overlays: Any, panes: Any, live: Any) -> Any:
    """Return the chart's bars, stored lines and signals as CSV, and the live lines beside the stored ones."""
    if not clicks:
        raise PreventUpdate
    ticker, span = inputs.view(seen)
    drawn = [*inputs.choices("overlay", overlays, OVERLAYS), *inputs.choices("pane", panes, PANES)]
    indicators = [indicator for indicator in drawn if indicator]
    lines = [output for indicator in indicators for output in indicator.outputs]
    changed = changes(live or {})
    with market() as reader:
        instrument = known_instrument(reader, ticker)
        start = start_of(span, instrument["last_date"])
        bars = price_queries.bars(reader, instrument["ticker"], start=start)
        totals = ("date", "buy_votes", "sell_votes", "overall_signal", "rating_score", "rating_label")
        signals = signal_queries.signal_history(reader, instrument["ticker"], columns=[*totals, *lines], start=start)
        values, labels = (
            live_lines(price_queries.bars(reader, instrument["ticker"]), changed, indicators) if changed else ({}, {})
        )
    fields = ("open", "high", "low", "close", "adj_close", "volume")
    prices = pd.DataFrame({"date": bars.dates.astype(str)} | {name: getattr(bars, name) for name in fields})
    table = prices.merge(signals, on="date", how="left").assign(ticker=instrument["ticker"])
    table = table.assign(**{labels[name]: array[len(array) - len(bars) :] for name, array in values.items()})
    return dcc.send_string(table.to_csv(index=False), f"plumbline-{instrument['ticker']}-{span}.csv")
