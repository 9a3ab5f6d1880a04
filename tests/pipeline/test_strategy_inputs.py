"""The fundamental side of a strategy's inputs: what the store's fits said, from the date on which they said it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.backtest.inputs import FactorView
from analytics.conventions import FACTOR_WINDOW
from analytics.factor_models import fundamental_outlook
from pipeline.queries import connect, factors, instruments
from pipeline.queries.strategy_inputs import MODEL, factor_view

END = "2030-01-01"


@pytest.fixture(scope="module")
def view(simulated: Any) -> tuple[FactorView, list[str]]:
    with connect(simulated.db) as reader:
        tickers = instruments.stock_tickers(reader)[1:5][::-1]  # any order is kept
        found = factor_view(reader, tickers, end=END)
    assert found is not None
    return found, tickers


def histories(db: Any, tickers: list[str]) -> dict[str, pd.DataFrame]:
    with connect(db) as reader:
        return {ticker: factors.fit_history(reader, ticker, MODEL, FACTOR_WINDOW) for ticker in tickers}


def test_the_fits_are_the_stored_ones_from_their_as_of(simulated: Any, view: tuple[FactorView, list[str]]) -> None:
    found, tickers = view
    stored = histories(simulated.db, tickers)
    assert (np.diff(found.as_of).astype(int) > 0).all()
    assert len(found.as_of) > 24
    for column, ticker in enumerate(tickers):
        own = stored[ticker].set_index(stored[ticker]["as_of"].astype("datetime64[s]"))
        for name in ("alpha", "expected_return"):
            expected = own[name].reindex(pd.DatetimeIndex(found.as_of)).to_numpy(dtype=float)
            np.testing.assert_array_equal(found.values[name][:, column], expected)
        assert (own["sample_end"].to_numpy() < own["as_of"].to_numpy()).all()


def test_the_loadings_are_the_stored_ones(simulated: Any, view: tuple[FactorView, list[str]]) -> None:
    found, tickers = view
    with connect(simulated.db) as reader:
        stored = factors.loading_history(reader, tickers[0], MODEL, FACTOR_WINDOW)
    for factor, name in (("mkt_rf", "beta"), ("smb", "smb"), ("hml", "hml")):
        own = stored[stored["factor"] == factor]
        rows = np.searchsorted(found.as_of, own["as_of"].to_numpy().astype("datetime64[D]"))
        np.testing.assert_array_equal(found.values[name][rows, 0], own["beta"])
        assert len(own) > 24


def test_the_median_is_over_all_stocks_and_the_outlook_is_the_rule(
    simulated: Any, view: tuple[FactorView, list[str]]
) -> None:
    found, tickers = view
    with connect(simulated.db) as reader:
        everyone = instruments.stock_tickers(reader)
    assert len(everyone) > len(tickers)
    frame = pd.concat(histories(simulated.db, everyone).values())
    medians = frame.groupby("as_of")["expected_return"].median()
    np.testing.assert_allclose(
        found.universe_median, medians.reindex(np.datetime_as_string(found.as_of)).to_numpy(), rtol=1e-15
    )
    seen = set()
    for row in range(len(found.as_of)):
        for column in range(len(tickers)):
            alpha, expected = (float(found.values[name][row, column]) for name in ("alpha", "expected_return"))
            outlook = fundamental_outlook(alpha, expected, float(found.universe_median[row]))
            shown = found.values["outlook"][row, column]
            assert np.isnan(shown) if outlook is None else shown == outlook
            seen.add(outlook)
    assert {-1, 1} <= seen


def test_a_month_of_factors_is_known_when_the_fits_that_end_with_it_are(
    simulated: Any, view: tuple[FactorView, list[str]]
) -> None:
    found, tickers = view
    with connect(simulated.db) as reader:
        months = factors.factor_returns(reader, "M")
    fits = histories(simulated.db, tickers)[tickers[0]]
    for end, as_of in zip(fits["sample_end"], fits["as_of"], strict=True):
        month = months.index.get_loc(pd.Timestamp(end))
        assert found.factor_known[month] == np.datetime64(as_of)
        assert found.factor_returns["hml"][month] == months["hml"].iloc[month]
    assert "rf" not in found.factor_returns


def test_nothing_after_the_end_is_read(simulated: Any, view: tuple[FactorView, list[str]]) -> None:
    whole, tickers = view
    end = whole.as_of[10]
    with connect(simulated.db) as reader:
        found = factor_view(reader, tickers, end=str(end))
    assert found is not None
    expected = whole.before(end + 1)
    np.testing.assert_array_equal(found.as_of, expected.as_of)
    assert found.as_of[-1] == end
    np.testing.assert_array_equal(found.factor_known, expected.factor_known)
    for name, values in expected.values.items():
        np.testing.assert_array_equal(found.values[name], values)
    np.testing.assert_array_equal(found.universe_median, expected.universe_median)


def test_without_fits_there_is_no_view(simulated: Any) -> None:
    with connect(simulated.db) as reader:
        assert factor_view(reader, ["NOBODY"], end=END) is None
        assert factor_view(reader, instruments.stock_tickers(reader), end="1990-01-01") is None


def test_a_fund_has_fits_and_no_outlook_and_does_not_move_the_median(simulated: Any, tmp_path: Path) -> None:
    with connect(simulated.db) as reader:
        fund, *stocks = instruments.stock_tickers(reader)
    copy = tmp_path / "data.db"
    with closing(sqlite3.connect(simulated.db)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("UPDATE instruments SET kind = 'etf' WHERE ticker = ?", (fund,))
        target.commit()
    with connect(copy) as reader:
        mixed, alone = (factor_view(reader, tickers, end=END) for tickers in ([fund, *stocks], stocks))
    assert mixed is not None
    assert alone is not None
    assert np.isfinite(mixed.values["alpha"][:, 0]).any()
    assert np.isnan(mixed.values["outlook"][:, 0]).all()
    np.testing.assert_array_equal(mixed.universe_median, alone.universe_median)
    np.testing.assert_array_equal(mixed.values["outlook"][:, 1:], alone.values["outlook"])
