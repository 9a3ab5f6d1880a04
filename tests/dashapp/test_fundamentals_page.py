"""The Fundamentals tab: every number is the stored one, or that of the fit made on demand."""

import base64
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pandas as pd
import pytest
from dash import Dash
from dispatch import Dispatch, of_type, text_of, with_class
from opened_page import figure_of, grid_rows, opened, stat_cards, view
from tolerances import EXACT, PARITY

from analytics.factor_models import FACTOR_MODELS
from dashapp.format import number, percent
from dashapp.pages.fundamentals._reading import returns_and_factors
from dashapp.pages.fundamentals.layout import ID, layout
from pipeline import schema, store
from pipeline.queries import connect, factors

PART = "fundamentals-{}.children"
TICKER = "SIM002"


@pytest.fixture(autouse=True)
def served(serve: Callable[..., Any], simulated: Any) -> Any:
    return serve(db=simulated.db)


def part(dispatch: Dispatch, name: str, **changes: Any) -> Any:
    """What one part of the tab shows; any unexpected error fails."""
    written = dispatch(PART.format(name), view(TICKER, **changes))
    assert "shell-toasts.children" not in written, text_of(written["shell-toasts.children"])
    return written[PART.format(name)]


def fits_of(served: Any, model: str = "ff3", window: int = 60, frequency: str = "M") -> tuple[pd.Series, pd.DataFrame]:
    with connect(served.db) as reader:
        fits, loadings = factors.latest_fits(reader, TICKER), factors.loadings(reader, TICKER)
    chosen = "model == @model and window_months == @window and frequency == @frequency"
    return fits.query(chosen).iloc[0], loadings.query(chosen)


def texts(content: Any) -> list[list[str]]:
    """The cells of a plain table."""
    return [[text_of(cell) for cell in of_type(row, "Td")] for row in of_type(of_type(content, "Tbody"), "Tr")]


def test_the_head_holds_the_stored_fit_and_until_when_factors_are_known(dispatch: Dispatch, served: Any) -> None:
    content = opened(dispatch, "fundamentals", view(TICKER))
    fit, _ = fits_of(served)
    cards, words = stat_cards(content), text_of(content)
    assert cards["Alpha"]["value"] == percent(fit["alpha"], sign=True)
    assert f"{percent(fit['alpha_low'])} to {percent(fit['alpha_high'])}" in cards["Alpha"]["note"]
    assert ("required above realised" in cards["Alpha"]["note"]) == (fit["alpha"] < 0)
    assert cards["Required return, premiums to date"]["value"] == percent(fit["expected_return"])
    assert percent(fit["expected_return_se"]) in cards["Required return, premiums to date"]["note"]
    assert f"Factors are known to {fit['sample_end'][:7]}" in words
    assert all(len(card["tip"]) > 15 for card in cards.values())


def test_the_outlook_and_the_composite_score_show_their_parts(dispatch: Dispatch, served: Any) -> None:
    cards = stat_cards(opened(dispatch, "fundamentals", view(TICKER)))
    fit, _ = fits_of(served)
    with connect(served.db) as reader:
        stocks = factors.universe_fits(reader, "ff3", "M", 60).query("kind == 'stock'")
    above = fit["expected_return"] > stocks["expected_return"].median()
    word = "positive" if fit["alpha"] > 0 and above else "negative" if fit["alpha"] < 0 and not above else "neutral"
    assert cards["Fundamental outlook"]["value"] == word
    rating = float(cards["Technical rating"]["value"].replace("−", "-"))
    agree = (rating > 0 and word == "positive") or (rating < 0 and word == "negative")
    assert cards["Composite score"]["value"] == (cards["Technical rating"]["value"] if agree else "0.00")


def test_the_survival_table_lists_every_newest_fit(dispatch: Dispatch, served: Any) -> None:
    content = part(dispatch, "survival")
    rows = {row["key"]: row for row in grid_rows(content, "fundamentals-survival")}
    with connect(served.db) as reader:
        fits = factors.latest_fits(reader, TICKER)
    assert len(rows) == len(fits) == 5 * 4 * 2
    for fit in fits.itertuples():
        row = rows[f"{fit.model}{fit.window_months}{fit.frequency}"]
        assert (row["alpha"], row["alpha_q"], row["bic"]) == (fit.alpha, fit.alpha_q, fit.bic)
        word = "holds" if fit.alpha_q <= 0.05 else "only before correction" if fit.alpha_p <= 0.05 else "no evidence"
        assert row["verdict"] == word
    monthly = fits.query("frequency == 'M' and window_months == 60")
    best = FACTOR_MODELS[monthly.loc[monthly["bic"].idxmin(), "model"]].label
    assert f"lowest BIC {best}" in text_of(content)


