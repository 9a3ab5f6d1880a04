"""What portfolios are computed from: nothing that was not known on the last session, who belongs, and by hand what else."""

import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tolerances import EXACT, PARITY

from analytics.conventions import FRONTIER_MODELS, FRONTIER_SESSIONS, TRADING_DAYS
from analytics.errors import UnknownKeyError
from pipeline.queries import connect
from pipeline.queries.portfolio_inputs import FACTORS, PortfolioInputs, portfolio_inputs, universe_tickers, universes

LAST, NEXT = "2024-12-31", "2025-01-01"  # of the simulated store: its last session, and the day after
STOCKS = tuple(f"SIM00{number}" for number in range(1, 8))  # SIM008 listed too late for the window


@pytest.fixture
def spoilt(simulated: Any, tmp_path: Path) -> Any:
    """A private copy of the simulated store and a connection that may write to it."""
    path = Path(shutil.copyfile(simulated.db, tmp_path / "copy.db"))
    connection = sqlite3.connect(path, isolation_level=None)
    yield path, connection
    connection.close()


def inputs_of(path: Path, universe: str = "stocks") -> PortfolioInputs:
    with connect(path) as reader:
        found = portfolio_inputs(reader, universe)
    assert found is not None
    return found


def insert(connection: sqlite3.Connection, table: str, **values: Any) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(values)}) VALUES ({marks})", (*values.values(),))


def insert_fit(connection: sqlite3.Connection, model: str, as_of: str, expected_return: float) -> None:
    insert(
        connection, "factor_model_fits", ticker="SIM001", model=model, frequency="M", window_months=0, as_of=as_of,
        sample_start="2017-01-31", sample_end="2017-06-30", n_obs=6, expected_return=expected_return,
    )  # fmt: skip


def insert_reading(connection: sqlite3.Connection, ticker: str, as_of: str, value: float, **changes: Any) -> None:
    row = {"ticker": ticker, "as_of": as_of, "metric": "market_cap", "value": value, "fetched_at": "2030-01-01"}
    insert(connection, "company_fundamentals", **row | changes)


def insert_prices(
    connection: sqlite3.Connection, ticker: str, *, like: str, date: str = "date", where: str = ""
) -> None:
    """Prices of one ticker as those of another, on a date of their own where one is given."""
    connection.execute(
        f"INSERT INTO prices (ticker, date, close, adj_close) SELECT ?, {date}, close, adj_close FROM prices WHERE ticker = ? {where}",
        (ticker, like),
    )


def frame(connection: sqlite3.Connection, column: str) -> pd.DataFrame:
    """Prices of every ticker from the table itself, dates × tickers."""
    return pd.read_sql(f"SELECT ticker, date, {column} FROM prices", connection).pivot(
        index="date", columns="ticker", values=column
    )


# ---- the window and what is read of it ------------------------------------------------------------------------


def test_the_inputs_are_those_of_the_tables(spoilt: Any) -> None:
    path, connection = spoilt
    connection.execute("UPDATE factor_returns SET rf = 3 * rf WHERE frequency = 'D' AND date > '2022-06-30'")
    found = inputs_of(path)
    closes, adjusted = frame(connection, "close"), frame(connection, "adj_close")
    window = adjusted[list(STOCKS)].iloc[-FRONTIER_SESSIONS - 1 :]
    assert (found.data.tickers, found.left_out, found.as_of) == (STOCKS, ("SIM008",), LAST)
    assert [str(day.date()) for day in found.dates] == window.index[1:].tolist()
    np.testing.assert_array_equal(found.closes, window)
    np.testing.assert_allclose(found.data.returns, window.pct_change().iloc[1:], rtol=PARITY, atol=EXACT)
    assert found.prices == closes.loc[LAST, list(STOCKS)].to_dict()
    assert (found.sectors["SIM005"], found.names["SIM005"]) == ("Energy", "Simulated 5")
    daily = pd.read_sql("SELECT * FROM factor_returns WHERE frequency = 'D'", connection, index_col="date")
    daily = daily.reindex(window.index[1:])
    np.testing.assert_array_equal(found.data.factor_returns, daily[list(FACTORS)])
    assert found.data.risk_free_rate == pytest.approx(TRADING_DAYS * daily["rf"].mean(), rel=PARITY)


def test_factor_returns_that_end_early_are_unknown_from_then_on(spoilt: Any) -> None:
    path, connection = spoilt
    connection.execute("DELETE FROM factor_returns WHERE frequency = 'D' AND date > '2024-06-28'")
    factors, late = inputs_of(path).data.factor_returns, inputs_of(path).dates > "2024-06-28"
    assert factors is not None
    np.testing.assert_array_equal(np.isnan(factors).all(axis=1), late)
    connection.execute("UPDATE factor_returns SET hml = NULL WHERE frequency = 'D'")
    assert inputs_of(path).data.factor_returns is None  # no session on which all are known
    connection.execute("DELETE FROM factor_returns")
    assert np.isnan(inputs_of(path).data.risk_free_rate)


