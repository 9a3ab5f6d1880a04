"""The table of votes: why each stands as it does today, and what followed such votes in the past."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import Input, Output, callback, html

from analytics.errors import MissingDataError
from analytics.market import Bars
from dashapp import inputs
from dashapp.components import grid_id, guarded
from dashapp.components.votes import Records, vote_rows
from dashapp.data import known_instrument, market, published, settings
from dashapp.format import is_known
from dashapp.ids import SHELL
from dashapp.pages.technical.layout import HORIZON_LABELS, ID, SCOPES, VOTES_GRID
from pipeline.queries import Reader
from pipeline.queries import prices as price_queries
from pipeline.queries import scorecard as scorecard_queries
from pipeline.queries import signals as signal_queries

LOOK_BACK = 15  # rows in which the last known value before today is looked for
_POOLED: dict[tuple[str, str], Any] = {}  # the record of all stocks is the same for every ticker of a run


@callback(
    Output(ID.votes, "children"), Output(grid_id(VOTES_GRID), "rowData"), Input(SHELL.view, "data"),
    Input(ID.scope, "value"), Input(ID.horizon, "value"), Input(SHELL.run, "data"),
)  # fmt: skip
def show_votes(seen: Any, scope: Any, horizon: Any, _run: Any) -> tuple[Any, Any]:
    """Show every vote of the newest bar with its reason and its record; without one the chart says why."""
    found = _votes(seen, scope, horizon)
    return found if isinstance(found, tuple) else (found, [])


@guarded
def _votes(seen: Any, scope: Any, horizon: Any) -> Any:
    ticker, _ = inputs.view(seen)
    scope = inputs.choice("record of", scope, SCOPES)
    held = int(inputs.choice("held for", horizon, HORIZON_LABELS))
    with market() as reader:
        instrument = known_instrument(reader, ticker)
        ticker = instrument["ticker"]
        stored = signal_queries.newest_signals(reader, ticker, count=LOOK_BACK)
        if not stored:
            raise MissingDataError(f"There are no signals of {ticker}. The Data tab shows what the store holds.")
        bars = price_queries.bars(reader, ticker, start=str(stored[-1]["date"]))
        gaps = any(value is None for value in stored[0].values())  # only then the counts are asked for, to say why
        sessions = price_queries.session_counts(reader, ticker) if gaps else {}
        records = _pooled(reader) if scope == "stocks" else scorecard_queries.records(reader, ticker)
    last, *earlier = [_with_prices(row, bars) for row in stored]
    before = {name: next((row[name] for row in earlier if is_known(row[name])), None) for name in last}
    whose = "all stocks together" if scope == "stocks" else ticker
    about = html.P(
        [html.Strong(f"Votes on {last['date']}. "), _about(records, held, whose)], className="small text-body-secondary"
    )
    return about, vote_rows(last, before, records, horizon=held, sessions=sessions)


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


def _about(records: Records, horizon: int, whose: str) -> str:
    """What the columns of the record mean, in a sentence."""
    spans = [row for rows in records.values() for row in rows if row["horizon_days"] == horizon]
    if not spans:
        return (f"No record yet: it takes more than {horizon} sessions after a vote to know what followed. "
                "Votes and reasons are of the last close.")  # fmt: skip
    first, last = min(row["first_date"] for row in spans), max(row["last_date"] for row in spans)
    return (
        f"Record of {whose}, {first} to {last}: mean total return over the {horizon} sessions after the next open beyond that of any day, "
        "before costs. It is of today, with all of history known: no backtest reads it. Signals that pick the lows or highs of the "
        "path they are judged by show some excess in a pure random walk too: over 21 sessions RSI about 0.1 to 0.9 %, the shorter the "
        "history the more."
    )
