"""The head of the tab: newest close, signal, and the ratings of day, week and month."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html

from analytics.conventions import CORE_VOTES
from analytics.market import Bars
from dashapp.components import stat, stats
from dashapp.components.gauge import rating_gauge
from dashapp.components.votes import signal_word
from dashapp.format import number, percent, usd


def head(bars: Bars, last: Mapping[str, Any], ratings: Mapping[str, Any], *, is_index: bool) -> list[Any]:
    """Return the key figures and the gauges. last: the newest stored row; ratings: {W or M: newest completed bar}."""
    return [html.Div(_figures(bars, last, is_index=is_index), className="filled"), _gauges(last, ratings)]


def _figures(bars: Bars, last: Mapping[str, Any], *, is_index: bool) -> html.Div:
    change = bars.adj_close[-1] / bars.adj_close[-2] - 1 if len(bars) > 1 else float("nan")
    word, tone = signal_word(last["overall_signal"])
    available = sum(1 for key in CORE_VOTES if pd.notna(last.get(f"vote_{key}")))
    price = number(bars.close[-1]) if is_index else usd(bars.close[-1])
    return stats([
        stat("Last close", price, note=str(bars.dates[-1]), tip="The last close the store holds, in USD; of an index, in points."),
        stat("Last session", percent(change, digits=2, sign=True), tone="up" if change > 0 else "down",
             note="without dividends" if is_index else "total return", tip="Adjusted close over the adjusted close of the session before, less one; an index leaves dividends out."),
        stat("Signal", word, tone=tone, note=f"{number(last['buy_votes'], digits=0)} buy, "
             f"{number(last['sell_votes'], digits=0)} sell of {available} core votes",
             tip="Buy where at least three of the seven core votes are buys and buys outnumber sells; sell is the mirror."),
        stat("Distance to 52-week high", percent(last["high_52w_distance"]), note=f"ATR 14 {number(last['atr_14'])}",
             tip="The close over the highest high of 252 sessions, less one. ATR: the usual distance the price covers in a session."),
    ])  # fmt: skip


def _gauges(last: Mapping[str, Any], ratings: Mapping[str, Any]) -> html.Div:
    shown = [("Daily rating", last), ("Weekly rating", ratings.get("W")), ("Monthly rating", ratings.get("M"))]
    return html.Div([
        rating_gauge(name, row["rating_score"] if row else None, row["rating_label"] if row else None,
                     note=f"to {row['date']}" if row else "no completed bar yet")
        for name, row in shown
    ], className="gauges mb-3")  # fmt: skip
