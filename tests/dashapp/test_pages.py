import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from dash import Dash
from dispatch import Dispatch, of_type, text_of, with_class
from opened_page import CONTENT, figure_of, grid_rows, opened, stat_cards, view

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS, VOTES
from analytics.metrics import METRICS
from dashapp.data import SETTINGS_KEY
from dashapp.pages import PAGES
from dashapp.pages.backtest.tables import HEADLINE
from dashapp.pages.technical.export import start_of
from pipeline import schema, store
from pipeline.queries import connect
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.queries import signals as signal_queries

ROWS, CLICKED = (f'{{"name":"overview","type":"grid"}}.{name}' for name in ("rowData", "selectedRows"))
STORES = {"simulated": "SIM001", "sample": "AAPL"}


@pytest.fixture(params=STORES)
def stocked(request: pytest.FixtureRequest, serve: Callable[..., Any]) -> tuple[Any, str]:
    """The app over each of the two stores in turn: (settings, a stock of it)."""
    return serve(db=request.getfixturevalue(request.param).db), STORES[request.param]


# ---- every page over a good store ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_its_content(stocked: tuple[Any, str], dispatch: Dispatch, page: str) -> None:
    content = opened(dispatch, page, view(stocked[1]))
    asks = {
        "backtest": "press Run Backtest",
        "compare": "Choose 2 to 12 runs",
        "sensitivity": "press Run",
    }  # nothing is shown before somebody asks
    if page in asks:
        assert asks[page] in text_of(content)
        return
    assert not with_class(content, "empty-state")
    assert len(stat_cards(content)) >= 3


@pytest.mark.parametrize("page", PAGES)
def test_every_key_figure_is_explained(stocked: tuple[Any, str], dispatch: Dispatch, page: str) -> None:
    for label, parts in stat_cards(opened(dispatch, page, view(stocked[1]))).items():
        assert len(parts["tip"]) > 15, label
        assert parts["value"], label


@pytest.mark.parametrize("theme", ["light", "dark", None])
@pytest.mark.parametrize("page", ["technical", "frontier"])
def test_charts_follow_the_theme(stocked: tuple[Any, str], dispatch: Dispatch, page: str, theme: str | None) -> None:
    content = opened(dispatch, page, view(stocked[1]) | {"shell-theme-name.data": theme})
    text = "#dee2e6" if theme == "dark" else "#212529"
    graphs = of_type(content, "Graph")
    assert graphs
    assert {graph["props"]["figure"]["layout"]["font"]["color"] for graph in graphs} == {text}


def test_the_header_names_source_run_and_age(stocked: tuple[Any, str], dispatch: Dispatch) -> None:
    settings, ticker = stocked
    badge = text_of(dispatch("shell-badge.children", view(ticker))["shell-badge.children"])
    with connect(settings.db) as reader:
        run_id = reader.one("SELECT run_id FROM published")[0]
    assert f"run {run_id}" in badge
    assert re.search(r"published (just now|\d+ (minute|hour)s? ago)", badge)
    assert ("SIMULATED" in badge) == (ticker == "SIM001")


# ---- overview -----------------------------------------------------------------------------------------------


def test_the_overview_has_a_row_per_instrument(stocked: tuple[Any, str], dispatch: Dispatch) -> None:
    rows = dispatch(CONTENT["overview"], view(None))[ROWS]
    with connect(stocked[0].db) as reader:
        listed = instrument_queries.instruments(reader)
    assert sorted(row["ticker"] for row in rows) == sorted(listed.loc[listed["active"] == 1, "ticker"])


def test_the_overview_s_returns_follow_from_the_prices(stocked: tuple[Any, str], dispatch: Dispatch) -> None:
    rows = dispatch(CONTENT["overview"], view(None))[ROWS]
    with connect(stocked[0].db) as reader:
        for row in rows:
            bars = price_queries.bars(reader, row["ticker"])
            adjusted = pd.Series(bars.adj_close, index=pd.DatetimeIndex(bars.dates))
            last = adjusted.index[-1]
            assert row["close"] == bars.close[-1]
            assert row["return_1d"] == pytest.approx(adjusted.iloc[-1] / adjusted.iloc[-2] - 1, abs=1e-12)
            for name, back in (("return_1m", pd.DateOffset(months=1)), ("return_1y", pd.DateOffset(years=1))):
                assert row[name] == pytest.approx(adjusted.iloc[-1] / adjusted[: last - back].iloc[-1] - 1, abs=1e-12)