@pytest.mark.parametrize(("sessions", "enough"), [(TRADING_DAYS, False), (TRADING_DAYS + 1, True)])
def test_a_year_of_returns_is_the_least(spoilt: Any, sessions: int, enough: bool) -> None:
    path, connection = spoilt
    first = frame(connection, "close").index[-sessions]
    connection.execute("DELETE FROM prices WHERE date < ?", (first,))
    with connect(path) as reader:
        found = portfolio_inputs(reader, "stocks")
        assert (found is not None) == enough
    if found is not None:
        assert (len(found.dates), len(found.data.tickers)) == (TRADING_DAYS, 8)  # all are complete over one year


@pytest.mark.parametrize(
    ("fresher", "left_out"), [(1, ("SIM008",)), (4, ("SIM008",)), (5, ("SIM006", "SIM007", "SIM008"))]
)
def test_the_window_ends_with_the_last_session_that_most_tickers_have(
    spoilt: Any, fresher: int, left_out: tuple[str, ...]
) -> None:
    """Of eight: up to four that are a session ahead wait for the others, five are not kept waiting."""
    path, connection = spoilt
    before = inputs_of(path)
    for ticker in STOCKS[:fresher]:
        insert_prices(connection, ticker, like=ticker, date=f"'{NEXT}'", where=f"AND date = '{LAST}'")
    found = inputs_of(path)
    assert found.left_out == left_out
    assert found.as_of == (NEXT if fresher > 4 else LAST)
    assert len(found.dates) == FRONTIER_SESSIONS
    if fresher <= 4:
        pd.testing.assert_frame_equal(found.closes, before.closes)
        assert found.prices == before.prices


# ---- what was known --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", FRONTIER_MODELS)
def test_the_newest_fit_that_was_known_on_the_last_session_counts(spoilt: Any, model: str) -> None:
    path, connection = spoilt
    fits = pd.read_sql(
        "SELECT ticker, as_of, expected_return FROM factor_model_fits WHERE frequency = 'M' AND window_months = 0 AND model = ?",
        connection, params=(model,),
    )  # fmt: skip
    assert fits["as_of"].max() > LAST  # those of the last months are published after the last session
    newest = fits[fits["as_of"] <= LAST].sort_values("as_of").groupby("ticker").last()["expected_return"]
    before = inputs_of(path).data.model_returns
    np.testing.assert_array_equal(before[model], newest.reindex(STOCKS))
    for as_of, expected_return, counts in ((NEXT, 0.9, False), ("2024-12-30", 0.7, False), (LAST, 0.8, True)):
        insert_fit(connection, model, as_of, expected_return)
        found = inputs_of(path).data.model_returns
        assert found[model][0] == (0.8 if counts else before[model][0])
        np.testing.assert_array_equal(found[model][1:], before[model][1:])
        assert all(np.array_equal(found[other], before[other]) for other in FRONTIER_MODELS if other != model)


def test_the_newest_market_value_that_was_known_on_the_last_session_counts(spoilt: Any) -> None:
    path, connection = spoilt
    for number, ticker in enumerate(STOCKS, 1):
        assert inputs_of(path).data.market_weights is None  # one that is unknown is enough
        insert_reading(connection, ticker, "2024-06-03", 1e9 * number)
    np.testing.assert_array_equal(inputs_of(path).data.market_weights, 1e9 * np.arange(1, 8))
    insert_reading(connection, "SIM001", NEXT, 9e9)
    insert_reading(connection, "SIM001", "2024-06-02", 8e9)
    insert_reading(connection, "SIM001", "2024-12-01", 7e9, metric="shares")
    np.testing.assert_array_equal(inputs_of(path).data.market_weights, 1e9 * np.arange(1, 8))
    insert_reading(connection, "SIM001", LAST, 6e9)
    np.testing.assert_array_equal(inputs_of(path).data.market_weights, 1e9 * np.array([6, *range(2, 8)]))
    connection.execute("DELETE FROM company_fundamentals WHERE ticker = 'SIM004'")
    insert_reading(connection, "SIM004", NEXT, 4e9)
    assert inputs_of(path).data.market_weights is None


# ---- who belongs -----------------------------------------------------------------------------------------------


def insert_members(connection: sqlite3.Connection, spells: Iterable[tuple[str, str, str | None]]) -> None:
    for ticker, start, end in spells:
        insert(connection, "universe_members", universe="made", ticker=ticker, start_date=start, end_date=end)


def test_members_are_those_of_the_newest_date_that_are_active(spoilt: Any) -> None:
    path, connection = spoilt
    insert_members(connection, [
        ("SIM001", "1990-01-01", None), ("SIM002", "1990-01-01", LAST), ("SIM003", NEXT, None), ("SIM004", LAST, None),
        ("SIM005", "1990-01-01", NEXT), ("SIM006", "1990-01-01", None), ("GONE", "1990-01-01", None),
        ("SIM007", "1990-01-01", "2000-01-01"), ("SIM007", "2010-01-01", "2020-01-01"), ("SIM007", "2024-01-01", None),
    ])  # fmt: skip
    connection.execute("UPDATE instruments SET active = 0 WHERE ticker = 'SIM006'")
    members = ["SIM001", "SIM004", "SIM005", "SIM007"]
    with connect(path) as reader:
        assert universes(reader) == {"stocks": "All stocks", "made": "made"}
        assert universe_tickers(reader, "made") == members
        assert universe_tickers(reader, "stocks") == [name for name in (*STOCKS, "SIM008") if name != "SIM006"]
    found = inputs_of(path, "made")
    assert (found.universe, found.data.tickers, found.left_out) == ("made", tuple(members), ())


