"""A stored question is an address, and the address opens the same form."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from dash import Dash
from dash._utils import to_json
from dispatch import text_of, walk

from dashapp.pages.backtest.controls import parameter_controls
from dashapp.pages.backtest.layout import layout
from dashapp.pages.backtest.link import link_to
from pipeline.backtests import BacktestRequest

ASKED = {
    "strategy": "mean_reversion", "tickers": ["SIM002", "SIM001"], "initial_capital": 2_500.5,
    "parameters": {"signal": "both", "window": 30}, "costs": {"fee_rate": 0.001, "fixed_fee": 2.0},
    "rules": {"direction": "long_short", "stop_loss": 0.1, "cash_interest": False},
}  # fmt: skip


def stored(**changes: Any) -> dict[str, Any]:
    """A result as it is stored, of a question."""
    request = BacktestRequest.of(**(ASKED | changes))
    return {
        "strategy_name": request.spec.strategy, "tickers": list(request.tickers or ()), "params": request.params(),
        "start_date": "2019-01-02", "end_date": "2020-12-31",
    }  # fmt: skip


def query_of(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))


@pytest.fixture
def form(app: Dash, serve: Callable[..., Any], simulated: Any) -> Callable[..., dict[str, Any]]:
    """Open the tab with a query and return {field: value} of its controls."""
    serve(db=simulated.db)

    def opened(**query: str) -> dict[str, Any]:
        with app.server.test_request_context():
            chosen = query.get("strategy", "technical_vote")
            drawn = json.loads(to_json([layout(**query), *parameter_controls(chosen, query)]))
        found = {}
        for part in walk(drawn):
            key, props = part.get("props", {}).get("id"), part.get("props", {})
            if key is not None and "value" in props:
                found[key["name"] if isinstance(key, dict) else str(key).removeprefix("backtest-")] = props["value"]
        return found

    return opened


def test_a_link_opens_the_question_of_a_result(form: Callable[..., dict[str, Any]]) -> None:
    query = query_of(link_to(stored()))
    query.pop("ticker")
    fields = form(**query)
    assert (fields["strategy"], fields["tickers"]) == ("mean_reversion", ["SIM001", "SIM002"])
    assert (fields["start"], fields["end"], fields["capital"]) == ("2019-01-02", "2020-12-31", 2_500.5)
    assert (fields["signal"], fields["window"]) == ("both", 30)
    assert (fields["fee_rate"], fields["fixed_fee"], fields["stop_loss"]) == (
        pytest.approx(0.1),
        2.0,
        pytest.approx(10.0),
    )
    assert (fields["direction"], fields["cash_interest"], fields["engine"]) == ("long_short", False, "kernel")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"strategy": "technical_vot"}, "Did you mean 'technical_vote'?"),
        ({"strategy": "technical_vote", "threshold": "99"}, "threshold: got '99'; allowed:"),
        ({"strategy": "technical_vote", "thresold": "2"}, "Did you mean 'threshold'?"),
        ({"strategy": "technical_vote", "tickers": "SIM001,SIM0O2"}, "ticker: got 'SIM0O2'; allowed:"),
        ({"strategy": "technical_vote", "start": "last year"}, "start: got 'last year'; allowed:"),
        (
            {"strategy": "technical_vote", "initial_capital": "nan"},
            "initial_capital: got 'nan'; allowed: a number from 1",
        ),
        ({"strategy": "technical_vote", "engine": "kernl"}, "Did you mean 'kernel'?"),
        ({"strategy": "technical_vote", "fee_rate": "9" * 4_001}, "9…; allowed:"),
        (
            {"strategy": "technical_vote", "threshold": "2", "tickers": "SIM001", "ticker": "SIM001", "range": "2y"},
            None,
        ),
        ({"ticker": "SIM001"}, None),
        ({"tickers": "SIM001", "start": "2020-01-01"}, "sets start, tickers must name the strategy"),
        ({"strategy": "technical_vote", "start": "2021-01-01", "end": "2020-01-01"}, "start: got '2021-01-01'"),
        ({"strategy": "technical_vote", "tickers": "SIM001,FOO,BAR"}, "ticker: got 'FOO, BAR'"),
        ({"strategy": ["x", "technical_vote"], "engine": ["a", "kernel"], "tickers": ["B", "SIM001"]}, None),
    ],
)
def test_what_a_link_asks_in_vain_is_told(
    app: Dash, serve: Callable[..., Any], simulated: Any, query: dict[str, Any], told: str | None
) -> None:
    serve(db=simulated.db)
    with app.server.test_request_context():
        words = text_of(json.loads(to_json(layout(**query))))
    assert ("leaves out what it cannot use" in words) == (told is not None)
    assert told is None or told in words
    assert len(words) < 3_000


def test_what_stands_at_its_default_is_not_in_the_link() -> None:
    plain = stored(initial_capital=None, parameters={}, costs={}, rules={})
    assert set(query_of(link_to(plain))) == {"ticker", "strategy", "tickers", "start", "end"}
    votes = stored(strategy="technical_vote", parameters={"votes": ["rsi", "macd"], "threshold": 1})
    assert query_of(link_to(votes))["votes"] == "macd,rsi"


@pytest.mark.parametrize(
    ("name", "text"),
    [("start", "yesterday"), ("end", "2020-02-30"), ("initial_capital", "1e400"), ("initial_capital", "nan"),
     ("initial_capital", "much"), ("engine", "backtrader"), ("tickers", "NOPE,<b>"), ("fee_rate", "9"), ("direction", "up")],
)  # fmt: skip
def test_what_cannot_be_read_is_passed_over(form: Callable[..., dict[str, Any]], name: str, text: str) -> None:
    usual, given = form(strategy="technical_vote"), form(strategy="technical_vote", **{name: text})
    assert given == usual
    assert given["strategy"] == "technical_vote"
