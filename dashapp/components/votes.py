"""Votes as the rows of a table: why each stands as it does, and its record."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS, VOTES, Indicator, Voter
from dashapp.components.tables import column, number_column, p_value_column, percent_column
from dashapp.format import UNKNOWN, column_label, is_known, number, percent

MINUS = re.compile(r"(?<!\w)-(?=\d)")
WHOLE_FROM = 1e6  # counts of shares are shown without decimals
Records = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]  # {(column, bucket): scorecard rows by horizon}

_WORDS = {1: ("Buy", "up"), -1: ("Sell", "down"), 0: ("Neutral", "neutral")}
_PARTS = {"moving_average": "Averages", "oscillator": "Oscillators", None: "Other votes"}
_FOUND = {
    "tone-up fw-semibold": "params.data.side * params.data.excess_return > 0 && params.data.q_value < 0.05",
    "tone-down fw-semibold": "params.data.side * params.data.excess_return < 0 && params.data.q_value < 0.05",
}
_VOTED = {
    "tone-up fw-semibold": "params.value && params.value.includes('buy')",
    "tone-down fw-semibold": "params.value && params.value.includes('sell')",
}

VOTE_COLUMNS = [
    column("signal", "Signal", width=182, pinned="left", cellClass="explained", tooltipField="about",
           tip="Rest on a name for what it measures, its formula and its rule"),
    column("vote", "Vote", width=96, cellClassRules=_VOTED, tip="At the last close"),
    column("why", "Why today", minWidth=250, cellClass="wrapped", tooltipField="why"),
    percent_column("excess_return", "Excess after it", width=92, cellClassRules=_FOUND,
                   tip="Mean total return after such votes beyond the average of all days; where q < 5 %, green: it went the vote's way, red: against it"),
    percent_column("excess_low", "Low", width=78, tip="95 % interval of the excess, by block bootstrap; a dash: too few blocks to say"),
    percent_column("excess_high", "High", width=78, tip="95 % interval of the excess"),
    percent_column("hit_rate", "Hit rate", digits=0, width=72, tip="Share of the returns that went the vote's way; a neutral vote has none"),
    percent_column("base_rate", "Of any day", digits=0, width=78, tip="The same share over all days"),
    number_column("n_effective", "n eff.", digits=0, width=74, tip="The effective number: independent returns that would be as certain; fewer than n, because windows overlap"),
    number_column("n", "n", digits=0, width=74, tip="Days with this vote whose return is known"),
    p_value_column("q_value", "q", width=84, tip="The share of false finds among all tested signals with a q this low (Benjamini and Hochberg)"),
    percent_column("excess_5", "Over 5", width=76, tip="The excess over 5 sessions: how it grows or decays with the horizon"),
    percent_column("excess_21", "Over 21", width=76, tip="The excess over 21 sessions"),
    percent_column("excess_63", "Over 63", width=76, tip="The excess over 63 sessions"),
    column("part", "Part", width=104, tip="Averages and oscillators make the rating; the core votes make the signal"),
]  # fmt: skip


def signal_word(signal: Any) -> tuple[str, str]:
    """Return (word, tone) of a stored signal; a dash where it is unknown."""
    return _WORDS[int(signal)] if pd.notna(signal) else (UNKNOWN, "neutral")


def vote_rows(
    last: Mapping[str, Any], before: Mapping[str, Any], records: Records, *, horizon: int, sessions: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return a row per total and vote on the day of `last`, with its reason and record, then the measures without a vote.

    last, before: the newest two stored rows with their prices. horizon: sessions held. sessions: {input: days on
    which the ticker has it}, asked for only where something is unknown.
    """
    rows = [_signal(last, records, horizon), _rating(last, records, horizon)]
    for rating, part in _PARTS.items():
        voters = [voter for voter in VOTES.values() if voter.vote.rating == rating]
        rows += [_vote(voter, part, last, before, records, horizon, sessions) for voter in voters]
    return rows + [_measure(item, last, sessions) for item in INDICATORS.values() if not item.votes]