def test_the_overview_s_signals_and_fits_are_the_stored_ones(stocked: tuple[Any, str], dispatch: Dispatch) -> None:
    rows = dispatch(CONTENT["overview"], view(None))[ROWS]
    words = {1: "Buy", -1: "Sell", 0: "Neutral", None: None}
    fitted = 0
    with connect(stocked[0].db) as reader:
        for row in rows:
            latest = signal_queries.latest_signal(reader, row["ticker"])
            assert latest is not None
            assert (row["signal"], row["rating_label"]) == (words[latest["overall_signal"]], latest["rating_label"])
            fits = factor_queries.latest_fits(reader, row["ticker"])
            capm = fits[(fits["model"] == "capm") & (fits["frequency"] == "M")].set_index("window_months")
            if not len(fits):
                assert (row["beta"], row["alpha_t"], row["expected_return"]) == (None, None, None)
                continue
            fitted += 1
            for name in ("expected_return", "alpha_t"):
                assert row[name] == (capm.loc[60, name] if 60 in capm.index else None)
    assert fitted >= 5


def test_the_breadth_counts_the_rows_of_the_table(stocked: tuple[Any, str], dispatch: Dispatch) -> None:
    written = dispatch(CONTENT["overview"], view(None))
    stocks = [row for row in written[ROWS] if row["kind"] == "stock"]
    cards = stat_cards(written[CONTENT["overview"]])
    assert cards["Stocks"]["value"] == str(len(stocks))
    for label, field, counts in (
        ("Signal buy", "overall_signal", lambda value: value == 1),
        ("Signal sell", "overall_signal", lambda value: value == -1),
        ("Rose last session", "return_1d", lambda value: value > 0),
        ("Up over a year", "return_1y", lambda value: value > 0),
        ("Alpha |t| > 2", "alpha_t", lambda value: abs(value) > 2),
    ):  # fmt: skip
        known = [row[field] for row in stocks if row[field] is not None]
        assert cards[label]["note"] == f"{sum(map(counts, known))} of {len(known)} stocks"


def test_a_click_on_a_row_opens_the_ticker(dispatch: Dispatch) -> None:
    values = {CLICKED: [{"ticker": "SIM003"}], "shell-view.data": {"ticker": "x", "range": "5y"}}
    assert dispatch("overview-go.href", values)["overview-go.href"] == "/technical?ticker=SIM003&range=5y"
    assert dispatch("overview-go.href", values | {CLICKED: []})["overview-go.href"] == ""


# ---- technical ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["technical", "fundamentals"])
def test_a_page_is_about_the_ticker_in_view(stocked: tuple[Any, str], dispatch: Dispatch, page: str) -> None:
    assert f"({stocked[1]})" in text_of(opened(dispatch, page, view(stocked[1])))


def test_the_votes_shown_are_the_stored_ones(stocked: tuple[Any, str], dispatch: Dispatch) -> None:
    settings, ticker = stocked
    content = opened(dispatch, "technical", view(ticker))
    with connect(settings.db) as reader:
        latest = signal_queries.latest_signal(reader, ticker)
    assert latest is not None
    available = sum(latest[f"vote_{key}"] is not None for key in CORE_VOTES)
    cards = stat_cards(content)
    assert cards["Signal"]["value"] == {1: "Buy", -1: "Sell", 0: "Neutral"}[latest["overall_signal"]]
    assert (
        cards["Signal"]["note"] == f"{latest['buy_votes']} buy, {latest['sell_votes']} sell of {available} core votes"
    )
    shown = Counter(row["vote"] for row in grid_rows(content, "technical-votes") if "· core" in row["signal"])
    assert (shown["buy"], shown["sell"]) == (latest["buy_votes"], latest["sell_votes"])
    assert f"Votes on {latest['date']}" in text_of(content)


