"""The Technical tab beyond its first view: live parameters, records, ribbon, comparison, drawings and export."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np
import pandas as pd
import pytest
from dash import Dash
from dispatch import Dispatch, of_type, text_of, walk, with_class
from opened_page import figure_of, grid_rows, opened, view
from scratch import settings_in

from analytics.conventions import CORE_VOTES
from analytics.errors import InputError, UnknownKeyError
from analytics.indicators import INDICATORS, VOTES, compute_indicator
from analytics.signals import known_on
from analytics.signals.candlesticks import PATTERNS as PATTERN_LABELS
from dashapp.pages.backtest import PAGE
from dashapp.pages.technical.live import changes
from pipeline.queries import connect
from pipeline.queries import factors as factor_queries
from pipeline.queries import prices as price_queries
from pipeline.queries import scorecard as scorecard_queries
from pipeline.queries import signals as signal_queries
from pipeline.runner import UpdateRequest, update

TICKER = "SIM001"


@pytest.fixture
def served(serve: Callable[..., Any], simulated: Any) -> Any:
    return serve(db=simulated.db)


@pytest.fixture(scope="module")
def short_history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a ticker of three sessions beside one of three hundred."""
    folder = tmp_path_factory.mktemp("short")
    (folder / "prices").mkdir()
    days = np.busday_offset("2023-01-02", np.arange(300))
    for ticker, kept in (("NEW", days[-3:]), ("OLD", days)):
        close = 50 + np.sin(np.arange(len(kept)))
        rows = pd.DataFrame({
            "Date": kept.astype(str), "Open": close, "High": close + 1, "Low": close - 1, "Close": close, "Volume": 1000,
        })  # fmt: skip
        rows.to_csv(folder / "prices" / f"{ticker}.csv", index=False)
    settings = settings_in(folder)
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    return Path(settings.db)


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in figure["data"] if item["name"] == name)


def drawn_values(item: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(item["y"]["bdata"]), dtype=np.float32)


# ---- live parameters ----------------------------------------------------------------------------------------


def test_parameters_are_offered_for_what_is_drawn(served: Any, dispatch: Dispatch) -> None:
    values = {
        "technical-overlays.value": ["bollinger", "patterns"],
        "technical-panes.value": ["volume", "rsi"],
        "technical-live.data": {"rsi.window": 21},
    }
    offered = dispatch("technical-parameters.children", values)["technical-parameters.children"]
    fields = {item["props"]["id"]["name"]: item["props"]["value"] for item in of_type(offered, "Input")}
    assert fields == {"bollinger.window": 20, "bollinger.width": 2.0, "rsi.window": 21}


def test_only_what_differs_from_the_stored_is_noted(served: Any, dispatch: Dispatch) -> None:
    sent = {"technical-parameter.value": {"rsi.window": 21, "sma.sma_20": 20}, "technical-live.data": {}}
    written = dispatch("technical-live.data", sent)
    assert written["technical-live.data"] == {"rsi.window": 21}
    again = dispatch("technical-live.data", sent | {"technical-live.data": {"rsi.window": 21}})
    assert "technical-live.data" not in again  # the chart is not drawn a second time


@pytest.mark.parametrize(("name", "value", "says"), [
    ("rsi.window", 0, "window: got 0"), ("rsi.window", None, "got 'nothing'"), ("rsi.window", 14.5, "a whole number"),
    ("rsi.windw", 20, "Did you mean 'window'"), ("macd.fast", 30, "less than slow (26)"), ("rsii.window", 20, "Did you mean 'rsi'"),
])  # fmt: skip
def test_a_parameter_that_cannot_be_used_is_explained(
    served: Any, dispatch: Dispatch, name: str, value: Any, says: str
) -> None:
    written = dispatch("technical-live.data", {"technical-parameter.value": {name: value}, "technical-live.data": {}})
    assert says in text_of(written["technical-live-error.children"])
    assert "technical-live.data" not in written


@pytest.mark.parametrize("store", ["x", [1], {"rsi": 1}, {"rsi.window": "21"}, {f"rsi.w{i}": 1 for i in range(300)}])
def test_a_store_of_another_form_is_refused(store: Any) -> None:
    with pytest.raises((InputError, UnknownKeyError)):
        changes(store)


def test_a_live_line_is_computed_from_the_whole_history_and_marked(served: Any, dispatch: Dispatch) -> None:
    live = {"technical-live.data": {"rsi.window": 21, "sma.sma_50": 60}}
    content = opened(dispatch, "technical", view(TICKER, "1y", **live))
    figure = figure_of(content)
    with connect(served.db) as reader:
        bars = price_queries.bars(reader, TICKER)
    expected = compute_indicator(INDICATORS["rsi"], bars, {"window": 21})["rsi_14"]
    found = drawn_values(trace(figure, "RSI 14 (live: window 21)"))
    np.testing.assert_allclose(found, expected[-len(found) :], rtol=1e-6)
    sma = drawn_values(trace(figure, "SMA 60 (live)"))
    np.testing.assert_allclose(sma, pd.Series(bars.close).rolling(60).mean().to_numpy()[-len(sma) :], rtol=1e-6)
    assert trace(figure, "SMA 20")  # the others are the stored ones
    words = text_of(content)
    assert "RSI 14, window 21 (stored 14)" in words
    assert "Lines marked live are computed now." in words
    assert "Markers, votes, ratings and records are the stored ones." in words
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert "RSI 14 (live: window 21)" in titles


