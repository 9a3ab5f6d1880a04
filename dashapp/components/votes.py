"""Votes and signals in words."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import html

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS, Indicator
from analytics.market import Bars
from dashapp.components.cards import info
from dashapp.format import UNKNOWN, column_label, number

WIDE_ONLY = "d-none d-md-table-cell"  # a phone shows the rule in the tip
WHOLE_FROM = 1e6
_WORDS = {1: ("Buy", "up"), -1: ("Sell", "down"), 0: ("Neutral", "neutral")}


def signal_word(signal: Any) -> tuple[str, str]:
    """Return (word, tone) of a stored signal; a dash where it is unknown."""
    return _WORDS[int(signal)] if pd.notna(signal) else ("–", "neutral")


def vote_table(bars: Bars, last: Mapping[str, Any]) -> html.Div:
    """Return every indicator's values and vote on the day of `last`, the core seven first."""
    ordered = sorted(INDICATORS.values(), key=lambda item: (item.key not in CORE_VOTES, item.vote is None, item.label))
    names = ("Indicator", "Values", "Vote", "Rule")
    header = html.Thead(html.Tr([html.Th(name, className=WIDE_ONLY if name == "Rule" else "") for name in names]))
    body = html.Tbody([_row(item, bars, last) for item in ordered])
    return html.Div(dbc.Table([header, body], size="sm", class_name="align-middle mb-0"), className="table-responsive")


def _row(indicator: Indicator, bars: Bars, last: Mapping[str, Any]) -> html.Tr:
    known = any(last[name] is not None for name in indicator.outputs)
    shown = [_value(name, indicator, last[name]) for name in indicator.outputs] if known else [UNKNOWN]
    values = [html.Span(text, className="text-nowrap d-inline-block me-3") for text in shown]
    core = html.Span(" core", className="small text-body-secondary") if indicator.key in CORE_VOTES else ""
    return html.Tr([
        html.Td([indicator.label, core, " ", info(f"{indicator.description} {indicator.formula}. Vote: {indicator.vote_rule}. {indicator.reference}.")],
                className="text-nowrap"),
        html.Td(values, className="tabular"),
        html.Td(_vote(indicator, bars, last)),
        html.Td(indicator.vote_rule, className=f"text-body-secondary {WIDE_ONLY}"),
    ])  # fmt: skip


def _value(name: str, indicator: Indicator, value: Any) -> str:
    """One output, named where the indicator has several; counts of shares without decimals."""
    shown = number(value, digits=0 if value is not None and abs(value) >= WHOLE_FROM else 2)
    return f"{column_label(name)} {shown}" if len(indicator.outputs) > 1 else shown


def _vote(indicator: Indicator, bars: Bars, last: Mapping[str, Any]) -> Any:
    if indicator.vote_column is None:
        return html.Span("no vote", className="vote vote-unknown")
    vote = last[indicator.vote_column]
    if pd.isna(vote):
        lacking = [name for name in indicator.inputs if not np.isfinite(getattr(bars, name)[-1])]
        return html.Span(f"needs {', '.join(lacking)}" if lacking else "warming up", className="vote vote-unknown")
    word = _WORDS[int(vote)][0].lower()
    return html.Span(word, className=f"vote vote-{word}")