def test_every_vote_and_every_measure_has_an_explained_row(stocked: tuple[Any, str], dispatch: Dispatch) -> None:
    rows = grid_rows(opened(dispatch, "technical", view(stocked[1])), "technical-votes")
    names = [row["signal"].removesuffix(" · core") for row in rows]
    measures = [item.label for item in INDICATORS.values() if not item.votes]
    assert sorted(names) == sorted(
        ["Overall signal", "Rating", *(voter.vote.label for voter in VOTES.values()), *measures]
    )
    assert len({row["key"] for row in rows}) == len(rows)
    assert all(len(row["about"]) > 40 and len(row["why"]) > 8 for row in rows)


def test_a_close_only_ticker_is_drawn_as_a_line_and_says_so(
    serve: Callable[..., Any], sample: Any, dispatch: Dispatch
) -> None:
    serve(db=sample.db)
    content = opened(dispatch, "technical", view("AAPL"))
    figure = figure_of(content)
    assert {trace["type"] for trace in figure["data"]} == {"scatter", "bar"}
    assert not [trace for trace in figure["data"] if trace["name"] == "Volume"]
    assert "the price is a line of closes" in text_of(content)
    whys = {row["signal"]: row["why"] for row in grid_rows(content, "technical-votes")}
    assert whys["CCI"] == "Not available, because this source has no high and low of this ticker."
    with_bars = opened(dispatch, "technical", view("^IXIC"))
    assert figure_of(with_bars)["data"][0]["type"] == "candlestick"
    assert "Index points." in text_of(with_bars)


@pytest.mark.parametrize(("span", "weekly"), [("1m", False), ("5y", False), ("max", True)])
def test_long_ranges_are_drawn_in_weekly_bars(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, span: str, weekly: bool
) -> None:
    serve(db=simulated.db)
    content = opened(dispatch, "technical", view("SIM001", span))
    dates = pd.DatetimeIndex(figure_of(content)["data"][0]["x"])
    assert ("Weekly bars." in text_of(content)) == weekly
    assert (dates.to_series().diff().dt.days.median() == 7) == weekly
    with connect(simulated.db) as reader:
        bars = price_queries.bars(reader, "SIM001", start=start_of(span, str(dates[-1].date())))
    assert dates[-1] == bars.dates[-1]
    assert weekly or len(dates) == len(bars)


def test_start_of_a_range() -> None:
    assert start_of("1m", "2024-03-31") == "2024-02-29"
    assert start_of("2y", "2024-02-29") == "2022-02-28"
    assert start_of("6m", "2024-01-15") == "2023-07-15"
    assert start_of("max", "2024-01-15") is None


@pytest.mark.parametrize("span", ["", "m", "0m", "²y", "99999999y", "1e3y", "-1y", "2w", "1m; DROP TABLE prices"])
def test_a_range_that_no_button_offers_is_explained(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, span: str
) -> None:
    serve(db=simulated.db)
    assert "allowed: 1m, 1y, 2y" in text_of(
        with_class(opened(dispatch, "technical", view("SIM001", span)), "empty-state")
    )


def test_panes_are_limited_and_can_be_empty(serve: Callable[..., Any], simulated: Any, dispatch: Dispatch) -> None:
    serve(db=simulated.db)
    every = ["volume", *(key for key, item in INDICATORS.items() if item.pane == "own")]
    many = opened(dispatch, "technical", view("SIM001", **{"technical-panes.value": every}))
    assert len([key for key in figure_of(many)["layout"] if key.startswith("yaxis")]) == 1 + 4
    none = view("SIM001", **{"technical-panes.value": None, "technical-overlays.value": None})
    assert [key for key in figure_of(opened(dispatch, "technical", none))["layout"] if key.startswith("yaxis")] == [
        "yaxis"
    ]


def test_an_indicator_that_does_not_exist_is_explained(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch
) -> None:
    serve(db=simulated.db)
    content = opened(dispatch, "technical", view("SIM001", **{"technical-overlays.value": ["smaa"]}))
    assert "Did you mean 'sma'" in text_of(with_class(content, "empty-state"))


# ---- fundamentals and frontier ------------------------------------------------------------------------------


def test_an_index_has_no_factor_fit_and_says_why(serve: Callable[..., Any], sample: Any, dispatch: Dispatch) -> None:
    serve(db=sample.db)
    empty = with_class(opened(dispatch, "fundamentals", view("^GSPC")), "empty-state")
    assert "is an index" in text_of(empty)
    assert "Choose a stock or a fund" in text_of(empty)


