"""Votes in words: why each stands as it does, and its record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import html

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS, VOTES, Indicator, Voter
from dashapp.components.cards import info
from dashapp.format import UNKNOWN, column_label, is_known, number, percent

WHOLE_FROM = 1e6  # counts of shares are shown without decimals
SIGNIFICANT = 0.05  # q
_WORDS = {1: ("Buy", "up"), -1: ("Sell", "down"), 0: ("Neutral", "neutral")}
_HEADER = (
    "Signal",
    "Vote",
    "Why today",
    "Excess return after it",
    "Hit rate (of any day)",
    "n effective (n)",
    "q",
    "Excess by horizon",
)
_WIDE_ONLY = {"n effective (n)", "Excess by horizon"}  # a phone shows the rest
_GROUPS = {
    "moving_average": "Rating: moving averages", "oscillator": "Rating: oscillators", None: "Votes outside the rating",
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """What followed each signal: {(column, bucket): rows of the scorecard by sessions held}."""

    rows: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
    horizon: int
    whose: str


def signal_word(signal: Any) -> tuple[str, str]:
    """Return (word, tone) of a stored signal; a dash where it is unknown."""
    return _WORDS[int(signal)] if pd.notna(signal) else (UNKNOWN, "neutral")


def vote_table(
    last: Mapping[str, Any], before: Mapping[str, Any], record: Record, *, sessions: Mapping[str, int]
) -> html.Div:
    """Return every vote on the day of `last` with its reason and record, then the measures that do not vote.

    last, before: the newest two stored rows with their prices. sessions: {input: days on which the ticker has it}.
    """
    head = html.Thead(html.Tr([html.Th(name, className=_wide(name)) for name in _HEADER]))
    rows = [
        _group("What they add up to"),
        _total("Overall signal", "overall_signal", last, record),
        _total("Rating", "rating_label", last, record),
    ]
    for rating, title in _GROUPS.items():
        rows.append(_group(title))
        voters = [voter for voter in VOTES.values() if voter.vote.rating == rating]
        rows += [_row(voter, last, before, record, sessions) for voter in voters]
    rows.append(_group("Measures without a vote"))
    rows += [_measure(item, last, sessions) for item in INDICATORS.values() if not item.votes]
    table = dbc.Table([head, html.Tbody(rows)], size="sm", class_name="align-middle mb-0 votes")
    return html.Div(table, className="table-responsive")


def unavailable(indicator: Indicator, last: Mapping[str, Any], sessions: Mapping[str, int]) -> str:
    """Return why an indicator has no value on the day of `last`."""
    never = [name for name in indicator.inputs if not sessions.get(name)]
    if never:
        return f"Not available, because this source has no {_and(never)} of this ticker."
    lacking = [name for name in indicator.inputs if not is_known(last.get(name))]
    if lacking:
        return f"Not available, because the day has no {_and(lacking)}."
    known = min(sessions[name] for name in indicator.inputs)
    if known <= indicator.warm_up:
        return f"Not available, because it needs up to {indicator.warm_up + 1} sessions and there are {known}."
    return "Not available, because the price or the volume has not moved within its window."


def _row(
    voter: Voter, last: Mapping[str, Any], before: Mapping[str, Any], record: Record, sessions: Mapping[str, int]
) -> html.Tr:
    indicator, vote = voter
    value = last[vote.column]
    why = unavailable(indicator, last, sessions) if pd.isna(value) else vote.explain(value, last, before)
    about = info(f"{indicator.description} {indicator.formula}. Vote: {vote.rule}. {indicator.reference}.")
    bucket = "" if pd.isna(value) else _WORDS[int(value)][0].lower()
    cells = [html.Td([vote.label + (" · core " if vote.key in CORE_VOTES else " "), about], className="text-nowrap"), html.Td(_badge(value)),
             html.Td(why.replace("-", "−") if bucket else why, className="why"), *_record_cells(record, vote.column, bucket)]  # fmt: skip
    return html.Tr(cells)


def _total(label: str, column: str, last: Mapping[str, Any], record: Record) -> html.Tr:
    state = last[column]
    if column == "rating_label":
        word = state or ""
        tone = "buy" if "buy" in word else "sell" if "sell" in word else "neutral"
        badge = html.Span(word or UNKNOWN, className=f"vote vote-{tone if word else 'unknown'}")
        why = f"Score {number(last['rating_score'], sign=True)}: the mean of the averages' and the oscillators' mean votes."
    else:
        word, badge = ("", _badge(state)) if pd.isna(state) else (_WORDS[int(state)][0].lower(), _badge(state))
        why = (f"{number(last['buy_votes'], digits=0)} buy and {number(last['sell_votes'], digits=0)} sell among the seven core votes; "
               "three are needed, and more than the other side has.")  # fmt: skip
    return html.Tr(
        [
            html.Td(html.Strong(label)),
            html.Td(badge),
            html.Td(why, className="why"),
            *_record_cells(record, column, word),
        ]
    )


def _record_cells(record: Record, signal: str, bucket: str) -> list[html.Td]:
    """What followed the signal in the state it is in today."""
    rows = record.rows.get((signal, bucket), ())
    row = next((row for row in rows if row["horizon_days"] == record.horizon), None)
    if row is None:
        return [html.Td(UNKNOWN, className=_wide(name)) for name in _HEADER[3:]]
    found = is_known(row["q_value"]) and row["q_value"] < SIGNIFICANT
    tone = ("tone-up" if row["excess_return"] > 0 else "tone-down") if found else ""
    interval = (f" {_points(row['excess_low'])} to {_points(row['excess_high'])}" if is_known(row["excess_low"])
                else " too few to say")  # fmt: skip
    decay = " · ".join(f"{item['horizon_days']}: {_points(item['excess_return'])}" for item in rows)
    hit = (
        f"{percent(row['hit_rate'], digits=0)} ({percent(row['base_rate'], digits=0)})"
        if is_known(row["hit_rate"])
        else UNKNOWN
    )
    q = "< 0.001" if is_known(row["q_value"]) and row["q_value"] < 0.001 else number(row["q_value"])
    cells = (
        [html.Span(_points(row["excess_return"]), className=tone), html.Span(interval, className="small text-body-secondary")],
        hit, f"{number(row['n_effective'], digits=0)} ({row['n']:,})", html.Strong(q) if found else q, decay,
    )  # fmt: skip
    return [
        html.Td(cell, className=f"tabular text-nowrap {_wide(name)}")
        for name, cell in zip(_HEADER[3:], cells, strict=True)
    ]


def _points(fraction: float) -> str:
    """A return in tenths of a percent: the intervals beside it are wider than any further digit."""
    return percent(round(fraction, 3), sign=True)


def _measure(indicator: Indicator, last: Mapping[str, Any], sessions: Mapping[str, int]) -> html.Tr:
    known = any(is_known(last[name]) for name in indicator.outputs)
    shown = [
        html.Span(f"{column_label(name)} {_value(last[name])}", className="text-nowrap d-inline-block me-3")
        for name in indicator.outputs
    ]
    about = info(f"{indicator.description} {indicator.formula}. {indicator.reference}.")
    return html.Tr([
        html.Td([indicator.label, " ", about], className="text-nowrap"), html.Td(""),
        html.Td(shown if known else unavailable(indicator, last, sessions), className="tabular", colSpan=6),
    ])  # fmt: skip


def _value(value: Any) -> str:
    return number(value, digits=0 if is_known(value) and abs(value) >= WHOLE_FROM else 2)


def _badge(value: Any) -> html.Span:
    word = "n/a" if pd.isna(value) else _WORDS[int(value)][0].lower()
    return html.Span(word, className=f"vote vote-{'unknown' if word == 'n/a' else word}")


def _group(title: str) -> html.Tr:
    return html.Tr(html.Th(title, colSpan=len(_HEADER), className="vote-group"))


def _wide(name: str) -> str:
    return "d-none d-lg-table-cell" if name in _WIDE_ONLY else ""


def _and(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