def test_loadings_are_the_stored_ones_of_every_model(dispatch: Dispatch, served: Any) -> None:
    figure = figure_of(part(dispatch, "exposure"))
    drawn = {(trace["name"], trace["text"][i]): value for trace in figure["data"] for i, value in enumerate(trace["x"])}
    for model in FACTOR_MODELS:
        _, loadings = fits_of(served, model)
        for name, label in (
            ("mkt_rf", "Market"),
            ("hml", "Value"),
            ("mom", "Momentum"),
            ("smb", "Size"),
            ("smb5", "Size"),
        ):
            own = loadings.loc[loadings["factor"] == name, "beta"]
            if len(own):
                assert drawn[FACTOR_MODELS[model].label, label] == own.iloc[0]


def test_the_table_of_loadings_has_both_errors(dispatch: Dispatch, served: Any) -> None:
    rows = grid_rows(part(dispatch, "exposure"), "fundamentals-loadings")
    assert len(rows) == 1 + 3 + 4 + 5 + 6
    _, loadings = fits_of(served, "carhart4")
    own = {row["factor"]: row for row in rows if row["model"] == "Carhart 4"}
    for stored in loadings.itertuples():
        shown = own[{"mkt_rf": "Market", "smb": "Size", "hml": "Value", "mom": "Momentum"}[stored.factor]]
        assert (shown["beta"], shown["std_err"], shown["std_err_ols"], shown["p_value"]) == (
            stored.beta, stored.std_err, stored.std_err_ols, stored.p_value,
        )  # fmt: skip


def test_a_ticker_that_is_the_benchmark_is_explained(
    dispatch: Dispatch, serve: Callable[..., Any], simulated: Any, copy_of: Callable[[Path], Path]
) -> None:
    db = copy_of(simulated.db)
    with connect(db) as reader:
        months = factors.factor_returns(reader, "M")
    with closing(store.open_writer(db, schema.MARKET)) as connection:  # its price is the market's at every month end
        dates = [
            row[0] for row in connection.execute("SELECT date FROM prices WHERE ticker = ? ORDER BY date", (TICKER,))
        ]
        growth = (1 + months["mkt_rf"] + months["rf"]).cumprod()
        for month in sorted({date[:7] for date in dates}):
            if month in growth.index.strftime("%Y-%m"):
                level = 100 * float(growth[growth.index.strftime("%Y-%m") == month].iloc[0])
                connection.execute(
                    "UPDATE prices SET adj_close = ? WHERE ticker = ? AND substr(date, 1, 7) = ?",
                    (level, TICKER, month),
                )
        connection.commit()
    serve(db=db)
    words = text_of(part(dispatch, "exposure", **{"fundamentals-model.value": "capm"}))
    assert f"residuals of {TICKER} in CAPM: got 0 on every date" in words
    assert "CUSUM" in words


def test_contributions_sum_to_the_mean_return_and_to_the_variance(dispatch: Dispatch, served: Any) -> None:
    content = part(dispatch, "exposure")
    fit, _ = fits_of(served)
    returns, variance = (figure_of(content, number)["data"][0] for number in (1, 2))
    parts = dict(zip(returns["y"], returns["x"], strict=True))
    assert parts["Alpha"] == pytest.approx(fit["alpha"], abs=EXACT)
    assert parts["Mean return"] == pytest.approx(fit["realised_return"], abs=EXACT)
    assert sum(value for name, value in parts.items() if name != "Mean return") == pytest.approx(
        parts["Mean return"], abs=EXACT
    )
    assert sum(variance["x"]) == pytest.approx(1, abs=EXACT)
    assert variance["x"][-1] == pytest.approx(1 - fit["r_squared"], abs=PARITY)  # the idiosyncratic share


