"""Every input of every callback, given what no page sends: the answer is a sentence, and nothing changes."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from dispatch import Dispatch, is_pattern, outputs_of, text_of, with_class
from hostile import BEYOND_JSON, INJECTIONS, LEAKS, TEXTS, VALUES
from opened_page import opened, view

from config import ROOT
from dashapp.data import POOL_KEY, UPDATE_KEY
from dashapp.update_job import UpdateJob, UpdateRefusedError

PARAMETERS = {"threshold": 3, "votes": ["rsi"]}


class NoUpdates(UpdateJob):
    """Refuses to start anything."""

    def start(self, settings: Any) -> None:
        raise UpdateRefusedError("not in a test")


@pytest.fixture
def at_rest(app: Dash, serve: Callable[..., Any], simulated: Any) -> Iterator[dict[str, Any]]:
    """The app over the simulated store, unable to start anything; yields what a browser at rest would send."""
    serve(db=simulated.db)
    config = app.server.config
    kept, config[UPDATE_KEY] = config[UPDATE_KEY], NoUpdates()
    yield view("SIM001") | {
        "shell-url.search": "?ticker=SIM001", "_pages_location.pathname": "/technical", "_pages_location.search": "",
        "backtest-strategy.value": "technical_vote", "backtest-scope.value": "chosen", "backtest-tickers.value": ["SIM001"],
        "backtest-capital.value": 1000, "backtest-engine.value": "kernel", "backtest-term.value": {"fee_rate": 0.1, "direction": "long_only", "cash_interest": True},
    }  # fmt: skip
    config[UPDATE_KEY] = kept
    config[POOL_KEY].pending.clear()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cases(dispatch: Dispatch) -> Iterator[tuple[str, str]]:
    """(a callback's first output, one of its inputs or states as "id.property")."""
    for item in dispatch.dependencies:
        if not item["clientside_function"]:
            for part in (*item["inputs"], *item["state"]):
                yield outputs_of(item["output"])[0], f"{part['id']}.{part['property']}"


def sent(name: str, value: Any) -> dict[str, Any]:
    """The values of a request in which one input is `value`; of a pattern, one of its components."""
    key, _, prop = name.rpartition(".")
    if is_pattern(key):
        return {f"{json.loads(key)['type']}.{prop}": {"threshold": value}}
    return {name: value}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_t35_every_input_of_every_callback_takes_a_hostile_value(
    at_rest: dict[str, Any], dispatch: Dispatch, simulated: Any, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    before, seen = digest(simulated.db), 0
    with caplog.at_level(logging.ERROR):
        for output, name in cases(dispatch):
            pressed = {"backtest-run.n_clicks": 1} if output == "shell-backtest-job.data" else {}
            answer = dispatch.post(output, at_rest | pressed | sent(name, value))
            told = f"{output} given {name}: HTTP {answer.status_code} {answer.text[:200]}"
            assert answer.status_code in (200, 204, 400), told
            assert not [leak for leak in (*LEAKS, str(ROOT)) if leak in answer.text], told
            assert "unexpected error" not in answer.text.lower(), told
            assert "damaged" not in answer.text, told  # what SQLite says of a value that it cannot take
            if value in BEYOND_JSON:
                assert answer.status_code == 400, told
            seen += 1
    assert seen > 30
    assert [record.message for record in caplog.records] == []
    assert digest(simulated.db) == before


@pytest.mark.parametrize("ticker", [text for text in TEXTS if text.strip()], ids=lambda text: text[:20])
@pytest.mark.parametrize("page", ["technical", "fundamentals"])
def test_t37_a_ticker_is_one_of_the_store_or_refused_in_words(
    at_rest: dict[str, Any], dispatch: Dispatch, page: str, ticker: str
) -> None:
    content = opened(dispatch, page, at_rest | {"shell-view.data": {"ticker": ticker, "range": "2y"}})
    words = text_of(with_class(content, "empty-state"))
    assert "allowed: " in words
    assert "SIM001" in words
    assert len(words) < 600  # the 5,000 characters are not repeated


REFUSED = [
    ("technical", "technical-style.value", "pie", "allowed: candles, line"),
    ("technical", "technical-overlays.value", ["rsi"], "allowed: "),  # an indicator, but none that lies over a price
    ("technical", "technical-overlays.value", "sma", "allowed: a list"),
    ("technical", "technical-panes.value", ["sma"], "allowed: "),
    ("technical", "shell-view.data", {"ticker": "SIM001", "range": "9y"}, "allowed: 1m, 1y"),
    ("fundamentals", "fundamentals-model.value", "ff33", "Did you mean 'ff3'"),
    ("fundamentals", "fundamentals-window.value", 60, "allowed: 0, 120, 36, 60"),
    ("fundamentals", "fundamentals-frequency.value", "W", "allowed: D, M"),
    ("frontier", "frontier-point.data", 51, "a whole number from 1 to 50"),
    ("frontier", "frontier-point.data", "1 OR 1=1", "a whole number from 1 to 50"),
    ("backtest", "backtest-shown.data", "../../data.db", "letters and digits"),
]


@pytest.mark.parametrize(("page", "name", "value", "says"), REFUSED)
def test_t35_a_value_outside_the_allowed_ones_is_refused_in_words(
    at_rest: dict[str, Any], dispatch: Dispatch, page: str, name: str, value: Any, says: str
) -> None:
    assert says in text_of(with_class(opened(dispatch, page, at_rest | {name: value}), "empty-state"))


FORM = [
    ({"backtest-strategy.value": "__class__"}, "strategy: got __class__"), ({"backtest-scope.value": "some"}, "Universe: got some"),
    ({"backtest-tickers.value": [INJECTIONS[1]]}, "1 to 15 of A-Z"), ({"backtest-tickers.value": ["SIM999"]}, "SIM001"),
    ({"backtest-tickers.value": "SIM001"}, "a list of up to"), ({"backtest-start.value": "2020-02-30"}, "YYYY-MM-DD"),
    ({"backtest-end.value": {"a": 1}}, "YYYY-MM-DD"), ({"backtest-capital.value": "1000"}, "a number"),
    ({"backtest-term.value": {"fee_rate": [0.1]}}, "a number"), ({"backtest-term.value": {"stop_loss": None}}, "Fill in the field"),
    ({"backtest-term.value": {"direction": ["long_only"]}}, "long_short"), ({"backtest-term.value": {"cash_interest": "yes"}}, "true or false"),
    ({"backtest-term.value": {"nothing": 1}}, "got nothing"), ({"backtest-engine.value": {"a": 1}}, "vectorbt"),
    ({"backtest-parameter.value": {"threshold": 10**9}}, "from"), ({"backtest-parameter.value": {"nothing": 1}}, "got nothing"),
    ({"backtest-parameter.value": {"threshold": [3]}}, "a number"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "says"), FORM)
def test_t35_a_form_with_a_forged_field_starts_nothing_and_says_which(
    at_rest: dict[str, Any], dispatch: Dispatch, changes: dict[str, Any], says: str
) -> None:
    written = dispatch("backtest-error.children", at_rest | {"backtest-run.n_clicks": 1} | changes)
    assert says in text_of(written["backtest-error.children"])
    assert "shell-backtest-job.data" not in written


def test_a_click_on_a_forged_row_leads_nowhere(at_rest: dict[str, Any], dispatch: Dispatch) -> None:
    rows = '{"name":"overview","type":"grid"}.selectedRows'
    written = dispatch("overview-go.href", at_rest | {rows: [{"ticker": "X&y=1#//evil"}]})
    assert "overview-go.href" not in written
    assert "1 to 15 of A-Z" in text_of(written["shell-toasts.children"])
