"""The panels on uncertainty: the live record against the stored one, bands against the resampling, and what they say."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dash import Dash
from dash._utils import to_json
from dispatch import of_type, text_of, tips_of, with_class
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS
from analytics.errors import MissingDataError
from analytics.portfolio.covariance.ledoit_wolf import ledoit_wolf
from analytics.portfolio.intervals import portfolio_intervals
from analytics.portfolio.resampling import Resampled, resampled_frontier
from analytics.portfolio.walk_forward import DELAY, RANKS, STEP, WINDOW
from dashapp.figures.frontier_uncertainty import band_figure, record_figure, weight_intervals_figure
from dashapp.pages.frontier.panels import PANELS, Chosen, record
from dashapp.pages.frontier.portfolio import chosen_portfolio
from dashapp.pages.frontier.request import parse
from pipeline.queries import connect
from pipeline.queries.walk_forward import latest_walk_forward, universe_history

POINT = 20
Shown = Callable[..., tuple[Any, Chosen]]


@pytest.fixture
def shown(app: Dash) -> Shown:
    """A function: (panel, request) → what the panel shows as the browser gets it, and the chosen portfolio."""

    def render(panel: str, request: dict[str, Any], *, pick: str = "frontier") -> tuple[Any, Chosen]:
        with app.server.app_context():
            chosen = chosen_portfolio(request, POINT, pick, "light")
            return json.loads(to_json(PANELS[panel].render(chosen, {}))), chosen

    return render


def live(app: Dash, **request: Any) -> record.Record:
    """The record computed now, stored or not."""
    with app.server.app_context():
        settings = record.settings()
        return record._live(Path(settings.db), "test", settings.query_seconds, parse(request).text)


def record_of(simulated: Any) -> pd.DataFrame:
    with connect(simulated.db) as reader:
        return latest_walk_forward(reader, "stocks", "mean__ledoit_wolf")


def test_the_live_record_of_the_nightly_question_is_the_stored_one(app: Dash, simulated: Any) -> None:
    stored, now = record_of(simulated), live(app)
    assert now.notes == ()
    pd.testing.assert_frame_equal(now.table[list(stored.columns)], stored, check_dtype=False, rtol=EXACT, atol=EXACT)


def test_the_record_is_said_in_one_sentence(shown: Shown, simulated: Any) -> None:
    answer, _ = shown("record", {})
    stored = record_of(simulated)
    best, equal, place = stored.iloc[RANKS], stored.iloc[RANKS + 1], stored.iloc[round((POINT - 1) / 49 * (RANKS - 1))]
    text = text_of(answer).replace("\N{NO-BREAK SPACE}", " ").replace("−", "-")
    assert (
        f"Over {best['n_choices']} quarters since {best['start_date'][:4]} the maximum-Sharpe portfolio promised {best['promised_return']:.0%}".replace(
            "%", " %"
        )
        in text
    )
    assert (
        f"and earned {100 * best['realised_return']:.0f} % (95 %: {100 * best['realised_return_low']:.0f} % to" in text
    )
    assert f"equal weights earned {100 * equal['realised_return']:.0f} %." in text
    assert (
        f"promised {100 * place['promised_return']:.0f} % a year and earned {100 * place['realised_return']:.0f} %"
        in text
    )
    assert "those that failed or were bought up are missing, which flatters every line" in text
    assert "bought at the close of the session after and held until the next are bought" in text
    (table,) = of_type(answer, "AgGrid")
    rows = pd.DataFrame(table["props"]["rowData"])
    np.testing.assert_allclose(
        rows["shortfall"], stored["promised_return"] - stored["realised_return"], rtol=EXACT, atol=EXACT
    )
    assert not with_class(answer, "alert")


def test_limits_of_the_request_hold_in_the_record(app: Dash) -> None:
    free, capped, cash = live(app), live(app, max_weight=20), live(app, max_weight=20, min_cash=50, max_cash=50)
    most = free.table["rank"] == RANKS - 1
    assert (capped.table["promised_return"][most] < free.table["promised_return"][most]).all()
    ratio = cash.table["promised_volatility"][:RANKS].max() / capped.table["promised_volatility"][:RANKS].max()
    assert ratio < 0.8  # half of it in cash, though more is then allowed of the best
    # Equal weights of the same tickers are the yardstick, whatever the limits.
    np.testing.assert_allclose(
        capped.table.iloc[-1, 2:12].astype(float), free.table.iloc[-1, 2:12].astype(float), rtol=EXACT
    )


def test_an_excluded_ticker_is_as_if_it_were_held_at_nothing(app: Dash) -> None:
    """Seven of eight excluded: the frontier is one ticker, which is what it earned bought and held."""
    found = live(app, exclude=[f"SIM00{number}" for number in range(2, 9)]).table
    assert np.ptp(found["promised_return"][:RANKS]) == pytest.approx(0, abs=PARITY)
    assert np.ptp(found["realised_return"][:RANKS]) == pytest.approx(0, abs=PARITY)


def test_what_cannot_be_asked_of_the_past_is_replaced_and_said(app: Dash, shown: Shown) -> None:
    plain = live(app).table
    capm = live(app, returns="capm", max_positions=3, max_turnover=20, held="equal")
    pd.testing.assert_frame_equal(capm.table, plain)
    assert capm.notes == (
        "CAPM rests on fits, market values or views of today, which were not known then: the record takes Historical mean instead.",
        "Limits on the number of positions and turnover are left out of the record; the others apply.",
    )  # fmt: skip
    answer, _ = shown("record", {"returns": "capm"})
    (alert,) = with_class(answer, "alert")
    assert "the record takes Historical mean instead" in text_of(alert)


def test_estimators_of_returns_and_factors_are_used_as_they_were_then(app: Dash) -> None:
    tables = [live(app, covariance=key).table["promised_volatility"] for key in ("ledoit_wolf", "factor_model", "oas")]
    shrunk = live(app, returns="james_stein")
    assert shrunk.notes == ()
    assert not any(np.allclose(one, tables[0]) for one in tables[1:])
    assert shrunk.table["promised_return"][RANKS - 1] < live(app).table["promised_return"][RANKS - 1]


def test_factor_returns_count_once_they_are_published(
    app: Dash, simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a month 45 days after its end: what the last choice could not know changes nothing."""
    days = np.array(["2023-12-29", "2024-01-02", "2024-01-31", "2024-02-01"], dtype="datetime64[D]")
    published = ["2024-02-14", "2024-03-16", "2024-03-16", "2024-04-14"]
    assert record._published_on(days).astype(str).tolist() == published
    with connect(simulated.db) as reader:
        history = universe_history(reader, "stocks")
    last_choice = history.dates[WINDOW - 1 : -1 - DELAY : STEP][-1]
    unknown = int((record._published_on(history.dates) <= last_choice).sum())  # the first session not yet published
    assert np.datetime64(history.dates[unknown], "M") < np.datetime64(last_choice, "M")
    before = live(app, covariance="factor_model").table["promised_volatility"]
    for first, same in ((unknown, True), (unknown - 1, False)):
        poisoned = history.factor_returns.copy()
        poisoned[first:] *= -3
        changed = replace(history, factor_returns=poisoned)
        with monkeypatch.context() as patch:
            patch.setattr(record, "_history", lambda *_, found=changed: found)
            record._live.cache_clear()
            after = live(app, covariance="factor_model").table["promised_volatility"]
        record._live.cache_clear()
        assert np.allclose(after, before, rtol=EXACT, atol=EXACT) == same


