"""The table of votes: why each stands as it does today, and what followed such votes in the past."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import Input, Output, callback, html

from analytics.errors import MissingDataError
from analytics.market import Bars
from dashapp import inputs
from dashapp.components import guarded
from dashapp.components.votes import Record, vote_table
from dashapp.data import known_instrument, market, published, settings
from dashapp.ids import SHELL
from dashapp.pages.technical.layout import HORIZON_LABELS, ID, SCOPES
from pipeline.queries import Reader
from pipeline.queries import prices as price_queries
from pipeline.queries import scorecard as scorecard_queries
from pipeline.queries import signals as signal_queries

_POOLED: dict[tuple[str, str], Any] = {}  # the record of all stocks is the same for every ticker of a run


@callback(
    Output(ID.votes, "children"), Input(SHELL.view, "data"), Input(ID.scope, "value"), Input(ID.horizon, "value"),
    Input(SHELL.run, "data"),
)  # fmt: skip
@guarded
def show_votes(seen: Any, scope: Any, horizon: Any, _run: Any) -> Any:
    """Show every vote of the newest bar with its reason and its record."""
    ticker, _ = inputs.view(seen)
    scope = inputs.choice("record of", scope, SCOPES)
    horizon = int(inputs.choice("held for", horizon, HORIZON_LABELS))
    with market() as reader:
        instrument = known_instrument(reader, ticker)
        ticker = instrument["ticker"]
        rows = signal_queries.newest_signals(reader, ticker, count=2)
        if not rows:
            raise MissingDataError(f"There are no signals of {ticker}. The Data tab shows what the store holds.")
        first = str(rows[-1]["date"])
        bars = price_queries.bars(reader, ticker, start=first)
        gaps = any(value is None for value in rows[0].values())  # only then the counts are asked for, to say why
        sessions = price_queries.session_counts(reader, ticker) if gaps else {}
        records = _pooled(reader) if scope == "stocks" else scorecard_queries.records(reader, ticker)
    last, before = (_with_prices(row, bars) for row in (rows[0], rows[-1]))
    record = Record(records, horizon, "all stocks together" if scope == "stocks" else ticker)
    return [
        html.P([html.Strong(f"Votes on {last['date']}. "), _about(record)], className="small text-body-secondary"),
        vote_table(last, before, record, sessions=sessions),
    ]


def _with_prices(row: Mapping[str, Any], bars: Bars) -> dict[str, Any]:
    """The stored row with the day's prices, which the reasons of the votes name."""
    place = np.flatnonzero(bars.dates == np.datetime64(str(row["date"]), "D"))
    prices = {name: float(getattr(bars, name)[place[0]]) for name in ("open", "high", "low", "close", "volume")}
    return dict(row) | prices


def _pooled(reader: Reader) -> Any:
    """The record of all stocks, read once per run."""
    run, _ = published(reader)
    key = (str(settings().db), run["run_id"])
    if key not in _POOLED:
        _POOLED.clear()
        _POOLED[key] = scorecard_queries.records(reader, "stocks")
    return _POOLED[key]


def _about(record: Record) -> str:
    """What the columns of the record mean, in a sentence."""
    if not record.rows:
        return (f"No record yet: it takes more than {record.horizon} sessions after a vote to know what followed. "
                "Votes and reasons are of the last close.")  # fmt: skip
    spans = [row for rows in record.rows.values() for row in rows if row["horizon_days"] == record.horizon]
    span = f", {min(row['first_date'] for row in spans)} to {max(row['last_date'] for row in spans)}" if spans else ""
    return (
        f"Record of {record.whose}{span}: mean total return over the {record.horizon} sessions after the next open beyond that of any day, "
        "with its 95 % interval; n effective is the number of independent returns that would be as certain, because windows "
        "overlap; q is the share of false finds among all signals with a q this low. A record of the past, before costs, and of "
        "today: no backtest reads it. Signals that pick the lows or highs of the path they are judged by show some excess in a pure "
        "random walk too, RSI about 0.1 to 0.9 % over 21 sessions, the shorter the history the more."
    )
