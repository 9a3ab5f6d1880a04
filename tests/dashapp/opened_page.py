"""A page as a reader finds it: opened by its callback, its figures, tables and key figures picked out."""

import json
from typing import Any

from dispatch import Dispatch, of_type, text_of, tips_of, with_class

from dashapp.pages import PAGES

# What each tab's main callback writes.
VOTES_GRID = '{"name":"technical-votes","type":"grid"}.rowData'
CONTENT = {key: f"{key}-content.children" for key in PAGES}


def view(ticker: str | None, span: str = "2y", **changes: Any) -> dict[str, Any]:
    """What the controls hold when a page is opened."""
    return {
        "shell-view.data": {"ticker": ticker, "range": span}, "shell-url.pathname": "/", "shell-theme-name.data": "dark",
        "technical-style.value": "candles", "technical-overlays.value": ["sma"], "technical-scale.value": "linear",
        "technical-ribbon.value": "none", "technical-scope.value": "ticker", "technical-horizon.value": "21", "frontier-point.data": 25,
        "frontier-pick.value": "frontier", "frontier-request.data": {},
        "technical-panes.value": ["volume", "rsi", "macd"], "fundamentals-view.data": "ticker", "fundamentals-model.value": "ff3",
        "fundamentals-window.value": "60", "fundamentals-frequency.value": "M", "fundamentals-dimson.value": False,
        "fundamentals-premiums.value": "mean", "fundamentals-period.value": "1y",
    } | changes  # fmt: skip


def asked_of(
    panel: str, request: dict[str, Any], *, point: Any = 25, pick: str = "frontier", theme: str = "dark"
) -> dict[str, Any]:
    """What the page asks the open panel of the Frontier tab."""
    return {f"frontier-asked-{panel}.data": {"request": request, "point": point, "pick": pick, "theme": theme, "n": 1}}


def opened(dispatch: Dispatch, page: str, values: dict[str, Any]) -> Any:
    """The content of a page; any unexpected error fails."""
    written = dispatch(CONTENT[page], values)
    assert "shell-toasts.children" not in written, text_of(written["shell-toasts.children"])
    combined = {
        "technical": _with_chart_and_votes, "frontier": _with_chart_and_portfolio, "backtest": _with_verdict_and_record,
    }  # fmt: skip
    return combined[page](dispatch, values, written) if page in combined else written[CONTENT[page]]


def _with_verdict_and_record(dispatch: Dispatch, values: dict[str, Any], written: dict[str, Any]) -> Any:
    """The Backtest tab fills five places: the account comes first, and the audit redraws no picture."""
    found, values = [], values | {"backtest-drawn.data": values.get("backtest-shown.data")}
    for place in ("verdict", "content", "more", "each", "record"):
        name = f"backtest-{place}.children"
        answer = written if place == "content" else dispatch(name, values)
        assert "shell-toasts.children" not in answer, text_of(answer["shell-toasts.children"])
        nothing = place == "verdict" and not values.get("backtest-shown.data")  # stays as it is: empty
        found.append([] if nothing else answer[name])
    return found


def _with_chart_and_portfolio(dispatch: Dispatch, values: dict[str, Any], written: dict[str, Any]) -> Any:
    """The Frontier tab draws the chart and describes the chosen portfolio in two answers."""
    content = written["frontier-content.children"]
    if written["frontier-body.hidden"]:
        return content
    chart = {
        "type": "Graph",
        "namespace": "dash_core_components",
        "props": {"figure": written["frontier-chart.figure"]},
    }
    chosen = dispatch("frontier-chosen.children", values)
    assert "shell-toasts.children" not in chosen, text_of(chosen["shell-toasts.children"])
    return [content, chart, chosen["frontier-chosen.children"]]


def _with_chart_and_votes(dispatch: Dispatch, values: dict[str, Any], written: dict[str, Any]) -> Any:
    """The Technical tab fills several places; here they stand one after the other."""
    content = written["technical-content.children"]
    if written["technical-body.hidden"]:
        return content
    chart = {
        "type": "Graph",
        "namespace": "dash_core_components",
        "props": {"figure": written["technical-chart.figure"]},
    }
    votes = dispatch("technical-votes.children", values)
    grid = {
        "type": "AgGrid",
        "namespace": "dash_ag_grid",
        "props": {"id": "rows of technical-votes", "rowData": votes[VOTES_GRID]},
    }
    return [
        content,
        written["technical-title.children"],
        written["technical-notes.children"],
        chart,
        votes["technical-votes.children"],
        grid,
    ]


def stat_cards(content: Any) -> dict[str, dict[str, str]]:
    """{label: {value, note, tip}} of the key figures of a page."""
    found = {}
    for item in with_class(content, "stat"):
        value, label, *rest = item["props"]["children"]
        note = next((part for part in rest if isinstance(part, str)), "")
        parts = {"label": text_of(label), "value": text_of(value).strip(), "note": note.strip()}
        tips = tips_of(item)
        found[parts["label"]] = parts | {"tip": tips[0] if tips else ""}
    return found


def figure_of(content: Any, number: int = 0) -> dict[str, Any]:
    return of_type(content, "Graph")[number]["props"]["figure"]


def grid_rows(content: Any, key: str) -> list[dict[str, Any]]:
    return next(
        item["props"]["rowData"] for item in of_type(content, "AgGrid") if key in json.dumps(item["props"]["id"])
    )