def test_limits_that_nothing_obeys_are_explained(app: Dash) -> None:
    with pytest.raises(MissingDataError, match="No portfolio could be chosen"):
        live(app, max_weight=10)  # eight tickers


def test_uncertainty_shows_the_resampled_frontier(shown: Shown) -> None:
    answer, chosen = shown("uncertainty", {})
    data = chosen.answer.inputs.data
    found = resampled_frontier(
        data.returns, risk_free_rate=data.risk_free_rate,
        estimate=lambda sample: (TRADING_DAYS * sample.mean(axis=0), ledoit_wolf(sample)),
    )  # fmt: skip
    band, bars = (graph["props"]["figure"]["data"] for graph in of_type(answer, "Graph"))
    expected = json.loads(to_json(band_figure(found, chosen=_past(chosen), of_volatility=False, theme="light")))
    assert band == expected["data"]
    (bar,) = bars
    held = dict(zip(chosen.answer.tickers, range(len(chosen.weights)), strict=True))
    order = [held[name] for name in bar["y"]]
    np.testing.assert_allclose(bar["x"], chosen.weights[order], atol=PARITY)
    high = np.array(bar["x"]) + bar["error_x"]["array"]
    np.testing.assert_allclose(high, np.maximum(found.weights_high[POINT - 1], chosen.weights)[order], atol=PARITY)
    assert (np.diff(bar["x"]) <= 0).all()
    text = text_of(answer)
    assert f"Step {POINT} of 50 on the frontier." in text
    assert "not as an interval of the true frontier" in text
    assert len(tips_of(answer)) == 6  # four figures and two cards