def test_live_parameters_reach_the_backtest_form_in_one_click(app: Dash, served: Any, dispatch: Dispatch) -> None:
    content = opened(dispatch, "technical", view(TICKER, **{"technical-live.data": {"rsi.window": 21, "macd.fast": 8}}))
    (link,) = [item["props"]["href"] for item in of_type(content, "Link") if "backtest" in item["props"]["href"]]
    asked = {name: values[0] for name, values in parse_qs(urlparse(link).query).items()}
    assert asked == {
        "ticker": TICKER,
        "strategy": "technical_vote",
        "indicator_parameters": "macd.fast=8,rsi.window=21",
    }
    with app.server.app_context():
        page = PAGE.layout(**asked).to_plotly_json()
    store = next(part for part in page["props"]["children"] if part.id == "backtest-asked")
    controls = dispatch(
        "backtest-parameters.children", {"backtest-strategy.value": "technical_vote", "backtest-asked.data": store.data}
    )
    fields = {
        item["props"]["id"]["name"]: item["props"]["value"]
        for item in walk(controls)
        if isinstance(item["props"].get("id"), dict)
    }
    assert fields["indicator_parameters"] == "macd.fast=8,rsi.window=21"


def test_a_change_of_a_vote_outside_the_core_takes_that_vote_along(served: Any, dispatch: Dispatch) -> None:
    content = opened(
        dispatch,
        "technical",
        view(TICKER, **{"technical-overlays.value": ["hull"], "technical-live.data": {"hull.window": 100}}),
    )
    (link,) = [item["props"]["href"] for item in of_type(content, "Link") if "backtest" in item["props"]["href"]]
    assert parse_qs(urlparse(link).query)["votes"] == [",".join((*CORE_VOTES, "hull_9"))]
    assert "the overall signal would be" not in text_of(content)


def test_a_change_that_no_vote_depends_on_is_no_backtest(served: Any, dispatch: Dispatch) -> None:
    values = {"technical-overlays.value": ["donchian"], "technical-live.data": {"donchian.window": 30}}
    content = opened(dispatch, "technical", view(TICKER, **values))
    assert "No vote depends on them" in text_of(content)
    assert not [item for item in of_type(content, "Link") if "backtest" in item["props"]["href"]]


def test_what_is_not_drawn_is_not_live(served: Any, dispatch: Dispatch) -> None:
    content = opened(dispatch, "technical", view(TICKER, **{"technical-live.data": {"hull.window": 100}}))
    assert "Live:" not in text_of(content)


def test_one_bad_field_does_not_lose_the_others(served: Any, dispatch: Dispatch) -> None:
    sent = {
        "technical-parameter.value": {"sma.sma_10": -1, "sma.sma_20": 33},
        "technical-live.data": {"sma.sma_10": 12},
    }
    written = dispatch("technical-live.data", sent)
    assert written["technical-live.data"] == {"sma.sma_10": 12, "sma.sma_20": 33}
    assert "got -1" in text_of(written["technical-live-error.children"])


def test_without_changes_nothing_is_marked_live(served: Any, dispatch: Dispatch) -> None:
    content = opened(dispatch, "technical", view(TICKER, **{"technical-live.data": {"rsi.window": 14}}))
    assert not with_class(content, "alert-link")
    assert not [item for item in figure_of(content)["data"] if "live" in item["name"]]


# ---- votes and their record ---------------------------------------------------------------------------------


def rows_of(content: Any) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in grid_rows(content, "technical-votes")}


@pytest.mark.parametrize("scope", ["ticker", "stocks"])
@pytest.mark.parametrize("horizon", [5, 63])
def test_the_record_beside_a_vote_is_that_of_its_state_today(
    served: Any, dispatch: Dispatch, scope: str, horizon: int
) -> None:
    values = view(TICKER, **{"technical-scope.value": scope, "technical-horizon.value": str(horizon)})
    rows = rows_of(opened(dispatch, "technical", values))
    with connect(served.db) as reader:
        last = signal_queries.latest_signal(reader, TICKER)
        stored = scorecard_queries.scorecard(reader, TICKER if scope == "ticker" else "stocks")
    assert last is not None
    words = {1: "buy", 0: "neutral", -1: "sell"}
    compared = 0
    for column in [*(voter.vote.column for voter in VOTES.values()), "overall_signal", "rating_label"]:
        state = last[column] if column == "rating_label" else words[last[column]]
        assert rows[column]["vote"] == state
        for days in (5, 21, 63):
            found = stored.query("signal == @column and bucket == @state and horizon_days == @days")
            if len(found):
                assert rows[column][f"excess_{days}"] == found.iloc[0]["excess_return"]
            if len(found) and days == horizon:
                for name in ("excess_return", "excess_low", "excess_high", "base_rate", "n", "n_effective", "q_value"):
                    known = found.iloc[0][name]
                    assert rows[column][name] == (None if pd.isna(known) else known), (column, name)
                compared += 1
    assert compared > 30


