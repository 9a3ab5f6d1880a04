"""The rating as a gauge: five zones from strong sell to strong buy, and where the score stands."""

from typing import Any

from dash import html

from analytics.conventions import RATING_BUY, RATING_STRONG_BUY
from analytics.signals import RATING_LABELS
from dashapp.components.cards import explained
from dashapp.format import UNKNOWN, is_known, number

TIP = (
    "Mean of two means: of the 15 votes of moving averages and of the 11 votes of oscillators, from −1 to 1; the label "
    "changes at ±0.1 and ±0.5. Weekly and monthly ratings count completed bars only."
)
_EDGES = (-1.0, -RATING_STRONG_BUY, -RATING_BUY, RATING_BUY, RATING_STRONG_BUY, 1.0)
_TONES = {"strong sell": "down", "sell": "down", "neutral": "neutral", "buy": "up", "strong buy": "up"}


def rating_gauge(name: str, score: Any, label: Any, *, note: str = "") -> html.Div:
    """Return the gauge of one rating; without a pointer where the score is unknown."""
    zones = [
        html.Div(className=f"gauge-zone gauge-{zone.replace(' ', '-')}", style={"width": f"{50 * (high - low):g}%"}, title=zone)
        for zone, low, high in zip(RATING_LABELS, _EDGES, _EDGES[1:], strict=False)
    ]  # fmt: skip
    pointer = (
        [html.Div(className="gauge-pointer", style={"left": f"{50 * (score + 1):.1f}%"})] if is_known(score) else []
    )
    told = " · ".join(filter(None, (number(score, sign=True), note)))
    return html.Div([
        f"{str(label or UNKNOWN).capitalize()}\n", html.Span(name, className="stat-label", **explained(TIP)), f"\n{told}",
        html.Div([*zones, *pointer], className="gauge", title=f"{name}: {label or 'unknown'}, {number(score, sign=True)}"),
    ], className=f"card stat tone-{_TONES.get(label, 'neutral')}")  # fmt: skip
