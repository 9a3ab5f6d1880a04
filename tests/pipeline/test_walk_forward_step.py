"""The nightly record of the frontier: against the prices themselves, in who belongs to it when, and where there is none."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS
from analytics.portfolio.covariance.ledoit_wolf import ledoit_wolf
from analytics.portfolio.walk_forward import DELAY, RANKS, WINDOW, walk_forward
from pipeline.queries import connect
from pipeline.queries.walk_forward import History, latest_walk_forward, universe_history, walk_forward_universes
from pipeline.runner import UpdateRequest, update
from pipeline.steps import walk_forward as step

ESTIMATOR = "mean__ledoit_wolf"
STEP = "Walk-forward"


@pytest.fixture
def spoilt(simulated: Any, tmp_path: Path) -> Any:
    """A private copy of the simulated store and a connection that may write to it."""
    path = Path(shutil.copyfile(simulated.db, tmp_path / "copy.db"))
    connection = sqlite3.connect(path)
    yield path, connection
    connection.close()


def history_of(path: Path, universe: str = "stocks") -> History:
    with connect(path) as reader:
        return universe_history(reader, universe)


def folder_of(tmp_path: Path, *, sessions: int) -> Path:
    folder = tmp_path / "folder"
    (folder / "prices").mkdir(parents=True, exist_ok=True)
    days = np.busday_offset("2018-01-01", range(sessions), roll="forward").astype(str)
    for number, ticker in enumerate("ABC"):
        closes = 100 * np.exp(np.cumsum(np.random.default_rng(number).normal(0.0005, 0.01, 1_000)))[:sessions]
        lines = [f"{day},{close:.6f}" for day, close in zip(days, closes, strict=True)]
        (folder / "prices" / f"{ticker}.csv").write_text("Date,Close\n" + "\n".join(lines) + "\n")
    return folder


def message_of(result: Any) -> tuple[int, str]:
    outcome = {step.label: step.outcome for step in result.steps}[STEP]
    return outcome.rows, outcome.message


def test_the_stored_record_is_that_of_the_prices(simulated: Any) -> None:
    """Read from the tables with pandas alone, walked forward anew."""
    with sqlite3.connect(simulated.db) as connection:
        closes = pd.read_sql(
            "SELECT p.date, p.ticker, p.adj_close FROM prices AS p JOIN instruments AS i USING (ticker) WHERE i.kind = 'stock'",
            connection,
        ).pivot(index="date", columns="ticker", values="adj_close")
        rates = pd.read_sql("SELECT date, rf FROM factor_returns WHERE frequency = 'D'", connection, index_col="date")
    returns = closes.pct_change(fill_method=None).iloc[1:]
    found = walk_forward(
        returns, returns.index.to_numpy(), risk_free_returns=rates["rf"].reindex(returns.index).ffill().to_numpy(),
        estimate=lambda known: (TRADING_DAYS * known.mean(axis=0), ledoit_wolf(known)),
    )  # fmt: skip
    with connect(simulated.db) as reader:
        assert walk_forward_universes(reader) == ["stocks"]
        stored = latest_walk_forward(reader, "stocks", ESTIMATOR)
    assert stored["rank"].tolist() == list(range(RANKS + 2))
    assert stored["kind"].tolist() == list(found.kinds)
    past = found.realised
    for name, values in {
        "promised_return": found.promised_return, "promised_volatility": found.promised_volatility,
        "realised_return": past.mean_return, "realised_return_low": past.mean_return_low,
        "realised_volatility": past.volatility, "realised_volatility_high": past.volatility_high,
        "sharpe_ratio": found.sharpe_ratio, "promised_sharpe_ratio": found.promised_sharpe_ratio,
    }.items():  # fmt: skip
        np.testing.assert_allclose(stored[name], values, rtol=PARITY, atol=PARITY, err_msg=name)
    first = stored.iloc[0]
    assert (first["start_date"], first["end_date"]) == (str(found.dates[0]), str(found.dates[-1]))
    assert (first["n_choices"], first["n_sessions"]) == (len(found.sessions), len(found.dates))
    assert (first["n_assets_min"], first["n_assets_max"]) == (found.n_assets.min(), found.n_assets.max())


def test_nothing_new_is_computed_where_nothing_changed_and_a_new_session_replaces_the_record(
    settings: Any, tmp_path: Path
) -> None:
    update(UpdateRequest(source="csv", path=folder_of(tmp_path, sessions=WINDOW + 100)), settings=settings)
    with connect(settings.db) as reader:
        before = latest_walk_forward(reader, "stocks", ESTIMATOR)
    assert message_of(update(UpdateRequest(), settings=settings)) == (0, "stocks: nothing changed")
    folder_of(tmp_path, sessions=WINDOW + 101)
    rows, message = message_of(update(UpdateRequest(), settings=settings))
    assert (rows, message) == (RANKS + 2, f"stocks: 2 choices since {before['start_date'].iloc[0]}")
    with connect(settings.db) as reader:
        after = latest_walk_forward(reader, "stocks", ESTIMATOR)
        assert len(reader.rows("SELECT DISTINCT as_of FROM frontier_walk_forward")) == 1
    assert after["n_sessions"].iloc[0] == before["n_sessions"].iloc[0] + 1
    # Without factor files there is no rate, and so no Sharpe ratio, promised or earned.
    assert after[["promised_sharpe_ratio", "sharpe_ratio"]].isna().all(axis=None)
    assert after["realised_return"].notna().all()


def test_a_short_history_stores_nothing_and_says_so(settings: Any, tmp_path: Path) -> None:
    result = update(UpdateRequest(source="csv", path=folder_of(tmp_path, sessions=WINDOW + 1)), settings=settings)
    rows, message = message_of(result)
    assert rows == 0
    assert message == f"stocks: no record, it takes members with more than {WINDOW + DELAY} sessions without a gap"
    with connect(settings.db) as reader:
        assert latest_walk_forward(reader, "stocks", ESTIMATOR).empty
        assert not walk_forward_universes(reader)


def test_members_count_from_the_day_they_join_to_the_day_they_leave(spoilt: Any) -> None:
    path, connection = spoilt
    dates = history_of(path).dates
    joined, left = str(dates[100]), str(dates[300])
    spells = [
        ("made", "SIM001", "1990-01-01", None),
        ("made", "SIM002", joined, left),
        ("made", "GONE", "1990-01-01", left),
    ]
    connection.executemany(
        "INSERT INTO universe_members (universe, ticker, start_date, end_date) VALUES (?, ?, ?, ?)", spells
    )
    connection.execute("UPDATE instruments SET active = 0 WHERE ticker = 'SIM002'")
    connection.commit()
    found = history_of(path, "made")
    assert found.tickers == ("SIM001", "SIM002")  # who left is among them; without prices there is nothing to hold
    assert found.eligible[:, 0].all()
    expected = (found.dates >= np.datetime64(joined)) & (found.dates < np.datetime64(left))
    np.testing.assert_array_equal(found.eligible[:, 1], expected)


def test_a_gap_is_unknown_and_the_return_after_it_counts_from_the_last_price(spoilt: Any) -> None:
    path, connection = spoilt
    whole = history_of(path)
    day = str(whole.dates[500])
    connection.execute("DELETE FROM prices WHERE ticker = 'SIM003' AND date = ?", (day,))
    connection.commit()
    found, column = history_of(path), whole.tickers.index("SIM003")
    assert np.isnan(found.returns[500, column])
    two_days = np.prod(1 + whole.returns[500:502, column]) - 1
    assert found.returns[501, column] == pytest.approx(two_days, rel=PARITY)
    np.testing.assert_array_equal(np.delete(found.returns, column, axis=1), np.delete(whole.returns, column, axis=1))


def test_a_day_on_which_few_traded_is_no_gap_of_the_others(spoilt: Any) -> None:
    path, connection = spoilt
    whole = history_of(path)
    saturday = "2018-03-10"
    assert np.datetime64(saturday) not in whole.dates
    for day in (saturday, "2100-01-04"):  # and one ticker fresher than all others
        connection.execute(
            "INSERT INTO prices (ticker, date, close, adj_close) SELECT ticker, ?, close, adj_close FROM prices "
            "WHERE ticker = 'SIM001' AND date = ?", (day, str(whole.dates[-1])),
        )  # fmt: skip
    connection.commit()
    found = history_of(path)
    np.testing.assert_array_equal(found.dates, whole.dates)
    np.testing.assert_allclose(found.returns, whole.returns, rtol=EXACT, atol=EXACT)


def test_a_large_universe_waits_until_it_is_asked_for(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "MOST_TICKERS", 1)
    result = update(UpdateRequest(source="csv", path=folder_of(tmp_path, sessions=WINDOW + 200)), settings=settings)
    rows, message = message_of(result)
    assert rows == 0
    assert "stocks: more than 1 tickers" in message