def test_dimson_lags_are_drawn_on_demand_and_for_days(dispatch: Dispatch) -> None:
    wanted = {"fundamentals-dimson.value": True}
    daily = part(dispatch, "exposure", **wanted, **{"fundamentals-frequency.value": "D"})
    assert "Fama-French 3, Dimson ±1" in {trace["name"] for trace in figure_of(daily)["data"]}
    summed = [row for row in grid_rows(daily, "fundamentals-loadings") if "Dimson" in row["model"]]
    assert [row["factor"] for row in summed] == ["Market", "Size", "Value"]
    assert all(row["low"] < row["beta"] < row["high"] and row["std_err_ols"] is None for row in summed)
    for other in ({}, {"fundamentals-frequency.value": "D", "fundamentals-dimson.value": False}):
        drawn = figure_of(part(dispatch, "exposure", **(wanted | other)))["data"]
        assert not [trace["name"] for trace in drawn if "Dimson" in trace["name"]]


def test_required_returns_equal_the_stored_ones_and_bars_their_intervals(dispatch: Dispatch, served: Any) -> None:
    content = part(dispatch, "expected")
    required, realised = figure_of(content)["data"]
    assert required["x"] == [
        model.label for model in sorted(FACTOR_MODELS.values(), key=lambda item: len(item.factors))
    ]
    for label, value, earned in zip(required["x"], required["y"], realised["y"], strict=True):
        key = next(model.key for model in FACTOR_MODELS.values() if model.label == label)
        fit, _ = fits_of(served, key)
        assert value == pytest.approx(fit["expected_return"], abs=EXACT)
        assert earned == pytest.approx(fit["realised_return"], abs=EXACT)
    row = next(cells for cells in texts(content) if cells[0].startswith("CAPM"))
    fit, _ = fits_of(served, "capm")
    assert row[1] == f"{percent(fit['expected_return'])} ± {percent(fit['expected_return_se'])}"
    assert row[4] == percent(fit["alpha"], sign=True)


def test_own_premiums_change_the_required_return_and_are_checked(dispatch: Dispatch, served: Any) -> None:
    own = {"fundamentals-premiums.value": "own"}
    key = "fundamentals-premium.value"
    content = part(dispatch, "expected", **own, **{key: {"mkt_rf": 5}})
    fit, loadings = fits_of(served, "capm")
    with connect(served.db) as reader:
        rf = factors.factor_returns(reader, "M").loc[fit["sample_end"], "rf"]
    assert figure_of(content)["data"][0]["y"] == [pytest.approx(12 * rf + loadings["beta"].iloc[0] * 0.05, abs=EXACT)]
    assert "Fama-French 3: my own premiums: got 'none for Size, 3-factor, Value'" in text_of(content)
    missing = with_class(part(dispatch, "expected", **own, **{key: {}}), "empty-state")
    assert "Type the premium of each factor" in text_of(missing)
    beyond = with_class(part(dispatch, "expected", **own, **{key: {"mkt_rf": 500}}), "empty-state")
    assert "percent a year from -100 to 100" in text_of(beyond)
    stale = part(dispatch, "expected", **{key: {"mkt_rf": 500}})  # typed before, and not chosen now
    assert "Premiums a year, mean of the whole history to date: Market" in text_of(stale)
    odd = with_class(part(dispatch, "expected", **own, **{key: {"mkt_rf": "5"}}), "empty-state")
    assert "premium of Market: got '5'; allowed: a number" in text_of(odd)


def test_a_model_that_cannot_be_fitted_says_why_and_the_others_are_shown(
    dispatch: Dispatch, serve: Callable[..., Any], sample: Any
) -> None:
    serve(db=sample.db)
    written = dispatch(PART.format("expected"), view("AAPL"))[PART.format("expected")]
    assert figure_of(written)["data"][0]["x"] == ["CAPM", "Fama-French 3"]
    assert "factors of Fama-French 5: got 'none for smb5, rmw, cma'" in text_of(written)
    head = text_of(
        dispatch("fundamentals-content.children", view("AAPL", **{"fundamentals-model.value": "ff5"}))[
            "fundamentals-content.children"
        ]
    )
    assert "There is no fit of Fama-French 5" in head
    daily = dispatch(PART.format("exposure"), view("AAPL", **{"fundamentals-frequency.value": "D"}))[
        PART.format("exposure")
    ]
    assert "no daily factor returns" in text_of(with_class(daily, "empty-state"))


