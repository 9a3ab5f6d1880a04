"""The Exposure panel: concentration, beta and loadings are those of the analytics; what is missing is said."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from dash import Dash
from dispatch import Dispatch, of_type, text_of, tips_of
from opened_page import asked_of, stat_cards
from plotly.utils import PlotlyJSONEncoder

from analytics.conventions import TRADING_DAYS
from analytics.factor_models._regression import newey_west_lags
from analytics.portfolio.exposure import risk_contributions
from dashapp.format import number, percent
from dashapp.pages.frontier.panels.exposure import NOTHING_TO_COMPARE, PANEL
from dashapp.pages.frontier.portfolio import chosen_portfolio

POINT = 20
BODY = "frontier-panel-exposure.children"


@pytest.fixture(autouse=True)
def served(serve: Callable[..., Any], simulated: Any) -> Any:
    return serve(db=simulated.db)


def shown(dispatch: Dispatch, **request: Any) -> Any:
    """What the panel shows; any unexpected error fails."""
    written = dispatch(BODY, asked_of("exposure", request, point=POINT))
    assert "shell-toasts.children" not in written, text_of(written["shell-toasts.children"])
    return written[BODY]


def cells(content: Any, table: int) -> list[list[str]]:
    body = of_type(content, "Tbody")[table]
    return [[text_of(cell).strip() for cell in of_type(row, "Td")] for row in of_type(body, "Tr")]


@pytest.fixture
def chosen(app: Dash, served: Any) -> Any:
    with app.server.app_context():
        return chosen_portfolio({}, POINT, "frontier", "dark")


def rendered(chosen: Any, **data: Any) -> Any:
    """The panel, as JSON, of the same portfolio in a store that knows less."""
    answer = chosen.answer
    inputs = replace(answer.inputs, **{name: value for name, value in data.items() if name != "factor_returns"})
    if "factor_returns" in data:
        inputs = replace(inputs, data=replace(inputs.data, factor_returns=data["factor_returns"]))
    made = PANEL.render(replace(chosen, answer=replace(answer, inputs=inputs)), {})
    return json.loads(json.dumps(made, cls=PlotlyJSONEncoder))


def fitted(chosen: Any, factors: Any) -> Any:
    """The same regression by statsmodels."""
    found = chosen.answer
    excess = found.inputs.data.returns @ chosen.weights - found.rate / TRADING_DAYS
    known = np.isfinite(factors).all(axis=1)
    options = {"maxlags": int(newey_west_lags(known.sum())), "use_correction": True}
    return sm.OLS(excess[known], sm.add_constant(factors[known])).fit(cov_type="HAC", cov_kwds=options, use_t=True)


def test_concentration(dispatch: Dispatch, chosen: Any) -> None:
    cards, weights = stat_cards(shown(dispatch)), chosen.weights
    assert cards["HHI"]["value"] == number((weights**2).sum(), digits=3)
    assert cards["Effective positions"]["value"] == number(1 / (weights**2).sum(), digits=1)
    assert cards["Largest position"]["value"] == percent(weights.max())
    assert chosen.answer.tickers[weights.argmax()] in cards["Largest position"]["note"]
    assert cards["Cash"]["value"] == "0.0 %"
    cash = stat_cards(shown(dispatch, min_cash=25, max_cash=25))
    assert cash["Cash"]["value"] == "25.0 %"
    assert all(len(card["tip"]) > 15 for card in cards.values())


def test_beta_and_loadings_are_those_of_statsmodels(dispatch: Dispatch, chosen: Any) -> None:
    content, factors = shown(dispatch), chosen.answer.inputs.data.factor_returns
    alone, together = fitted(chosen, factors[:, :1]), fitted(chosen, factors)
    beta = stat_cards(content)["Market beta"]
    low, high = alone.conf_int()[1]
    assert (beta["value"], beta["note"]) == (number(alone.params[1]), f"95 %: {number(low)} to {number(high)}")
    rows = cells(content, 0)
    assert [row[0] for row in rows] == ["Market", "Size", "Value"]
    for row, coefficient, interval, t in zip(
        rows, together.params[1:], together.conf_int()[1:], together.tvalues[1:], strict=True
    ):
        assert row[1:4] == [number(coefficient), f"{number(interval[0])} to {number(interval[1])}", number(t, digits=1)]
        assert (row[4] == "clear") == bool(interval[0] > 0 or interval[1] < 0)


def test_sectors_add_up(dispatch: Dispatch, chosen: Any) -> None:
    rows = cells(shown(dispatch), 1)
    found = chosen.answer
    shares = risk_contributions(chosen.weights, found.covariance)
    for sector, weight, risk, positions in rows:
        members = np.array([found.inputs.sectors.get(ticker, "Other") == sector for ticker in found.tickers])
        assert weight == percent(chosen.weights[members].sum())
        assert risk == percent(shares[members].sum())
        assert int(positions) == (chosen.weights[members] >= 0.0005).sum()


def test_factors_that_end_early_are_used_as_far_as_they_go(app: Dash, chosen: Any) -> None:
    factors = chosen.answer.inputs.data.factor_returns.copy()
    factors[700:, 2] = np.nan
    with app.server.app_context():
        content = text_of(rendered(chosen, factor_returns=factors))
    last = chosen.answer.inputs.dates[699].date()
    assert f"700 sessions, {chosen.answer.inputs.dates[0].date()} to {last}" in content
    assert number(fitted(chosen, factors).params[3]) in content


def test_without_factors_beta_is_to_the_benchmark_that_is_named(app: Dash, chosen: Any) -> None:
    returns = chosen.answer.inputs.data.returns[:, 0].copy()
    returns[:100] = np.nan
    with app.server.app_context():
        for known in (None, np.where(np.arange(len(returns))[:, None] < 50, 0.001, np.full((1, 3), np.nan))):
            words = text_of(rendered(chosen, factor_returns=known, benchmark="SPY", benchmark_returns=returns))
            expected = fitted(chosen, (returns - chosen.answer.rate / TRADING_DAYS)[:, None])
            assert f"{number(expected.params[1])}\n Beta to SPY" in words
            assert "too few sessions of factor returns" in words


def test_without_anything_to_compare_with_it_is_said(app: Dash, chosen: Any) -> None:
    nothing = np.full(len(chosen.answer.inputs.dates), np.nan)
    with app.server.app_context():
        content = rendered(chosen, factor_returns=None, benchmark="", benchmark_returns=nothing)
    assert "no market to compare with" in text_of(content)
    assert NOTHING_TO_COMPARE in tips_of(content)
