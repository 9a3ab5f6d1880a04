"""The simulated market: deterministic, internally consistent, and its betas are found again."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import PARITY

from config import load_settings
from pipeline import quality
from pipeline.sources import SOURCES, FetchRequest, SourceData, no_report
from pipeline.sources.simulated import FACTORS, truth


def simulate(
    tickers: int = 6, years: int = 10, seed: int = 7, asked: tuple | None = None, start: str | None = None
) -> SourceData:
    chosen = load_settings({}, simulated_tickers=tickers, simulated_years=years, simulated_seed=seed)
    return SOURCES["simulated"].fetch(FetchRequest(settings=chosen, tickers=asked, start=start), no_report)


@pytest.fixture(scope="module")
def data() -> SourceData:
    return simulate()


def adjusted(data: SourceData) -> pd.DataFrame:
    return data.prices.pivot_table(index="date", columns="ticker", values="adj_close")


def digest(data: SourceData) -> str:
    frames = (data.prices, data.factors, data.actions, data.rates, data.instruments)
    return hashlib.sha256(b"".join(frame.to_csv().encode() for frame in frames)).hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(data: SourceData) -> None:
    assert digest(data) == digest(simulate())
    assert digest(data) != digest(simulate(seed=8))


def test_a_stock_does_not_depend_on_how_many_there_are(data: SourceData) -> None:
    more = simulate(tickers=9).prices
    for ticker in ("SIM001", "SIM005", "^SIM"):
        pd.testing.assert_frame_equal(
            data.prices[data.prices["ticker"] == ticker].reset_index(drop=True),
            more[more["ticker"] == ticker].reset_index(drop=True),
        )


def test_calendar_and_late_listing(data: SourceData) -> None:
    first = data.prices.groupby("ticker")["date"].min()
    assert first["SIM001"] == "2015-01-01"
    assert first["SIM006"] > "2018-12-31"
    assert data.prices["date"].max() == "2024-12-31"
    assert len(data.prices) == 6 * 2609 + 1566
    assert pd.to_datetime(data.prices["date"]).dt.day_of_week.max() == 4


def test_betas_and_alphas_are_found_again_by_least_squares(data: SourceData) -> None:
    daily = data.factors[data.factors["frequency"] == "D"].set_index("date")
    returns, known = adjusted(data).pct_change(fill_method=None), truth(6, 7)
    for number, ticker in enumerate(known.tickers):
        own = returns[ticker].dropna()
        design = np.column_stack([np.ones(len(own)), daily.loc[own.index, list(FACTORS)]])
        target = own - daily.loc[own.index, "rf"]
        found, residual, *_ = np.linalg.lstsq(design, target, rcond=None)
        error = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * residual / (len(own) - 7))
        expected = np.append(known.alpha[number] / 252, known.betas[number])
        assert (np.abs(found - expected) < 4 * error).all(), ticker


def test_the_index_is_the_market_factor_exactly(data: SourceData) -> None:
    daily = data.factors[data.factors["frequency"] == "D"].set_index("date")
    index = adjusted(data)["^SIM"].pct_change().dropna()
    np.testing.assert_allclose(index, (daily["mkt_rf"] + daily["rf"]).loc[index.index], rtol=0, atol=PARITY)


def test_monthly_factors_compound_the_daily_ones(data: SourceData) -> None:
    factors = data.factors
    march = factors[(factors["frequency"] == "D") & factors["date"].str.startswith("2020-03")]
    month = factors[(factors["frequency"] == "M") & (factors["date"] == "2020-03-31")].iloc[0]
    assert month["hml"] == pytest.approx((1 + march["hml"]).prod() - 1, abs=PARITY)
    market, rate = (1 + march["mkt_rf"] + march["rf"]).prod() - 1, (1 + march["rf"]).prod() - 1
    assert month["mkt_rf"] == pytest.approx(market - rate, abs=PARITY)
    assert (factors["frequency"] == "M").sum() == 120


def test_dividends_explain_the_adjusted_close(data: SourceData) -> None:
    prices = data.prices[data.prices["ticker"] == "SIM001"].set_index("date")
    paid = data.actions[(data.actions["ticker"] == "SIM001") & (data.actions["kind"] == "dividend")]
    assert len(paid) == 40
    factor = prices["adj_close"] / prices["close"]
    implied = prices["close"].shift() * (1 - factor.shift() / factor)
    np.testing.assert_allclose(implied[paid["date"]], paid["value"], rtol=0, atol=PARITY)
    assert factor.iloc[-1] == 1.0
    assert data.actions[data.actions["ticker"] == "SIM004"].empty


def test_one_split_that_prices_do_not_show(data: SourceData) -> None:
    splits = data.actions[data.actions["kind"] == "split"]
    assert splits[["ticker", "value"]].to_numpy().tolist() == [["SIM002", 4.0]]
    assert quality.find_jumps(data.prices).empty


def test_selection_keeps_only_what_was_asked() -> None:
    chosen = simulate(start="2024-01-01", asked=("SIM001", "SIM002"))
    assert chosen.prices["date"].min() == "2024-01-01"
    assert sorted(chosen.actions["ticker"].unique()) == ["SIM001", "SIM002"]
    assert SOURCES["simulated"].badge == "SIMULATED"


@pytest.mark.parametrize("wrong", [{"tickers": 0}, {"years": 0}, {"seed": -1}])
def test_an_impossible_market_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="allowed is"):
        simulate(**wrong)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_gate_accepts_every_simulated_row(tickers: int, years: int, seed: int) -> None:
    data = simulate(tickers, years, seed)
    clean, rejects = quality.check_prices(data.prices)
    assert rejects.empty
    assert set(clean["ticker"]) == set(data.instruments["ticker"])
    assert len(truth(tickers, seed).tickers) == tickers
