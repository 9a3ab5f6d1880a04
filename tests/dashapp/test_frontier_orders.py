"""The Orders panel: whole shares and orders add up, and a portfolio is saved, offered again and deleted."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from dash import Dash
from dispatch import Dispatch, of_type, text_of
from hostile import TEXTS
from opened_page import asked_of, grid_rows, stat_cards
from tolerances import EXACT

from analytics.conventions import INITIAL_CAPITAL
from analytics.portfolio.discrete_allocation import whole_shares
from dashapp.format import percent, usd
from dashapp.pages.frontier.layout import ID as PAGE_ID
from dashapp.pages.frontier.panels import PANELS
from dashapp.pages.frontier.panels.orders import FRAME, ID
from dashapp.pages.frontier.portfolio import chosen_portfolio
from pipeline.queries import portfolios as portfolio_queries
from pipeline.workspace import reading, save_portfolio

CAPITAL_KEY = '{"name":"capital","panel":"orders","type":"frontier-control"}.value'
BODY, MESSAGE, SAVED = "frontier-panel-orders.children", f"{ID.message}.children", f"{FRAME.saved}.data"
POINT = 20


@pytest.fixture(autouse=True)
def served(serve: Callable[..., Any], simulated: Any) -> Any:
    return serve(db=simulated.db)


def values(request: Any = None, **changes: Any) -> dict[str, Any]:
    return asked_of("orders", request or {}, point=POINT) | {
        "frontier-request.data": request or {}, "frontier-portfolio.value": POINT, "frontier-pick.value": "frontier",
        CAPITAL_KEY: INITIAL_CAPITAL,
    } | changes  # fmt: skip


def shown(dispatch: Dispatch, request: Any = None, **changes: Any) -> Any:
    """What the panel shows; any unexpected error fails."""
    written = dispatch(BODY, values(request, **changes))
    assert "shell-toasts.children" not in written, text_of(written["shell-toasts.children"])
    return written[BODY]


def press(dispatch: Dispatch, button: str, name: Any, **changes: Any) -> tuple[str, Any]:
    """The message and the note for the rest of the page."""
    clicks = {f"{getattr(ID, button)}.n_clicks": 1, f"{ID.name}.value": name}
    written = dispatch(MESSAGE, values() | clicks | changes, changed=f"{getattr(ID, button)}.n_clicks")
    assert "shell-toasts.children" not in written, text_of(written["shell-toasts.children"])
    return text_of(written[MESSAGE]), written.get(SAVED)


def stored(served: Any) -> dict[str, dict[str, float]]:
    with reading(served.workspace) as reader:
        names = portfolio_queries.portfolios(reader)["name"]
        return {name: portfolio_queries.portfolio_weights(reader, name) for name in names}


@pytest.fixture
def chosen(app: Dash, served: Any) -> Any:
    with app.server.app_context():
        return chosen_portfolio({}, POINT, "frontier", "dark")


def test_the_places_of_the_page_are_those_it_has() -> None:
    for name, place in vars(FRAME).items():
        assert getattr(PAGE_ID, name) == place
    assert PANELS["orders"].inputs == ("capital",)  # the name and the buttons draw nothing again


def test_whole_shares_are_those_of_the_allocation(dispatch: Dispatch, chosen: Any) -> None:
    content = shown(dispatch)
    found = chosen.answer
    weights = pd.Series(chosen.weights, list(found.tickers))
    allocation = whole_shares(weights, pd.Series(found.inputs.prices), capital=INITIAL_CAPITAL)
    rows = {row["ticker"]: row for row in grid_rows(content, "frontier-shares")}
    assert set(rows) == set(weights.index[weights > 0])
    for ticker, row in rows.items():
        assert row["shares"] == allocation.shares[ticker]
        assert row["price"] == found.inputs.prices[ticker]
        assert row["value"] == pytest.approx(row["shares"] * row["price"], rel=EXACT)
        assert row["achieved"] == pytest.approx(row["value"] / INITIAL_CAPITAL, rel=EXACT)
        assert row["deviation"] == pytest.approx(row["achieved"] - weights[ticker], abs=EXACT)
        assert row["name"] == found.inputs.names[ticker]
    cards = stat_cards(content)
    spent = sum(row["value"] for row in rows.values())
    assert cards["Left in cash"]["value"] == usd(INITIAL_CAPITAL - spent)
    assert cards["Invested"]["value"] == usd(spent)
    assert cards["Largest deviation"]["value"] == percent(max(abs(row["deviation"]) for row in rows.values()), digits=2)
    assert found.inputs.as_of in json.dumps(content)
    assert len(of_type(content, "AgGrid")) == 1  # nothing is held: no orders


def test_more_capital_comes_closer(dispatch: Dispatch) -> None:
    near, far = (
        max(abs(row["deviation"]) for row in grid_rows(shown(dispatch, **{CAPITAL_KEY: capital}), "frontier-shares"))
        for capital in (1e8, 5_000)
    )
    assert near < far / 100


def test_orders_turn_what_is_held_into_what_is_chosen(dispatch: Dispatch, chosen: Any) -> None:
    content = shown(dispatch, {"held": "equal"})
    found = chosen.answer
    prices = pd.Series(found.inputs.prices)
    equal = pd.Series(1 / len(found.tickers), list(found.tickers))
    shares = whole_shares(equal, prices, capital=INITIAL_CAPITAL).shares.to_dict()
    trades = grid_rows(content, "frontier-orders")
    for row in trades:
        shares[row["ticker"]] += row["shares"] if row["side"] == "Buy" else -row["shares"]
    target = {row["ticker"]: row["shares"] for row in grid_rows(content, "frontier-shares")}
    assert {ticker: count for ticker, count in shares.items() if count} == {
        ticker: count for ticker, count in target.items() if count
    }
    assert f"a turnover of {percent(sum(row['value'] for row in trades) / 2 / INITIAL_CAPITAL)}" in text_of(content)


def test_a_saved_portfolio_that_is_held_needs_no_orders_and_names_what_is_elsewhere(
    dispatch: Dispatch, served: Any
) -> None:
    assert press(dispatch, "save", "Mine")[0].startswith("Saved as Mine")
    same = shown(dispatch, {"held": "Mine"})
    assert grid_rows(same, "frontier-shares")
    assert "Nothing to trade" in text_of(same)
    about = {"universe": "etfs", "source": "by hand", "request": "{}", "data_run_id": "r", "as_of": "2020-01-02"}
    save_portfolio(served.workspace, "Other", {"SIM001": 0.5, "GONE": 0.5}, **about)
    content = shown(dispatch, {"held": "Other"})
    assert "Not in this universe, and so not in the orders: GONE." in text_of(content)
    assert [row["shares"] > 0 for row in grid_rows(content, "frontier-orders") if row["ticker"] == "SIM001"] == [True]


@pytest.mark.parametrize(("capital", "words"), [
    (None, "capital: got 'nothing'"), ("1000", "capital"), (0, "dollars above 0, up to $1,000,000,000,000"), (-5, "dollars above 0"),
    (1e300, "dollars above 0"), (True, "capital"), (0.01, "for one share of the portfolio"),
])  # fmt: skip
def test_a_capital_that_cannot_be_used_is_explained(dispatch: Dispatch, capital: Any, words: str) -> None:
    content = shown(dispatch, **{CAPITAL_KEY: capital})
    assert words in text_of(content)
    assert of_type(content, "AgGrid") == []


def test_saving_stores_the_weights_and_tells_the_page(dispatch: Dispatch, served: Any, chosen: Any) -> None:
    words, note = press(dispatch, "save", "  Growth  ")
    weights = {
        ticker: weight for ticker, weight in zip(chosen.answer.tickers, chosen.weights, strict=True) if weight > 0
    }
    assert words == f"Saved as Growth · {len(weights)} positions"
    assert note == {"name": "Growth", "n": 1}
    assert stored(served) == {"Growth": pytest.approx(weights, rel=EXACT)}
    with reading(served.workspace) as reader:
        row = portfolio_queries.portfolios(reader).iloc[0]
    assert (row["universe"], row["source"], row["as_of"]) == ("stocks", chosen.label, chosen.answer.inputs.as_of)
    assert "Growth" in str(dispatch(f"{PAGE_ID.held}.options", {SAVED: note}))


def test_saving_again_replaces_and_says_so(dispatch: Dispatch, served: Any) -> None:
    press(dispatch, "save", "Mine")
    before = stored(served)["Mine"]
    words, _ = press(dispatch, "save", "Mine", **{"frontier-portfolio.value": 50})
    assert words.startswith("Saved again as Mine · ")
    assert stored(served)["Mine"] != before


def test_cash_is_said_and_kept(dispatch: Dispatch, served: Any) -> None:
    asked = {"frontier-request.data": {"min_cash": 20, "max_cash": 20}}
    words, _ = press(dispatch, "save", "Careful", **asked)
    assert words.endswith(", 20.0 % cash")
    assert sum(stored(served)["Careful"].values()) == pytest.approx(0.8, abs=1e-9)  # what every weight vector keeps to


def test_deleting(dispatch: Dispatch, served: Any) -> None:
    assert press(dispatch, "delete", "Mine") == ("There is no portfolio 'Mine'. Saved are: (none).", None)
    press(dispatch, "save", "Mine")
    words, note = press(dispatch, "delete", "Mine", **{f"{ID.save}.n_clicks": 1})
    assert (words, note) == ("Deleted Mine", {"name": "Mine", "n": 2})
    assert stored(served) == {}


@pytest.mark.parametrize("name", [None, "", "  ", "none", "equal", "x" * 61, "a\nb", "a\u200b", ["Mine"], 3, {}])
def test_a_name_that_cannot_be_used_is_explained_and_stores_nothing(dispatch: Dispatch, served: Any, name: Any) -> None:
    words, note = press(dispatch, "save", name)
    assert words.startswith("name: got ")
    assert len(words) < 250
    assert note is None
    assert stored(served) == {}


def test_any_text_is_a_name_or_is_refused(dispatch: Dispatch, served: Any) -> None:
    for name in TEXTS:
        words, note = press(dispatch, "save", name)
        assert (note is None) == words.startswith("name: got "), name
        assert note is None or name.strip() in stored(served)


def test_what_cannot_be_chosen_is_not_saved(dispatch: Dispatch, served: Any) -> None:
    words, note = press(dispatch, "save", "Mine", **{"frontier-pick.value": "held"})
    assert "Nothing is held today" in words
    assert note is None
    assert stored(served) == {}


def test_nothing_happens_before_a_press(dispatch: Dispatch, served: Any) -> None:
    assert dispatch(MESSAGE, values() | {f"{ID.name}.value": "Mine"}) == {}
    assert stored(served) == {}
