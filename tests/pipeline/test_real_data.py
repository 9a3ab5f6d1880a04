"""The main job on real market data, checked against the files and against other libraries."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib
from tolerances import PARITY, SOLVER

from analytics.signals import technical_signals
from pipeline import backtests
from pipeline.queries import connect, factors, frontier, prices, runs, signals

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not os.environ.get("PLUMBLINE_TEST_DATA"), reason="PLUMBLINE_TEST_DATA names no folder"),
]


@pytest.fixture(scope="module")
def table(real: Any) -> Any:
    """Ask the published file directly, as somebody outside the project would."""
    with closing(sqlite3.connect(f"{Path(real.db).as_uri()}?mode=ro", uri=True)) as connection:
        yield lambda sql, *parameters: connection.execute(sql, parameters).fetchall()


def test_everything_is_stored_and_yields_are_no_prices(table: Any) -> None:
    kinds = dict(
        table("SELECT kind, count(*) FROM instruments WHERE ticker IN (SELECT ticker FROM prices) GROUP BY kind")
    )
    assert kinds == {"stock": 30, "etf": 22, "index": 3}
    assert table("SELECT series, count(*) FROM rates GROUP BY series ORDER BY series") == [
        ("^IRX", 3567),
        ("^TNX", 3567),
    ]
    assert table("SELECT count(*) FROM prices WHERE ticker IN ('^IRX', '^TNX')") == [(0,)]
    assert table("SELECT close FROM prices WHERE ticker = 'AAPL' AND date = '2010-01-04'") == [(7.643214,)]
    assert table("SELECT min(value) FROM rates WHERE series = '^IRX'")[0][0] <= 0  # March 2020
    assert table("SELECT count(*) FROM rejects") == [(0,)]


def test_rows_equal_the_files(table: Any, shared_data: Path) -> None:
    for kind, ticker in (("prices", "MSFT"), ("etf", "XLC"), ("index", "^VIX")):
        file = pd.read_csv(shared_data / kind / f"{ticker}.csv.gz")
        stored = table(
            "SELECT date, open, high, low, close, adj_close, volume FROM prices WHERE ticker = ? ORDER BY date", ticker
        )
        frame = pd.DataFrame(stored, columns=file.columns)
        assert frame["Date"].tolist() == file["Date"].tolist()
        np.testing.assert_allclose(frame.iloc[:, 1:].to_numpy(float), file.iloc[:, 1:].to_numpy(float), rtol=1e-6)


def test_stored_indicators_equal_talib_called_directly(real: Any) -> None:
    with connect(real.db) as reader:
        bars, stored = prices.bars(reader, "AMD"), signals.signal_history(reader, "AMD")
    close, high, low, volume = bars.close, bars.high, bars.low, bars.volume
    macd = talib.MACD(close)
    bands = talib.BBANDS(close, 20, 2, 2)
    stoch = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    expected = {
        "sma_20": talib.SMA(close, 20), "sma_50": talib.SMA(close, 50), "sma_200": talib.SMA(close, 200),
        "ema_12": talib.EMA(close, 12), "ema_26": talib.EMA(close, 26), "macd": macd[0], "macd_signal": macd[1],
        "macd_hist": macd[2], "rsi_14": talib.RSI(close, 14), "bb_upper": bands[0], "bb_middle": bands[1],
        "bb_lower": bands[2], "stoch_k": stoch[0], "stoch_d": stoch[1], "atr_14": talib.ATR(high, low, close, 14),
        "adx_14": talib.ADX(high, low, close, 14), "plus_di_14": talib.PLUS_DI(high, low, close, 14),
        "minus_di_14": talib.MINUS_DI(high, low, close, 14), "cci_20": talib.CCI(high, low, close, 20),
        "williams_r_14": talib.WILLR(high, low, close, 14), "mfi_14": talib.MFI(high, low, close, volume, 14),
        "obv": talib.OBV(close, volume), "roc_12": talib.ROC(close, 12),
    }  # fmt: skip
    for name, values in expected.items():
        np.testing.assert_allclose(stored[name].to_numpy(float), values, rtol=PARITY, atol=PARITY, err_msg=name)


def test_stored_signals_equal_a_count_of_the_stored_votes(table: Any) -> None:
    core = ["vote_sma", "vote_ema", "vote_macd", "vote_rsi", "vote_bollinger", "vote_stochastic", "vote_adx"]
    rows = np.array(
        table(f"SELECT {', '.join(core)}, buy_votes, sell_votes, overall_signal FROM technical_signals"), dtype=float
    )
    votes, (buys, sells, signal) = rows[:, :7], rows[:, 7:].T
    known = np.isfinite(votes).any(axis=1)
    np.testing.assert_array_equal(np.isfinite(signal), known)
    np.testing.assert_array_equal(buys[known], (votes[known] == 1).sum(axis=1))
    np.testing.assert_array_equal(sells[known], (votes[known] == -1).sum(axis=1))
    expected = np.where((buys >= 3) & (buys > sells), 1, np.where((sells >= 3) & (sells > buys), -1, 0))
    np.testing.assert_array_equal(signal[known], expected[known])
    assert set(np.unique(signal[known])) == {-1, 0, 1}


def test_stored_regressions_equal_statsmodels(real: Any) -> None:
    import statsmodels.api as sm

    with connect(real.db) as reader:
        closes = prices.adjusted_closes(reader, ["COST"])["COST"]
        factor = factors.factor_returns(reader, "M")
        fits = factors.latest_fits(reader, "COST").set_index(["frequency", "model", "window_months"]).sort_index()
        loadings = (
            factors.loadings(reader, "COST").set_index(["frequency", "model", "window_months", "factor"]).sort_index()
        )
    fit, loadings = fits.loc[("M", "ff3", 60)], loadings.loc[("M", "ff3", 60)]
    monthly = closes.resample("ME").last().pct_change()
    sample = factor.loc[fit["sample_start"] : fit["sample_end"]]
    excess = monthly.reindex(sample.index).to_numpy() - sample["rf"].to_numpy()
    design = sm.add_constant(sample[["mkt_rf", "smb", "hml"]].to_numpy())
    lags = int(np.floor(4 * (len(excess) / 100) ** (2 / 9)))
    ols = sm.OLS(excess, design)
    hac = ols.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True)
    assert fit["n_obs"] == len(excess) == 60
    names = ["mkt_rf", "smb", "hml"]
    np.testing.assert_allclose(loadings.loc[names, "beta"], hac.params[1:], rtol=PARITY)
    np.testing.assert_allclose(loadings.loc[names, "std_err"], hac.bse[1:], rtol=PARITY)
    np.testing.assert_allclose(loadings.loc[names, "std_err_ols"], ols.fit().bse[1:], rtol=PARITY)
    np.testing.assert_allclose(loadings.loc[names, "t_stat"], hac.tvalues[1:], rtol=PARITY)
    np.testing.assert_allclose(loadings.loc[names, "p_value"], hac.pvalues[1:], rtol=PARITY, atol=PARITY)
    np.testing.assert_allclose([fit["alpha"], fit["alpha_t"], fit["r_squared"]],
                               [12 * hac.params[0], hac.tvalues[0], hac.rsquared], rtol=PARITY)  # fmt: skip


def test_stored_frontier_equals_an_independent_solver(real: Any) -> None:
    import cvxpy as cp
    from sklearn.covariance import ledoit_wolf

    with connect(real.db) as reader:
        run = frontier.latest_frontier(reader)
        key = {name: run[name] for name in ("universe", "as_of", "estimator")}
        points, weights = frontier.frontier_points(reader, **key), frontier.frontier_weights(reader, **key)
        tickers = sorted(weights["ticker"].unique())
        closes = prices.adjusted_closes(reader, tickers).loc[: run["end_date"]].iloc[-run["n_obs"] - 1 :]
    returns = closes.pct_change().iloc[1:].to_numpy()
    mean, covariance = returns.mean(axis=0) * 252, ledoit_wolf(returns)[0] * 252
    stored = points[points["kind"] == "frontier"]
    assert len(stored) == 50
    weight, target = cp.Variable(len(tickers)), cp.Parameter()
    problem = cp.Problem(cp.Minimize(cp.quad_form(weight, cp.psd_wrap(covariance))),
                         [cp.sum(weight) == 1, weight >= 0, mean @ weight >= target])  # fmt: skip
    for row in stored.iloc[::7].itertuples():
        target.value = row.expected_return
        problem.solve(solver=cp.CLARABEL)
        assert row.volatility**2 == pytest.approx(problem.value, rel=SOLVER)
    held = weights[weights["point"] == stored["point"].iloc[25]].set_index("ticker")["weight"].loc[tickers]
    assert held.sum() == pytest.approx(1, abs=PARITY)
    assert held @ mean == pytest.approx(stored["expected_return"].iloc[25], rel=PARITY)


def test_the_signal_of_the_store_is_the_signal_of_a_backtest(real: Any, tmp_path: Path) -> None:
    with connect(real.db) as reader:
        bars, stored = prices.bars(reader, "NVDA"), signals.signal_history(reader, "NVDA")
    np.testing.assert_array_equal(technical_signals(bars)["overall_signal"], stored["overall_signal"].to_numpy(float))
    request = backtests.BacktestRequest.of(tickers=["NVDA"], start="2015-01-01")
    result_id = backtests.run(request, db=real.db, workspace=tmp_path / "w.db")
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        trades = connection.execute(
            "SELECT entry_date, exit_date, reason FROM backtesting_trades WHERE result_id = ?", (result_id,)
        ).fetchall()
    yesterday = dict(zip(stored["date"].iloc[1:], stored["overall_signal"].iloc[:-1], strict=True))
    assert len(trades) > 20
    assert all(yesterday[entry] == 1 for entry, _, _ in trades)
    assert all(yesterday[exit_] == -1 for _, exit_, reason in trades if reason == "signal")


def test_a_backtest_of_the_universe_shares_one_account(real: Any, tmp_path: Path) -> None:
    request = backtests.BacktestRequest.of(start="2012-01-01")
    result = backtests.load(
        backtests.run(request, db=real.db, workspace=tmp_path / "w.db"), workspace=tmp_path / "w.db"
    )
    assert len(result["tickers"]) == 30
    assert result["metrics"]["n_trades"] > 500
    assert -1 < result["max_drawdown"] < 0
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        gross = connection.execute("SELECT max(gross_exposure), min(gross_exposure) FROM backtesting_equity").fetchone()
    assert gross[0] <= 1 + PARITY
    assert gross[1] >= 0


def test_the_run_is_complete(real: Any) -> None:
    with connect(real.db) as reader:
        run = runs.published_run(reader)
    assert (run["status"], run["source"]) == ("complete", "csv")