def _past(chosen: Chosen) -> dict[str, float]:
    past = portfolio_intervals(chosen.answer.inputs.data.returns @ chosen.weights)
    names = ("mean_return", "mean_return_low", "mean_return_high", "volatility", "volatility_low", "volatility_high")
    return {name: float(getattr(past, name)) for name in names}


def test_a_portfolio_beside_the_frontier_is_shown_at_the_nearest_volatility(shown: Shown) -> None:
    answer, chosen = shown("uncertainty", {}, pick="equal_weight")
    frontier = chosen.answer.frontier
    risk = np.sqrt(chosen.weights @ chosen.answer.covariance @ chosen.weights)
    nearest = int(np.abs(frontier.volatility - risk).argmin()) + 1
    assert f"Equal weight is not on this frontier: shown is step {nearest} of 50" in text_of(answer)
    half = [item for item in with_class(answer, "stat") if "Sharpe above" in text_of(item)]
    assert "50 %" in text_of(half)  # equal weights against equal weights: every draw is a tie


def test_what_is_not_redrawn_is_said(shown: Shown) -> None:
    answer, _ = shown("uncertainty", {"returns": "capm"})
    band = of_type(answer, "Graph")[0]["props"]["figure"]["data"][0]
    assert band["name"].startswith("Sampling spread of volatility")
    assert "not redrawn" in text_of(answer)
    assert "Volatility at this step" in text_of(answer)
    split, _ = shown("uncertainty", {"max_positions": 3})
    assert "are left out of the redrawn frontiers" in text_of(split)


@pytest.fixture(scope="module")
def resampled() -> Resampled:
    returns = np.random.default_rng(2).normal(0.0005, 0.01, (300, 4))
    estimate = lambda sample: (TRADING_DAYS * sample.mean(axis=0), ledoit_wolf(sample))  # noqa: E731
    return resampled_frontier(returns, estimate=estimate, risk_free_rate=0.02, draws=10, points=5)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_are_drawn_in_both_themes(theme: str, simulated: Any, resampled: Resampled) -> None:
    past = dict.fromkeys(
        ("mean_return", "mean_return_low", "mean_return_high", "volatility", "volatility_low", "volatility_high"), 0.1
    )
    for figure in (
        record_figure(record_of(simulated), theme=theme),
        band_figure(resampled, chosen=past, of_volatility=True, theme=theme),
        weight_intervals_figure(["A<b>", "B"], [0.7, 0.3], [0.1, 0.0], [0.9, 0.5], theme=theme),
    ):
        assert figure["layout"]["height"] > 100
        assert "NaN" not in to_json(figure)


def test_whiskers_reach_from_low_to_high_and_never_backwards() -> None:
    figure = weight_intervals_figure(["A", "B<i>"], [0.7, 0.3], [0.1, 0.35], [0.9, 0.5], theme="light")
    (bar,) = figure["data"]
    np.testing.assert_allclose(bar["error_x"]["array"], [0.2, 0.2], atol=EXACT)
    np.testing.assert_allclose(bar["error_x"]["arrayminus"], [0.6, 0.0], atol=EXACT)
    assert bar["y"] == ["A", "B&lt;i&gt;"]


def test_record_points_are_what_was_promised_and_earned(simulated: Any) -> None:
    stored = record_of(simulated)
    traces = {trace.get("name"): trace for trace in record_figure(stored, theme="light")["data"]}
    earned = traces["Frontier, earned"]
    assert earned["x"] == stored["realised_volatility"][:RANKS].tolist()
    np.testing.assert_allclose(
        np.array(earned["y"]) - earned["error_y"]["arrayminus"], stored["realised_return_low"][:RANKS], rtol=PARITY
    )
    assert traces["Maximum Sharpe, promised"]["y"] == [stored["promised_return"][RANKS]]
    assert traces["Equal weights, earned"]["x"] == [stored["realised_volatility"][RANKS + 1]]