@pytest.mark.parametrize("period", ["1d", "1m", "3m", "1y"])
def test_what_moved_it_sums_to_the_total_return(dispatch: Dispatch, served: Any, period: str) -> None:
    content = part(dispatch, "moves", **{"fundamentals-period.value": period})
    bars = figure_of(content)["data"][0]
    assert bars["y"] == ["Risk-free rate", "Market", "Size", "Value", "Idiosyncratic", "Total return"]
    assert sum(bars["x"][:-1]) == pytest.approx(bars["x"][-1], abs=EXACT)
    first, last = (
        text_of(content).split(",")[0].split(" to ") if period != "1d" else [text_of(content).split(",")[0]] * 2
    )
    with closing(sqlite3.connect(served.db)) as connection:
        closes = connection.execute(
            "SELECT date, adj_close FROM prices WHERE ticker = ? AND date <= ? ORDER BY date", (TICKER, last)
        ).fetchall()
    dates = [date for date, _ in closes]
    start = dates.index(first) - 1
    assert bars["x"][-1] == pytest.approx(closes[-1][1] / closes[start][1] - 1, abs=PARITY)


def test_own_dates_are_used_and_checked(dispatch: Dispatch) -> None:
    own = {
        "fundamentals-period.value": "own",
        "fundamentals-start.value": "2018-03-01",
        "fundamentals-end.value": "2018-03-31",
    }
    assert text_of(part(dispatch, "moves", **own)).startswith("2018-03-01 to 2018-03-30, 22 days")
    assert "outside the sample" in text_of(part(dispatch, "moves", **(own | {"fundamentals-window.value": "36"})))
    assert "outside the sample" not in text_of(part(dispatch, "moves", **(own | {"fundamentals-window.value": "0"})))
    empty = part(dispatch, "moves", **(own | {"fundamentals-start.value": None, "fundamentals-end.value": ""}))
    assert "Choose the first date" in text_of(with_class(empty, "empty-state"))
    reversed_dates = part(dispatch, "moves", **(own | {"fundamentals-end.value": "2018-02-01"}))
    assert "a date not after 2018-02-01" in text_of(with_class(reversed_dates, "empty-state"))
    future = part(
        dispatch, "moves", **(own | {"fundamentals-start.value": "2090-01-01", "fundamentals-end.value": None})
    )
    assert "No date of this period" in text_of(with_class(future, "empty-state"))


def test_the_history_is_the_stored_month_ends(dispatch: Dispatch, served: Any) -> None:
    content = part(dispatch, "history")
    with connect(served.db) as reader:
        fits = factors.fit_history(reader, TICKER, "ff3", 60)
    titles = [text_of(item) for item in with_class(content, "field-label")]
    assert titles == ["Alpha, annual", "Market beta", "Size beta", "Value beta"]
    assert len(figure_of(content)["data"][2]["x"]) == len(fits) > 60
    nearest = part(dispatch, "history", **{"fundamentals-model.value": "ff6"})
    assert "Fama-French 5" in text_of(nearest)
    assert "this is the nearest" in text_of(nearest)


def test_days_add_the_beta_of_a_rolling_window(dispatch: Dispatch, served: Any) -> None:
    content = part(dispatch, "history", **{"fundamentals-frequency.value": "D", "fundamentals-model.value": "capm"})
    titles = [text_of(item) for item in with_class(content, "field-label")]
    assert titles[-1].startswith("Market beta of CAPM over the last 252 sessions")
    drawn = figure_of(content, len(titles) - 1)["data"][2]
    with closing(sqlite3.connect(served.db)) as connection:
        rows = connection.execute(
            "SELECT p.date, p.adj_close, f.mkt_rf, f.rf FROM prices p JOIN factor_returns f ON f.frequency = 'D' AND f.date = p.date "
            "WHERE p.ticker = ? ORDER BY p.date", (TICKER,)).fetchall()  # fmt: skip
    frame = pd.DataFrame(rows, columns=["date", "close", "market", "rf"]).set_index("date")
    frame["excess"] = frame["close"].pct_change() - frame["rf"]
    window = frame.loc[: str(drawn["x"][0])].tail(252)
    expected = np.cov(window["excess"], window["market"])[0, 1] / window["market"].var()
    assert np.frombuffer(base64.b64decode(drawn["y"]["bdata"]), "f4")[0] == pytest.approx(
        expected, rel=1e-6
    )  # drawn in 32 bits