def test_a_universe_that_is_not_there_is_refused_with_the_nearest(spoilt: Any) -> None:
    path, connection = spoilt
    insert_members(connection, [("SIM001", "1990-01-01", None)])
    with connect(path) as reader:
        with pytest.raises(UnknownKeyError, match=r"'maed'; allowed: made, stocks\. Did you mean 'made'"):
            portfolio_inputs(reader, "maed")
        assert portfolio_inputs(reader, "made") is None  # of one there is no portfolio
        assert portfolio_inputs(reader, "etfs") is None


def test_funds_are_a_universe_from_two_on(spoilt: Any) -> None:
    path, connection = spoilt
    for ticker, expected in (("SIM006", ["stocks"]), ("SIM007", ["stocks", "etfs"])):
        connection.execute("UPDATE instruments SET kind = 'etf' WHERE ticker = ?", (ticker,))
        with connect(path) as reader:
            assert list(universes(reader)) == expected
    assert inputs_of(path, "etfs").data.tickers == ("SIM006", "SIM007")
    assert inputs_of(path).data.tickers == STOCKS[:5]


# ---- dividends and the benchmark -------------------------------------------------------------------------------


def test_the_dividend_yield_is_that_of_the_last_252_sessions(spoilt: Any) -> None:
    """A dividend of 2 % on the first session of the year counts, one of 3 % on the session before it does not."""
    path, connection = spoilt
    days = frame(connection, "close").index
    first, before = days[-TRADING_DAYS], days[-TRADING_DAYS - 1]
    for ticker, ex_date, paid in (("SIM002", first, 0.02), ("SIM004", before, 0.03), ("SIM006", LAST, 0.01)):
        connection.execute("UPDATE prices SET adj_close = close WHERE ticker = ?", (ticker,))
        connection.execute(
            "UPDATE prices SET adj_close = close * ? WHERE ticker = ? AND date < ?", (1 - paid, ticker, ex_date)
        )
    found = inputs_of(path).dividend_yields
    assert found["SIM002"] == pytest.approx(1 / 0.98 - 1, rel=PARITY)
    assert found["SIM004"] == pytest.approx(0, abs=EXACT)
    assert found["SIM006"] == pytest.approx(1 / 0.99 - 1, rel=PARITY)
    assert found["SIM001"] == pytest.approx(0.995**-4 - 1, rel=PARITY)  # as simulated: 0.5 % of the price, four times
    assert set(found) == set(STOCKS)


def test_prices_without_dividends_tell_of_no_yields(sample: Any, spoilt: Any) -> None:
    assert inputs_of(sample.db).dividend_yields == {}
    path, connection = spoilt
    connection.execute("UPDATE prices SET adj_close = close")
    assert inputs_of(path).dividend_yields == {}


def test_the_benchmark_is_the_fund_then_the_index_then_any_index(sample: Any, spoilt: Any) -> None:
    assert inputs_of(sample.db).benchmark == "^GSPC"
    path, connection = spoilt
    for ticker, kind, like in (("^SIM", "index", "^SIM"), ("^GSPC", "index", "SIM003"), ("SPY", "etf", "SIM004")):
        if ticker != like:
            insert(connection, "instruments", ticker=ticker, name=ticker, kind=kind, active=1)
            insert_prices(connection, ticker, like=like)
        found = inputs_of(path)
        assert found.benchmark == ticker
        returns = frame(connection, "adj_close")[like].pct_change().iloc[-FRONTIER_SESSIONS:]
        np.testing.assert_allclose(found.benchmark_returns, returns, rtol=PARITY, atol=EXACT)


def test_a_benchmark_with_gaps_is_unknown_on_them_alone(spoilt: Any) -> None:
    path, connection = spoilt
    closes = frame(connection, "adj_close")["^SIM"].iloc[-FRONTIER_SESSIONS - 2 :]
    for day in (closes.index[1], closes.index[500]):  # the session before the first return, and one of the window
        connection.execute("DELETE FROM prices WHERE ticker = '^SIM' AND date = ?", (day,))
    found = inputs_of(path).benchmark_returns
    assert found[0] == pytest.approx(closes.iloc[2] / closes.iloc[0] - 1, rel=PARITY)
    assert found[499] == pytest.approx(closes.iloc[501] / closes.iloc[499] - 1, rel=PARITY)
    assert np.flatnonzero(np.isnan(found)).tolist() == [498]
    connection.execute("DELETE FROM prices WHERE ticker = '^SIM'")
    connection.execute("DELETE FROM instruments WHERE ticker = '^SIM'")
    bare = inputs_of(path)
    assert bare.benchmark == ""
    assert bare.benchmark_returns.shape == (FRONTIER_SESSIONS,)
    assert np.isnan(bare.benchmark_returns).all()