def unavailable(indicator: Indicator, last: Mapping[str, Any], sessions: Mapping[str, int], *, warm_up: int) -> str:
    """Return why an indicator has no value, or no vote, on the day of `last`; warm_up: bars before its first."""
    never = [name for name in indicator.inputs if not sessions.get(name)]
    if never:
        return f"Not available, because this source has no {_and(never)} of this ticker."
    lacking = [name for name in indicator.inputs if not is_known(last.get(name))]
    if lacking:
        return f"Not available, because the day has no {_and(lacking)}."
    if "volume" in indicator.inputs and not last["volume"]:
        return "Not available, because no volume is reported for the day."
    known = min(sessions[name] for name in indicator.inputs)
    if known <= warm_up:
        return f"Not available, because it needs {warm_up + 1} sessions and there are {known}."
    return "Not available, because the price or the volume has not moved within its window."


def _signal(last: Mapping[str, Any], records: Records, horizon: int) -> dict[str, Any]:
    state = last["overall_signal"]
    word = "" if pd.isna(state) else _WORDS[int(state)][0].lower()
    why = (f"{number(last['buy_votes'], digits=0)} buy and {number(last['sell_votes'], digits=0)} sell among the seven core votes; "
           "three must agree.")  # fmt: skip
    about = "What the seven core votes add up to. It is acted on at the next open."
    return _row("overall_signal", "Overall signal", about, "Sum", word, why) | _record(
        records, "overall_signal", word, horizon
    )


def _rating(last: Mapping[str, Any], records: Records, horizon: int) -> dict[str, Any]:
    word = last["rating_label"] or ""
    why = f"Score {number(last['rating_score'], sign=True)} on a scale from −1, all sell, to 1, all buy."
    about = (
        "The 15 votes of averages and the 11 of oscillators, each half weighed equally; labels change at ±0.1 and ±0.5."
    )
    return _row("rating_label", "Rating", about, "Sum", word, why) | _record(records, "rating_label", word, horizon)


def _vote(
    voter: Voter, part: str, last: Mapping[str, Any], before: Mapping[str, Any], records: Records, horizon: int,
    sessions: Mapping[str, int],
) -> dict[str, Any]:  # fmt: skip
    indicator, vote = voter
    value = last[vote.column]
    known = pd.notna(value)
    why = (
        MINUS.sub("−", vote.explain(value, last, before))
        if known
        else unavailable(indicator, last, sessions, warm_up=indicator.warm_up if vote.warm_up is None else vote.warm_up)
    )
    word = _WORDS[int(value)][0].lower() if known else ""
    label = f"{vote.label} · core" if vote.key in CORE_VOTES else vote.label
    about = f"{indicator.description} {indicator.formula}. Vote: {vote.rule}. {indicator.reference}."
    return _row(vote.column, label, about, part, word, why) | _record(records, vote.column, word, horizon)


def _measure(indicator: Indicator, last: Mapping[str, Any], sessions: Mapping[str, int]) -> dict[str, Any]:
    known = any(is_known(last[name]) for name in indicator.outputs)
    form = percent if indicator.fraction else _value
    shown = " · ".join(f"{column_label(name)} {form(last[name])}" for name in indicator.outputs)
    about = f"{indicator.description} {indicator.formula}. {indicator.reference}."
    why = shown if known else unavailable(indicator, last, sessions, warm_up=indicator.warm_up)
    return _row(indicator.key, indicator.label, about, "Measures", None, why)


def _row(key: str, signal: str, about: str, part: str, word: str | None, why: str) -> dict[str, Any]:
    """The words of a row; a vote that is "" is not available, one that is None is none."""
    return {
        "key": key,
        "signal": signal,
        "about": about,
        "part": part,
        "vote": "n/a" if word == "" else word,
        "why": why,
    }


def _record(records: Records, signal: str, bucket: str, horizon: int) -> dict[str, Any]:
    """What followed the signal in the state it is in today."""
    rows = records.get((signal, bucket), ())
    found = {f"excess_{row['horizon_days']}": row["excess_return"] for row in rows}
    names = ("excess_return", "excess_low", "excess_high", "hit_rate", "base_rate", "n_effective", "n", "q_value")
    chosen = next((row for row in rows if row["horizon_days"] == horizon), None)
    return found | ({name: chosen[name] for name in names} if chosen else {})


def _value(value: Any) -> str:
    return number(value, digits=0 if is_known(value) and abs(value) >= WHOLE_FROM else 2)


def _and(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