def test_peers_are_links_with_the_stored_loadings(dispatch: Dispatch, served: Any) -> None:
    content = part(dispatch, "peers")
    rows = texts(content)
    assert rows[0][0] == TICKER
    assert len(rows) == 7
    links = {item["props"]["children"]: item["props"]["href"] for item in of_type(content, "Link")}
    assert list(links) == [row[0] for row in rows[1:]]
    assert links[rows[1][0]] == f"/fundamentals?ticker={rows[1][0]}"
    _, loadings = fits_of(served)
    assert rows[0][1] == number(loadings.set_index("factor").loc["mkt_rf", "beta"])
    distances = [float(row[-2]) for row in rows[1:]]
    assert distances == sorted(distances)


def write_fundamentals(db: Path) -> None:
    names = [f"SIM00{n}" for n in range(1, 9)]
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        for name in names:
            store.update(connection, schema.instruments, {"ticker": name}, sector="Energy")
        rows = [(name, date, metric, value, "2024-01-02T00:00:00.000Z")
                for n, name in enumerate(names) for date, metric, value in (
                    ("2024-01-02", "trailing_pe", 10.0 + n), ("2024-02-02", "trailing_pe", 20.0 + n), ("2024-02-02", "market_cap", 2.5e9))]  # fmt: skip
        columns = ("ticker", "as_of", "metric", "value", "fetched_at")
        store.insert(
            connection, schema.company_fundamentals, dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
        )


def test_company_figures_have_a_date_a_percentile_and_a_past(
    dispatch: Dispatch, serve: Callable[..., Any], simulated: Any, copy_of: Callable[[Path], Path]
) -> None:
    db = copy_of(simulated.db)
    write_fundamentals(db)
    serve(db=db)
    content = part(dispatch, "company")
    rows = {row[0]: row[1:] for row in texts(content)}
    assert rows["P/E, trailing"] == ["21.0 11.0 on 2024-01-02", "19", "2024-02-02"]  # the second of eight: 1.5 / 8
    assert rows["Market cap"][0] == "$2.50 B"
    assert rows["ROE"] == ["not available from this source", "–", "–"]
    assert "sector Energy in this store that report the figure (8 report any)" in text_of(content)


def test_a_source_without_company_figures_says_so(dispatch: Dispatch) -> None:
    assert "Not available from this source" in text_of(part(dispatch, "company"))


def test_the_universe_lists_every_fit_and_the_joint_test(dispatch: Dispatch, served: Any) -> None:
    values = view(TICKER, **{"fundamentals-view.data": "universe"})
    written = dispatch("fundamentals-universe.children", values)
    rows = written['{"name":"fundamentals-universe","type":"grid"}.rowData']
    with connect(served.db) as reader:
        fits, tests = factors.universe_fits(reader, "ff3", "M", 60), factors.joint_tests(reader)
    assert [row["ticker"] for row in rows] == fits["ticker"].tolist()
    np.testing.assert_array_equal([row["alpha"] for row in rows], fits["alpha"])
    joint = tests.query("model == 'ff3' and window_months == 60").iloc[0]
    cards = stat_cards(written["fundamentals-universe.children"])
    assert cards["Joint test, p"]["value"] == number(joint["p_value"], digits=3)
    assert len(texts(written["fundamentals-universe.children"])) == len(tests)
    drawn = figure_of(written["fundamentals-universe.children"])["data"]
    assert sum(len(trace["x"]) for trace in drawn) == len(fits)
    assert dispatch("fundamentals-universe.children", view(TICKER)) == {}  # the ticker's view asks for nothing


def test_a_click_in_the_universe_opens_the_ticker(dispatch: Dispatch) -> None:
    clicked = '{"name":"fundamentals-universe","type":"grid"}.selectedRows'
    values = {clicked: [{"ticker": "SIM003"}], "shell-view.data": {"ticker": "x", "range": "5y"}}
    assert dispatch("fundamentals-go.href", values)["fundamentals-go.href"] == "/fundamentals?ticker=SIM003&range=5y"