@pytest.mark.parametrize("number", [1, 25, 50])
def test_the_weights_shown_are_the_stored_ones(stocked: tuple[Any, str], dispatch: Dispatch, number: int) -> None:
    content = opened(dispatch, "frontier", view(None) | {"frontier-point.data": number})
    with connect(stocked[0].db) as reader:
        stored = reader.rows(
            "SELECT ticker, weight FROM frontier_weights WHERE weight >= 0.0005 AND point = (SELECT point FROM "
            "frontier_points WHERE kind = 'frontier' AND universe = 'stocks' AND estimator = 'mean__ledoit_wolf' "
            "ORDER BY point LIMIT 1 OFFSET ?) AND universe = 'stocks' "
            "AND estimator = 'mean__ledoit_wolf'", (number - 1,),
        )  # fmt: skip
    bars = figure_of(content, 1)["data"][0]
    assert bars["x"] == sorted((weight for _, weight in stored), reverse=True)[:15]
    assert dict(zip(bars["y"], bars["x"], strict=True)).items() <= dict(stored).items()
    shown = {row["ticker"]: row["chosen"] for row in grid_rows(content, "frontier-weights") if row["chosen"]}
    assert {ticker: shown[ticker] for ticker, _ in stored} == dict(stored)


# ---- backtest and data --------------------------------------------------------------------------------------


def test_a_stored_result_is_shown_with_every_metric_explained(answered: str, dispatch: Dispatch) -> None:
    content = opened(dispatch, "backtest", {"backtest-shown.data": answered, "shell-theme-name.data": "light"})
    tables = [item["props"] for item in of_type(content, "AgGrid") if "backtest-metrics" in item["props"]["id"]["name"]]
    rows = [row for props in tables for row in props["rowData"]]
    assert {row["key"] for row in rows} == set(METRICS)
    assert all(METRICS[row["key"]].formula in row["about"] for row in rows)
    cards = stat_cards(content)
    assert {"Audit", *(METRICS[key].label for key in HEADLINE)} <= set(cards)
    assert all(METRICS[key].formula in cards[METRICS[key].label]["tip"] for key in ("sharpe_ratio", "max_drawdown"))
    assert answered in text_of(content)
    assert len(grid_rows(content, "backtest-trades")) == int(cards[METRICS["n_trades"].label]["value"])


def test_a_result_of_an_earlier_run_says_so(app: Dash, answered: str, dispatch: Dispatch) -> None:
    shown = {"backtest-shown.data": answered}
    assert "earlier data run" not in text_of(opened(dispatch, "backtest", shown))
    connection = store.open_writer(app.server.config[SETTINGS_KEY].workspace, schema.WORKSPACE)
    store.update(connection, schema.backtesting_questions, {"result_id": answered}, data_run_id="an-earlier-run")
    connection.close()
    assert "Computed on an earlier data run" in text_of(opened(dispatch, "backtest", shown))


def test_a_result_that_is_not_stored_is_explained(
    serve: Callable[..., Any], simulated: Any, dispatch: Dispatch
) -> None:
    serve(db=simulated.db)
    content = opened(dispatch, "backtest", {"backtest-shown.data": "feedbeef"})
    assert "no stored result feedbeef" in text_of(with_class(content, "empty-state"))


def test_the_data_page_shows_the_run_that_is_published(stocked: tuple[Any, str], dispatch: Dispatch) -> None:
    content = opened(dispatch, "data", view(None))
    with connect(stocked[0].db) as reader:
        run_id = reader.one("SELECT run_id FROM published")[0]
        count = reader.one("SELECT count(*) FROM instruments")[0]
        prices = reader.one("SELECT count(*) FROM prices")[0]
    assert run_id in text_of(content)
    assert len(grid_rows(content, "data-coverage")) == count
    tables = {row["table_name"]: row["rows"] for row in grid_rows(content, "data-tables")}
    assert tables["prices"] == prices
    steps = grid_rows(content, "data-steps")
    assert [row["status"] for row in steps] == ["complete"] * len(steps)
