"""The chart of one ticker with its head: newest close, signal, and the ratings of day, week and month."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from dash import Input, Output, State, callback, html, no_update

from analytics.conventions import CORE_VOTES, FloatArray
from analytics.errors import MissingDataError
from analytics.indicators import Indicator
from analytics.market import Bars, period_ends
from analytics.signals import agreement, known_on
from analytics.signals.candlesticks import PATTERNS as PATTERN_LABELS
from dashapp import inputs
from dashapp.components import graph_style, guarded
from dashapp.data import known_instrument, market, published
from dashapp.figures.technical import MARKER_COLUMNS, Chart, signal_changes, technical_figure
from dashapp.figures.technical_marks import Ribbon
from dashapp.ids import SHELL
from dashapp.pages.technical.export import kept_shapes, kept_zoom, start_of
from dashapp.pages.technical.head import head
from dashapp.pages.technical.layout import (
    ID,
    MAX_PANES,
    OVERLAYS,
    PANES,
    PATTERNS,
    RIBBONS,
    SCALES,
    STYLES,
    VOLUME,
)
from dashapp.pages.technical.live import Changes, banner, changes, live_lines
from pipeline.queries import Reader
from pipeline.queries import factors as factor_queries
from pipeline.queries import prices as price_queries
from pipeline.queries import signals as signal_queries

WEEKLY_ABOVE = 1_400  # sessions; a longer range is drawn in weekly bars, because drawing is what takes time
RIBBON_FIT = ("ff3", 60)  # model and window in months
CONTROLS = (
    Input(SHELL.view, "data"), Input(SHELL.theme_name, "data"), Input(ID.style, "value"), Input(ID.scale, "value"),
    Input(ID.compare, "value"), Input(ID.overlays, "value"), Input(ID.panes, "value"), Input(ID.ribbon, "value"),
    Input(ID.live, "data"), Input(SHELL.run, "data"), State(ID.drawings, "data"), State(ID.zoom, "data"),
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What the controls ask for, checked."""

    ticker: str | None
    span: str
    style: str
    scale: str
    compare: str | None
    overlays: list[Indicator]
    patterns: bool
    panes: list[Indicator]
    volume: bool
    ribbon: str
    changed: Changes
    missing: Sequence[str] = ()  # what this ticker has no data for


def asked(seen: Any, style: Any, scale: Any, compare: Any, overlays: Any, panes: Any, ribbon: Any, live: Any) -> Asked:
    """Return what the controls ask for; raises InputError and UnknownKeyError."""
    ticker, span = inputs.view(seen)
    over = inputs.choices("overlay", overlays, OVERLAYS)
    below = inputs.choices("pane", panes, PANES)
    return Asked(
        ticker, span, inputs.choice("price as", style, STYLES), inputs.choice("scale", scale, SCALES),
        inputs.ticker(compare) if compare else None, [item for item in over if item], PATTERNS in (overlays or []),
        [item for item in below if item], VOLUME in (panes or []), inputs.choice("ribbon", ribbon, RIBBONS), changes(live or {}),
    )  # fmt: skip


@callback(
    Output(ID.content, "children"), Output(ID.body, "hidden"), Output(ID.title, "children"), Output(ID.notes, "children"),
    Output(ID.chart, "figure"), Output(ID.chart, "style"), *CONTROLS,
)  # fmt: skip
def show(seen: Any, theme: Any, style: Any, scale: Any, compare: Any, overlays: Any, panes: Any, ribbon: Any,
         live: Any, _run: Any, drawings: Any, zoom: Any) -> tuple[Any, ...]:  # fmt: skip
    """Draw one ticker; where there is nothing to draw, say why in its place."""
    found = _drawn(theme, drawings, zoom, seen, style, scale, compare, overlays, panes, ribbon, live)
    if not isinstance(found, tuple):
        return found, True, no_update, no_update, no_update, no_update
    top, title, notes, figure = found
    return top, False, title, notes, figure, graph_style(figure)


@guarded
def _drawn(theme: Any, drawings: Any, zoom: Any, *controls: Any) -> Any:
    want = asked(*controls)
    with market() as reader:
        instrument = known_instrument(reader, want.ticker)
        ticker = instrument["ticker"]
        _, source = published(reader)
        start = start_of(want.span, instrument["last_date"])
        bars = price_queries.bars(reader, ticker, start=start)
        last = signal_queries.latest_signal(reader, ticker)
        if not len(bars) or last is None:
            raise MissingDataError(f"There are no prices of {ticker}. The Data tab shows what the store holds.")
        is_index = instrument["kind"] == "index"
        want = _only_drawn(want, bars)
        whole = price_queries.bars(reader, ticker) if want.changed else bars
        chart = _chart(reader, bars, whole, want, unit="" if is_index else "$", start=start)
        signals = signal_queries.signal_history(reader, ticker, columns=columns_of(chart), start=start)
        ribbon = _ribbon(reader, bars, signals, want.ribbon)
        ratings = signal_queries.timeframe_ratings(reader, ticker)
        other = price_queries.bars(reader, want.compare, start=start) if want.compare else None
    figure = _figure(bars, signals, chart, theme, drawings, other, ribbon)
    figure["layout"]["xaxis"]["range"] = kept_zoom(zoom, ticker, want.span) or figure["layout"]["xaxis"]["range"]
    basis = "Index points." if is_index else f"Prices in USD, {source.price_basis}."
    notes = [banner(whole, want.changed, last), _notes(bars, basis, chart, want, other, ribbon)]
    return head(bars, last, ratings, is_index=is_index), f"{instrument['name']} ({ticker})", notes, figure