@pytest.mark.parametrize("name", ["expected", "survival", "exposure", "history", "moves", "company", "peers"])
def test_every_part_explains_an_unknown_ticker(dispatch: Dispatch, name: str) -> None:
    content = dispatch(PART.format(name), view("NOPE"))[PART.format(name)]
    assert "SIM001" in text_of(with_class(content, "empty-state"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["expected", "exposure", "history", "moves"])
def test_charts_follow_the_theme(dispatch: Dispatch, name: str, theme: str) -> None:
    text = "#dee2e6" if theme == "dark" else "#212529"
    graphs = of_type(part(dispatch, name, **{"shell-theme-name.data": theme}), "Graph")
    assert graphs
    assert {item["props"]["figure"]["layout"]["font"]["color"] for item in graphs} == {text}


def test_the_links_between_the_views_carry_the_chosen_ticker(dispatch: Dispatch) -> None:
    written = dispatch("fundamentals-to-ticker.href", {"shell-view.data": {"ticker": "SIM004", "range": "5y"}})
    assert written == {
        "fundamentals-to-ticker.href": "/fundamentals?ticker=SIM004&range=5y",
        "fundamentals-to-universe.href": "/fundamentals?ticker=SIM004&range=5y&view=universe",
    }
    odd = dispatch("fundamentals-to-ticker.href", {"shell-view.data": {"ticker": "<b>", "range": "5y"}})
    assert odd["fundamentals-to-ticker.href"] == "/fundamentals?range=5y"


def test_a_month_is_one_month_where_there_are_no_days(
    dispatch: Dispatch, serve: Callable[..., Any], sample: Any
) -> None:
    serve(db=sample.db)
    for period, count in (("1m", "1 month,"), ("3m", "3 months,"), ("1y", "12 months,")):
        moved = dispatch(PART.format("moves"), view("AAPL", **{"fundamentals-period.value": period}))[
            PART.format("moves")
        ]
        assert f", {count}" in text_of(moved)


def _reading_of(app: Dash, db: Path, frequency: str) -> tuple[pd.Series, pd.DataFrame]:
    with app.server.app_context(), connect(db) as reader:
        return returns_and_factors(reader, TICKER, frequency)


def test_the_tab_counts_months_as_the_store_does(
    app: Dash, serve: Callable[..., Any], simulated: Any, copy_of: Callable[[Path], Path]
) -> None:
    """A ticker without a bar on the market's last session of a month has no return for that month and the next."""
    served = serve(db=simulated.db)
    with connect(served.db) as reader:
        returns, months = _reading_of(app, served.db, "M")
        fit = (
            factors.latest_fits(reader, TICKER)
            .query("frequency == 'M' and model == 'capm' and window_months == 0")
            .iloc[0]
        )
    assert len(returns.dropna().index.intersection(months.index)) == fit["n_obs"]
    db = copy_of(simulated.db)
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        last = connection.execute("SELECT max(date) FROM prices WHERE date < '2020-07-01'").fetchone()[0]
        connection.execute("DELETE FROM prices WHERE ticker = ? AND date = ?", (TICKER, last))
        connection.commit()
    holed, _ = _reading_of(app, serve(db=db).db, "M")
    assert holed[["2020-06-30", "2020-07-31"]].isna().all()
    assert holed.notna().sum() == returns.notna().sum() - 2
    sessions, _ = _reading_of(app, db, "D")
    assert np.isnan(sessions[last])


def test_an_address_may_say_which_fit(dispatch: Dispatch) -> None:
    head = opened(
        dispatch,
        "fundamentals",
        view(TICKER, **{"fundamentals-model.value": "capm", "fundamentals-window.value": "36"}),
    )
    href = next(item["props"]["href"] for item in of_type(head, "A") if "link to this fit" in text_of(item))
    assert href == f"/fundamentals?ticker={TICKER}&model=capm&window=36&returns=M"
    query = dict(parse_qsl(urlsplit(href).query))
    values = {
        item.id: item.value
        for item in layout(**query)._traverse()
        if getattr(item, "id", None) in (ID.model, ID.window, ID.frequency)
    }
    assert values == {ID.model: "capm", ID.window: "36", ID.frequency: "M"}
    odd = layout(**(query | {"model": "<b>", "window": "1", "returns": "W"}))
    assert [item.value for item in odd._traverse() if getattr(item, "id", None) == ID.model] == ["ff3"]
