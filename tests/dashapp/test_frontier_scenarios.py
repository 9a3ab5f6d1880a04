"""The Scenarios panel: its numbers are those of the analytics, its sliders and its list of stresses agree."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dash import Dash
from dispatch import Dispatch, of_type, text_of
from opened_page import asked_of, figure_of, stat_cards
from tolerances import EXACT

from analytics.portfolio.scenarios import SCENARIOS, sampling_spread, shock
from analytics.portfolio.tail_risk import METHODS, risk_in_worlds
from dashapp.figures.frontier_scenarios import BINS, horizon_figure
from dashapp.format import number, percent
from dashapp.pages.frontier.panels import control_id
from dashapp.pages.frontier.panels.scenarios import ESTIMATED, SHOCKED, SLIDERS
from dashapp.pages.frontier.portfolio import chosen_portfolio
from dashapp.theme import PALETTES

SINGLE = 1e-6  # figures travel in single precision
POINT = 20
NEUTRAL = {"horizon": "21", "stress": "own", "shift": 0, "factor": 1, "correlation": 0}


@pytest.fixture(autouse=True)
def served(serve: Callable[..., Any], simulated: Any) -> Any:
    return serve(db=simulated.db)


def key(name: str) -> str:
    """The id of a control as Dash writes it."""
    return "{" + ",".join(f'"{part}":"{value}"' for part, value in sorted(control_id("scenarios", name).items())) + "}"


def values(**changes: Any) -> dict[str, Any]:
    page = asked_of("scenarios", {}, point=POINT)
    return page | {f"{key(name)}.value": value for name, value in (NEUTRAL | changes).items()}


def shown(dispatch: Dispatch, **changes: Any) -> Any:
    """What the panel shows; any unexpected error fails."""
    written = dispatch("frontier-panel-scenarios.children", values(**changes))
    assert "shell-toasts.children" not in written, text_of(written["shell-toasts.children"])
    return written["frontier-panel-scenarios.children"]


def cells(content: Any, table: int) -> list[list[str]]:
    body = of_type(content, "Tbody")[table]
    return [[text_of(cell).strip() for cell in of_type(row, "Td")] for row in of_type(body, "Tr")]


@pytest.fixture
def chosen(app: Dash, served: Any) -> Any:
    with app.server.app_context():
        return chosen_portfolio({}, POINT, "frontier", "dark")


METHODS_TABLE, SPREAD_TABLE, STRESSES_TABLE = 1, 0, 2


def test_key_figures_are_those_before_and_after_the_shock(dispatch: Dispatch, chosen: Any) -> None:
    content = shown(dispatch, horizon="63", shift=-20, factor=2, correlation=0.4)
    found = chosen.answer
    worlds = {
        "before": (found.expected_returns, found.covariance),
        "after": shock(found.expected_returns, found.covariance, expected_return_shift=-0.2, volatility_factor=2, correlation_shift=0.4),
    }  # fmt: skip
    risk = risk_in_worlds(
        chosen.weights, found.inputs.data.returns, worlds, horizon_sessions=63, risk_free_rate=found.rate
    )
    cards = stat_cards(content)
    for label, name in (("Probability of loss", "probability_of_loss"), ("VaR 95 %", "value_at_risk"), ("Expected shortfall 95 %", "expected_shortfall")):  # fmt: skip
        before, after = (risk.tables[world].loc["student_t", name] for world in ("before", "after"))
        assert (cards[label]["value"], cards[label]["note"]) == (percent(after), f"before {percent(before)}")
    volatility = [float(np.sqrt(chosen.weights @ sigma @ chosen.weights)) for _, sigma in worlds.values()]
    assert cards["Volatility"]["note"] == f"before {percent(volatility[0])}"
    assert cards["Volatility"]["value"] == percent(volatility[1])
    expected = float(chosen.weights @ found.expected_returns)
    assert cards["Expected return"] | {"tip": ""} == {
        "label": "Expected return", "value": percent(expected - 0.2), "note": f"before {percent(expected)}", "tip": "",
    }  # fmt: skip
    assert all(len(card["tip"]) > 15 for card in cards.values())


def test_without_a_shock_nothing_changes_and_the_past_never_does(dispatch: Dispatch) -> None:
    content = shown(dispatch)
    cards, rows = stat_cards(content), cells(content, METHODS_TABLE)
    assert all(card["note"] == f"before {card['value']}" for card in cards.values())
    assert [row[0] for row in rows] == list(METHODS.values())
    for row in rows[1:]:
        assert row[1:4] == row[4:7]
    assert rows[0][4:] == ["–"] * 3
    shocked = cells(shown(dispatch, stress="crash"), METHODS_TABLE)
    assert [row[:4] for row in shocked] == [row[:4] for row in rows]
    assert shocked[1][4:] != rows[1][4:]
    assert all("±" in cell for cell in (*rows[0][1:4], *rows[3][1:7]))  # formulas have no sampling error
    assert not any("±" in cell for row in rows[1:3] for cell in row)


def test_each_stress_is_a_row_and_is_what_choosing_it_shows(dispatch: Dispatch) -> None:
    rows = {row[0]: row[1:] for row in cells(shown(dispatch, stress="bear"), STRESSES_TABLE)}
    assert list(rows) == [ESTIMATED, *(item.label for item in SCENARIOS)]
    for item in SCENARIOS:
        content = shown(dispatch, stress=item.key)
        assert item.description in text_of(content)
        assert [card["value"] for card in stat_cards(content).values()] == rows[item.label]


def test_the_sampling_spread(dispatch: Dispatch, chosen: Any) -> None:
    found, weights = chosen.answer, chosen.weights
    table = sampling_spread(
        weights @ found.expected_returns, np.sqrt(weights @ found.covariance @ weights),
        n_sessions=len(found.inputs.dates), risk_free_rate=found.rate,
    )  # fmt: skip
    rows = cells(shown(dispatch), SPREAD_TABLE)
    assert rows[0][1:] == [percent(value) for value in table.loc["expected_return"]]
    assert rows[2][1:] == [number(value) for value in table.loc["sharpe_ratio"]]


def test_the_list_of_stresses_and_the_sliders_follow_each_other(dispatch: Dispatch) -> None:
    stress, sliders = f"{key('stress')}.value", [f"{key(name)}.value" for name in SLIDERS]
    crash = [-30, 2.5, 0.5]
    chosen = {stress: "crash"} | dict(zip(sliders, [0, 1, 0], strict=True))
    assert dispatch(stress, chosen, changed=stress) == dict(zip(sliders, crash, strict=True))
    stays = {stress: "crash"} | dict(zip(sliders, crash, strict=True))
    assert dispatch(stress, stays, changed=sliders[0]) == {}
    assert dispatch(stress, stays | {sliders[1]: 2.6}, changed=sliders[1]) == {stress: "own"}
    assert dispatch(stress, {stress: "own", sliders[1]: 2.6}, changed=sliders[1]) == {}


@pytest.mark.parametrize(("changes", "words"), [
    ({"horizon": "22"}, "horizon"), ({"horizon": None}, "horizon"), ({"stress": "boom"}, "stress"),
    ({"factor": 0}, "factor: got '0'; allowed: a number from 0.2 to 4"), ({"correlation": 1}, "a number from -1 to 0.9"),
    ({"shift": None}, "shift: got 'nothing'"), ({"shift": [1]}, "shift: got 'a list'"),
])  # fmt: skip
def test_what_no_control_sends_is_explained(dispatch: Dispatch, changes: dict[str, Any], words: str) -> None:
    content = shown(dispatch, **changes)
    assert words in text_of(content)
    assert of_type(content, "Graph") == []


def floats(encoded: dict[str, str]) -> Any:
    return np.frombuffer(base64.b64decode(encoded["bdata"]), dtype=encoded["dtype"])


def test_the_figure_holds_shares_and_marks_the_value_at_risk(dispatch: Dispatch) -> None:
    figure = figure_of(shown(dispatch, stress="crash"))
    assert [trace["name"] for trace in figure["data"]] == ["Past windows", ESTIMATED, SHOCKED]
    assert len(figure["layout"]["shapes"]) == len(figure["layout"]["annotations"]) == 2
    assert figure["layout"]["shapes"][1]["x0"] < figure["layout"]["shapes"][0]["x0"] < 0


def test_histogram_by_hand() -> None:
    rng = np.random.default_rng(1)
    simulated = {"a": rng.normal(0, 0.05, 5_000), "b": np.zeros(10)}
    figure = horizon_figure(simulated["a"], simulated, {"a": 0.08, "b": np.nan}, theme="dark")
    shares = [floats(trace["y"]) for trace in figure["data"]]
    assert all(len(share) == BINS for share in shares)
    np.testing.assert_allclose(shares[0].sum(), 0.996, atol=2 / 5_000)  # what lies beyond either edge is not drawn
    np.testing.assert_array_equal(shares[0], shares[1])
    assert shares[2].max() == pytest.approx(1, abs=SINGLE)
    assert abs(floats(figure["data"][2]["x"])[shares[2].argmax()]) < 0.005  # in the bin of 0
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [pytest.approx(-0.08, abs=EXACT)]
    assert figure["layout"]["font"]["color"] == PALETTES["dark"]["text"]


def test_returns_that_never_vary_are_drawn_too() -> None:
    still = np.full(100, 0.01)
    figure = horizon_figure(still, {"a": still}, dict.fromkeys("a", -0.01), theme="light")
    assert floats(figure["data"][1]["y"]).max() == pytest.approx(1, abs=SINGLE)