def _figure(
    bars: Bars,
    signals: pd.DataFrame,
    chart: Chart,
    theme: Any,
    drawings: Any,
    other: Bars | None,
    ribbon: Ribbon | None,
) -> dict[str, Any]:
    signals = signals.assign(**chart.live)
    markers = signal_changes(signals, bars.close)
    drawn = bars
    if chart.weekly:
        rows = period_ends(bars.dates, "W")
        drawn, signals, ribbon = bars.by_period("W"), signals.iloc[rows], ribbon and ribbon.rows(rows)
    compared = (other.ticker, rebased(drawn, other)) if other is not None and len(other) else None
    figure = technical_figure(drawn, signals, markers, chart, theme=theme, ribbon=ribbon, compared=compared)
    figure["layout"]["shapes"] += kept_shapes(drawings, bars.ticker, figure["layout"]["meta"]["panes"])
    return figure


def rebased(bars: Bars, other: Bars) -> FloatArray:
    """Return another ticker's closes on the dates of `bars`, scaled so that both begin at the same price.

    Shape (n_bars,). NaN when: the other has no bar on that date.
    """
    values = np.full(len(bars), np.nan)
    place = np.minimum(np.searchsorted(other.dates, bars.dates), len(other) - 1)
    same = other.dates[place] == bars.dates
    values[same] = other.close[place[same]]
    first = int(same.argmax())
    return np.asarray(values / values[first] * bars.close[first])


def columns_of(chart: Chart) -> list[str]:
    """Return the stored columns that the chart draws."""
    drawn = [output for indicator in (*chart.overlays, *chart.panes) for output in indicator.outputs]
    votes = [] if chart.weekly else [f"vote_{key}" for key in CORE_VOTES]  # a week's hover names no single day's votes
    return [*MARKER_COLUMNS, *votes, *drawn]


def _only_drawn(want: Asked, bars: Bars) -> Asked:
    """What is asked for without overlays that this ticker has no data for, and without changes of what is not drawn."""
    overlays = [item for item in want.overlays if not _unavailable(item, bars)]
    keys = {item.key for item in (*overlays, *want.panes) if not _unavailable(item, bars)}
    missing = [item.label for item in (*want.overlays, *want.panes) if _unavailable(item, bars)]
    missing += ["Volume"] if want.volume and not _has(bars, "volume") else []
    changed = {key: own for key, own in want.changed.items() if key in keys}
    return replace(want, overlays=overlays, changed=changed, missing=missing)


def _chart(reader: Reader, bars: Bars, whole: Bars, want: Asked, *, unit: str, start: str | None) -> Chart:
    panes = [item for item in want.panes if not _unavailable(item, bars)][: MAX_PANES - want.volume]
    weekly = len(bars) > WEEKLY_ABOVE
    values, labels = live_lines(whole, want.changed, [*want.overlays, *panes])
    patterns = signal_queries.patterns(reader, bars.ticker, start=start) if want.patterns and not weekly else None
    return Chart(
        candles=want.style == "candles" and bool(np.isfinite(bars.open).all()),
        overlays=want.overlays, panes=panes, volume=want.volume and _has(bars, "volume"), unit=unit, weekly=weekly,
        log=want.scale == "log", live={name: array[-len(bars):] for name, array in values.items()}, labels=labels,
        patterns=None if patterns is None else patterns.assign(pattern=patterns["pattern"].map(PATTERN_LABELS)),
    )  # fmt: skip


def _ribbon(reader: Reader, bars: Bars, signals: pd.DataFrame, field: str) -> Ribbon | None:
    """Signal × sign of what was known of the fundamentals on each day."""
    if field == "none":
        return None
    fits = factor_queries.known_estimates(reader, bars.ticker, *RIBBON_FIT)
    known = known_on(bars.dates, fits["as_of"].to_numpy("datetime64[D]"), fits[field].to_numpy(float))
    signal = signals["overall_signal"].to_numpy(float)
    return Ribbon("alpha" if field == "alpha" else "required return", signal, known, agreement(signal, known))


def _unavailable(indicator: Indicator, bars: Bars) -> bool:
    return not all(_has(bars, name) for name in indicator.inputs)


def _has(bars: Bars, name: str) -> bool:
    """Whether a field is known on any day; a volume that is always 0 is none."""
    values = getattr(bars, name)
    return bool((values > 0).any() if name == "volume" else np.isfinite(values).any())


def _notes(bars: Bars, basis: str, chart: Chart, want: Asked, other: Bars | None, ribbon: Ribbon | None) -> html.P:
    notes = [basis]
    if not np.isfinite(bars.open).all():
        notes.append("This source has no open, high, low or volume for all of these days: the price is a line of closes, "
                     "and indicators that need them are not available.")  # fmt: skip
    if chart.weekly:
        notes.append("Weekly bars. Lines and signals are the daily ones on each week's last session.")
    if want.patterns and chart.weekly:
        notes.append("Candlestick patterns are marked on daily bars only: choose a shorter range.")
    if other is not None:
        notes.append(f"{other.ticker} begins at the same price; without dividends." if len(other)
                     else f"{want.compare} has no prices in this range.")  # fmt: skip
    if ribbon is not None and not np.isfinite(ribbon.known).any():
        notes.append("Agreement ribbon: not available, because no factor fit of this ticker was known in this range.")
    if want.missing:
        notes.append(f"Not available, because this ticker has no data for it here: {', '.join(want.missing)}.")
    room = [item.label for item in want.panes if item not in chart.panes and item.label not in want.missing]
    if room:
        notes.append(f"Not drawn, because there is room for {MAX_PANES} panes: {', '.join(room)}.")
    return html.P(" ".join(notes), className="small text-body-secondary mb-1")