def test_every_vote_says_why(served: Any, dispatch: Dispatch) -> None:
    rows = rows_of(opened(dispatch, "technical", view(TICKER)))
    for voter in VOTES.values():
        why = rows[voter.vote.column]["why"]
        assert why.endswith("."), why
        assert "{" not in why
        assert "nan" not in why


def test_three_sessions_have_no_record_and_say_so(
    serve: Callable[..., Any], short_history: Any, dispatch: Dispatch
) -> None:
    serve(db=short_history)
    content = opened(dispatch, "technical", view("NEW"))
    assert "No record yet" in text_of(content)
    assert "no completed bar yet" in text_of(content)
    rows = rows_of(content)
    assert rows["vote_sma"]["why"] == "Not available, because it needs 200 sessions and there are 3."
    assert rows["vote_sma"]["vote"] == "n/a"
    assert rows["vote_obv"]["why"] == "Not available, because it needs 20 sessions and there are 3."
    assert rows["vote_sma_20"]["why"] == "Not available, because it needs 20 sessions and there are 3."


# ---- ribbon, comparison, patterns, scale --------------------------------------------------------------------


@pytest.mark.parametrize("field", ["alpha", "expected_return"])
def test_the_ribbon_uses_what_was_known_on_each_day(served: Any, dispatch: Dispatch, field: str) -> None:
    figure = figure_of(opened(dispatch, "technical", view(TICKER, "5y", **{"technical-ribbon.value": field})))
    strip = trace(figure, "Agreement")
    with connect(served.db) as reader:
        fits = factor_queries.fit_history(reader, TICKER, "ff3", 60)
        signals = signal_queries.signal_history(
            reader, TICKER, columns=("date", "overall_signal"), start=str(strip["x"][0])[:10]
        )
    dates = signals["date"].to_numpy("datetime64[D]")
    assert len(strip["z"][0]) == len(dates)
    values = known_on(dates, fits["as_of"].to_numpy("datetime64[D]"), fits[field].to_numpy(float))
    for shown, signal, value in zip(strip["z"][0], signals["overall_signal"], values, strict=True):
        expected = signal * np.sign(value)
        assert (shown is None) == bool(np.isnan(expected))
        assert shown is None or shown == expected
    assert {-1.0, 1.0} <= {value for value in strip["z"][0] if value is not None}


def test_another_ticker_begins_at_the_same_price(served: Any, dispatch: Dispatch) -> None:
    figure = figure_of(opened(dispatch, "technical", view(TICKER, "1y", **{"technical-compare.value": "SIM002"})))
    values = drawn_values(trace(figure, "SIM002, rebased"))
    with connect(served.db) as reader:
        start = str(figure["data"][0]["x"][0])[:10]
        own, other = (price_queries.bars(reader, ticker, start=start).close for ticker in (TICKER, "SIM002"))
    np.testing.assert_allclose(values, other / other[0] * own[0], rtol=1e-6)


@pytest.mark.parametrize("compare", ["NOPE", "<img>", ["SIM002"]])
def test_a_comparison_that_is_not_there_is_explained(served: Any, dispatch: Dispatch, compare: Any) -> None:
    words = text_of(opened(dispatch, "technical", view(TICKER, **{"technical-compare.value": compare})))
    assert "NOPE has no prices in this range" in words or "allowed: 1 to 15 of" in words


def test_patterns_stand_at_their_bars_and_are_named(served: Any, dispatch: Dispatch) -> None:
    content = opened(dispatch, "technical", view(TICKER, "3m", **{"technical-overlays.value": ["patterns"]}))
    marks = trace(figure_of(content), "Bullish pattern")
    with connect(served.db) as reader:
        stored = signal_queries.patterns(reader, TICKER, start=str(figure_of(content)["data"][0]["x"][0])[:10])
    assert [str(day)[:10] for day in marks["x"]] == sorted(set(stored.query("direction == 1")["date"]))
    said = dict(
        zip(
            (str(day)[:10] for day in figure_of(content)["data"][0]["x"]),
            figure_of(content)["data"][0]["text"],
            strict=True,
        )
    )
    for row in stored.itertuples():
        assert f"{'bullish' if row.direction > 0 else 'bearish'}: {PATTERN_LABELS[row.pattern]}" in said[row.date]


def test_the_scale_can_be_logarithmic(served: Any, dispatch: Dispatch) -> None:
    for scale, kind in (("log", "log"), ("linear", "linear")):
        figure = figure_of(opened(dispatch, "technical", view(TICKER, **{"technical-scale.value": scale})))
        assert figure["layout"]["yaxis"]["type"] == kind
