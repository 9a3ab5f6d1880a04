"""Whole backtests: closed forms, bounds, messages, and the same bytes for the same question."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import constant_risk_free, flat_market, no_risk_free, random_bars, random_market
from tolerances import EXACT, PARITY

from analytics.backtest import BacktestResult, BacktestSpec, Costs, run_backtest
from analytics.backtest.strategies import STRATEGIES
from analytics.errors import InputError, MissingDataError
from analytics.market import Panel
from analytics.metrics import METRICS

FREE = Costs(0.0, 0.0)
VOTES = STRATEGIES["technical_vote"].parameters[1].choices
EAGER = BacktestSpec(parameters={"threshold": 1, "votes": VOTES})


def run(panel: Panel, spec: BacktestSpec = EAGER, **changes) -> BacktestResult:
    return run_backtest(panel, replace(spec, **changes), risk_free=constant_risk_free(panel))


def assert_same_bytes(one: BacktestResult, other: BacktestResult) -> None:
    for name in ("dates", "equity", "benchmark", "drawdown", "gross_exposure", "net_exposure"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    assert one.trades.to_csv() == other.trades.to_csv()
    assert one.orders.to_csv() == other.orders.to_csv()
    assert repr(one.metrics) == repr(other.metrics)
    assert one.audit == other.audit


def test_buying_and_holding_one_ticker_free_of_costs_earns_its_total_return():
    bars = random_bars("A", n=300)
    panel = Panel.of([bars])
    result = run(panel, BacktestSpec(strategy="buy_and_hold", costs=FREE, start=str(bars.dates[40])))
    bought_at = bars.open[40] * bars.adj_close[40] / bars.close[40]  # decided the evening before
    np.testing.assert_allclose(result.equity, 100_000.0 * bars.adj_close[40:] / bought_at, rtol=PARITY)
    assert result.metrics["total_return"] == pytest.approx(bars.adj_close[-1] / bought_at - 1.0, rel=PARITY)
    assert result.trades["reason"].tolist() == ["end of test"]


def test_it_is_its_own_benchmark():
    result = run(random_market(), BacktestSpec(strategy="buy_and_hold"))
    np.testing.assert_array_equal(result.equity, result.benchmark)
    assert result.metrics["beta"] == pytest.approx(1.0, rel=PARITY)
    assert result.metrics["benchmark_total_return"] == result.metrics["total_return"]


def test_without_a_decision_the_account_stays_in_cash(monkeypatch):
    silent = replace(
        STRATEGIES["buy_and_hold"],
        key="silent",
        decide=lambda panel, first_rows: np.full(panel.close.shape, np.nan),
    )
    monkeypatch.setattr("analytics.backtest.simulate.STRATEGIES", {**STRATEGIES, "silent": silent})
    monkeypatch.setattr("analytics.backtest.spec.STRATEGIES", {**STRATEGIES, "silent": silent})
    result = run(random_market(n=80), BacktestSpec(strategy="silent", initial_capital=5_000.0))
    assert set(result.equity) == {5_000.0}
    assert set(result.gross_exposure) == set(result.drawdown) == {0.0}
    assert len(result.trades) == len(result.orders) == 0
    assert result.metrics["total_return"] == result.metrics["n_trades"] == 0.0
    assert math.isnan(result.metrics["win_rate"])
    assert result.benchmark[-1] != 5_000.0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 500), st.sampled_from(["technical_vote", "buy_and_hold"]))
def test_bounds_and_identities_hold_on_any_market(seed, strategy):
    panel = random_market(n=160, seed=seed)
    spec = EAGER if strategy == "technical_vote" else BacktestSpec(strategy=strategy)
    result = run(panel, spec)
    assert len(result.dates) == len(result.equity) == len(panel.dates)
    assert ((result.gross_exposure >= 0) & (result.gross_exposure <= 1 + PARITY)).all()  # no leverage
    np.testing.assert_array_equal(result.gross_exposure, result.net_exposure)  # no short positions
    assert (result.equity > 0).all()
    assert (result.drawdown <= 0).all()
    assert result.metrics["max_drawdown"] == pytest.approx(result.drawdown.min(), rel=PARITY, abs=PARITY)
    assert result.trades["pnl"].sum() == pytest.approx(result.equity[-1] - 100_000, rel=PARITY, abs=1e-4)
    assert result.metrics["total_return"] == pytest.approx(result.equity[-1] / 100_000 - 1, rel=PARITY, abs=PARITY)
    assert set(result.metrics) == set(METRICS)
    assert result.metrics["n_trades"] == len(result.trades)


@pytest.mark.parametrize("rate", ["fee_rate", "slippage_rate"])
def test_dearer_trading_never_pays(rate):
    panel = Panel.of([random_bars("A", n=400, seed=3)])
    ends = [
        run(panel, costs=Costs(**{"fee_rate": 0, "slippage_rate": 0, rate: x})).equity[-1]
        for x in (0, 1e-4, 1e-3, 1e-2)
    ]
    assert sorted(ends, reverse=True) == ends
    assert ends[0] > ends[-1] + 100


def test_capital_scales_money_and_leaves_returns():
    panel = random_market()
    small, large = run(panel, initial_capital=1_000.0), run(panel, initial_capital=1e9)
    np.testing.assert_allclose(large.equity, 1e6 * small.equity, rtol=PARITY)
    money = {"total_fees", "total_slippage"}
    for key in set(METRICS) - money:
        assert large.metrics[key] == pytest.approx(small.metrics[key], rel=1e-7, nan_ok=True), key


def test_the_order_of_the_tickers_does_not_change_a_byte():
    panel = random_market(seed=2)
    bars = [panel.bars(ticker) for ticker in panel.tickers]
    assert_same_bytes(run(Panel.of(bars)), run(Panel.of(bars[::-1])))


def test_two_runs_give_the_same_bytes():
    assert_same_bytes(run(random_market(seed=4)), run(random_market(seed=4)))


def test_prices_after_the_end_and_outside_the_window_change_nothing():
    panel = random_market(n=300)
    whole = run(panel, start=str(panel.dates[100]), end=str(panel.dates[199]))
    cut = Panel.of([panel.bars(ticker).rows(panel.bars(ticker).dates <= panel.dates[199]) for ticker in panel.tickers])
    assert_same_bytes(whole, run(cut, start=str(panel.dates[100])))
    assert (whole.dates[0], whole.dates[-1]) == (panel.dates[100], panel.dates[199])


def test_start_and_end_are_clipped_to_the_data():
    panel = random_market(n=120)
    assert_same_bytes(run(panel), run(panel, start="1999-01-01", end="2099-01-01"))


def test_a_signal_of_the_last_close_before_the_start_is_acted_on_at_the_first_open():
    panel = Panel.of([random_bars("A", n=400, seed=8)])
    whole = run(panel)
    first_buy = whole.orders.iloc[0]
    late = run(panel, start=first_buy["date"])
    assert late.orders.iloc[0].to_dict() == first_buy.to_dict()
    assert late.orders.iloc[0]["decided"] < str(late.dates[0]) == late.orders.iloc[0]["date"]
    assert late.trades.iloc[0]["entry_date"] == str(late.dates[0])


def test_the_audit_says_how_the_answer_was_made():
    panel = random_market(seed=1)
    rates = constant_risk_free(panel)
    origin = np.where(np.arange(len(panel.dates)) < 150, "daily", "carried")
    values = np.where(np.arange(len(panel.dates)) < 110, np.nan, rates.values)
    spec = replace(EAGER, start=str(panel.dates[100]))
    audit = run_backtest(panel, spec, risk_free=replace(rates, values=values, origin=origin)).audit
    assert audit["engine"].startswith("vectorbt-rust ")
    assert audit["sessions"] + audit["history_sessions"] == len(panel.dates)
    assert audit["history_sessions"] == 100
    assert audit["filled_at_close"] == ["T3"]  # the ticker without opens now and then
    assert audit["price_dates"]["T1"] == [str(panel.bars("T1").dates[0]), str(panel.dates[-1])]
    assert (audit["risk_free_carried_sessions"], audit["risk_free_unknown_sessions"]) == (250, 10)
    assert audit["orders"] > 10
    assert json.loads(json.dumps(audit)) == audit  # plain values only


def test_a_ticker_without_a_bar_is_left_out_of_the_trades_but_keeps_its_share():
    panel = random_market(n=100)
    early = Panel.of([random_bars("Z", n=100, first=99), random_bars("A", n=100)])
    result = run(early, BacktestSpec(strategy="buy_and_hold", costs=FREE, end=str(panel.dates[50])))
    assert result.trades["ticker"].tolist() == ["A"]
    assert result.audit["price_dates"]["Z"] == [None, None]
    assert result.gross_exposure[1] == pytest.approx(0.5, abs=0.05)


def test_progress_is_told_in_rising_steps():
    told = []
    panel = random_market(n=60)
    run_backtest(panel, EAGER, risk_free=no_risk_free(panel), report=lambda *step: told.append(step))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert all(0 < fraction < 1 for fraction in fractions)
    assert "4 tickers" in told[0][1]


def test_an_unknown_risk_free_rate_leaves_the_sharpe_ratio_unknown():
    panel = random_market(n=120)
    metrics = run_backtest(panel, EAGER, risk_free=no_risk_free(panel)).metrics
    assert math.isnan(metrics["sharpe_ratio"])
    assert math.isfinite(metrics["annual_volatility"])


@pytest.mark.parametrize(
    "window", [{"start": "2030-01-01"}, {"end": "1999-12-31"}, {"start": "2015-01-03", "end": "2015-01-04"}]
)
def test_a_window_without_a_bar_says_where_there_are_prices(window):
    panel = random_market(n=60)
    with pytest.raises(MissingDataError, match=f"No prices of T0, T1.*prices from 2015-01-01 to {panel.dates[-1]}"):
        run(panel, **window)


def test_a_price_that_is_not_above_0_is_refused():
    with pytest.raises(InputError, match=r"open: got -1\.0; allowed: prices above 0"):
        run(flat_market({"A": [1, 2, 3]}, opens={"A": [1, -1, 3]}), BacktestSpec(strategy="buy_and_hold"))


def test_a_risk_free_rate_of_another_length_is_refused():
    panel = random_market(n=60)
    with pytest.raises(InputError, match="risk_free: got 50; allowed: one value per date, 60"):
        run_backtest(panel, EAGER, risk_free=no_risk_free(random_market(n=50)))


def test_the_equity_frame_has_the_columns_of_the_store():
    panel = random_market(n=60)
    frame = run(panel).equity_frame()
    assert list(frame.columns) == [
        "date",
        "equity",
        "benchmark",
        "drawdown",
        "gross_exposure",
        "net_exposure",
    ]
    assert frame["date"].tolist() == [str(date) for date in panel.dates]
    assert frame["equity"].iloc[0] == pytest.approx(100_000.0, rel=EXACT)
