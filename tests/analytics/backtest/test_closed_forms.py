"""T30: whole backtests whose end is known in closed form."""

import math
from dataclasses import replace

import numpy as np
import pytest
from given_strategy import decide_as_given
from markets import flat_market, inputs_of, random_bars, random_market
from tolerances import PARITY

from analytics.backtest import BacktestResult, BacktestSpec, Costs, Rules, run_backtest
from analytics.backtest.terms import FREE
from analytics.market import Bars, Panel

NO_COSTS = Costs(**FREE)
NO_INTEREST = Rules(cash_interest=False)


def run(panel: Panel, spec: BacktestSpec, **changes) -> BacktestResult:
    return run_backtest(inputs_of(panel), replace(spec, **changes))


def test_t30_buying_and_holding_one_ticker_free_of_costs_earns_its_total_return():
    bars = random_bars("A", n=300)
    spec = BacktestSpec(strategy="buy_and_hold", costs=NO_COSTS, rules=NO_INTEREST, start=str(bars.dates[40]))
    result = run(Panel.of([bars]), spec)
    bought_at = bars.open[40] * bars.adj_close[40] / bars.close[40]  # decided the evening before
    np.testing.assert_allclose(result.equity, 100_000.0 * bars.adj_close[40:] / bought_at, rtol=PARITY)
    assert result.metrics["total_return"] == pytest.approx(bars.adj_close[-1] / bought_at - 1.0, rel=PARITY)
    assert result.trades["reason"].tolist() == ["end of test"]


def test_t30_the_total_return_is_the_price_and_its_dividends_reinvested_with_a_split_inside():
    raw = np.array([100.0, 102.0, 104.0, 51.5, 50.0, 50.5, 52.0, 53.0])  # two for one on day 3
    held = np.where(np.arange(8) < 3, 1.0, 2.0)  # raw shares of each one bought before the split
    paid = np.array([0, 0, 0, 0, 0, 0.5, 0, 0.25])  # per raw share, ex that day
    close = raw * held / 2.0  # split-adjusted
    factors = np.append(1.0 - paid[1:] / raw[:-1], 1.0)  # of the days before each dividend
    adjusted = close * np.cumprod(factors[::-1])[::-1]
    dates = np.datetime64("2024-01-01") + np.arange(8)
    panel = Panel.of([Bars("A", dates, close, close, close, close, adjusted, np.full(8, 1e9))])
    result = run(panel, BacktestSpec(strategy="buy_and_hold", costs=NO_COSTS, rules=NO_INTEREST))
    shares, wealth = 100_000.0 / raw[1], [100_000.0]  # what a holder has: shares, split, and more of them per dividend
    for day in range(1, 8):
        if day > 1:
            shares *= held[day] / held[day - 1]
            shares *= 1.0 / (1.0 - paid[day] / raw[day - 1])  # reinvested at the close before, less the dividend
        wealth.append(shares * raw[day])
    np.testing.assert_allclose(result.equity, wealth, rtol=PARITY)
    assert result.equity[-1] > 100_000.0 * 2 * raw[-1] / raw[1]  # the dividends count


def test_t30_an_account_all_in_cash_earns_the_risk_free_rate_or_nothing(monkeypatch):
    silent = decide_as_given(monkeypatch, np.full((80, 4), np.nan))
    panel = random_market(n=80)
    rates = np.where(np.arange(80) % 9 == 4, np.nan, np.linspace(-1e-4, 4e-4, 80))
    inputs = replace(inputs_of(panel), risk_free=rates)
    spec = BacktestSpec(strategy=silent, initial_capital=5_000.0)
    earning, idle = run_backtest(inputs, spec), run_backtest(inputs, replace(spec, rules=NO_INTEREST))
    np.testing.assert_allclose(earning.equity, 5_000.0 * np.cumprod(1.0 + np.nan_to_num(rates)), rtol=PARITY)
    assert earning.metrics["total_interest"] == pytest.approx(earning.equity[-1] - 5_000.0, rel=PARITY)
    assert set(idle.equity) == set(idle.cash) == {5_000.0}
    assert set(idle.gross_exposure) == set(idle.drawdown) == set(idle.turnover) == {0.0}
    assert len(idle.trades) == len(idle.orders) == 0
    assert idle.metrics["total_return"] == idle.metrics["n_trades"] == 0.0
    assert math.isnan(idle.metrics["win_rate"])
    assert idle.benchmark[-1] != 5_000.0


def test_t30_trading_free_of_costs_at_a_price_that_never_moves_leaves_the_capital(monkeypatch):
    rng = np.random.default_rng(0)
    panel = flat_market({"A": [50.0] * 60, "B": [20.0] * 60})
    weights = rng.choice([-0.5, -0.25, 0.0, 0.25, 0.5, np.nan], (60, 2))
    rules = Rules(direction="long_short", cash_interest=False, max_position=1.0)
    result = run(panel, BacktestSpec(strategy=decide_as_given(monkeypatch, weights), costs=NO_COSTS, rules=rules))
    np.testing.assert_allclose(result.equity, 100_000.0, rtol=PARITY)
    assert len(result.trades) > 20
    assert result.metrics["total_costs"] == 0.0


def test_t30_twice_the_fee_costs_twice_as_much(monkeypatch):
    panel = Panel.of([random_bars("A", n=80, seed=6)])
    weights = np.full((80, 1), np.nan)
    weights[[5, 60], 0] = [0.4, 0.0]
    spec = BacktestSpec(
        strategy=decide_as_given(monkeypatch, weights), rules=Rules(cash_interest=False, max_position=0.4)
    )
    free, one, two = (
        run(panel, spec, costs=replace(NO_COSTS, fee_rate=rate, fixed_fee=fixed))
        for rate, fixed in ((0.0, 0.0), (0.002, 3.0), (0.004, 6.0))
    )
    assert two.metrics["total_fees"] == pytest.approx(2 * one.metrics["total_fees"], rel=PARITY)
    lost, lost_twice = (free.equity - result.equity for result in (one, two))
    np.testing.assert_allclose(lost_twice, 2 * lost, rtol=PARITY, atol=PARITY * 100_000)
    assert one.metrics["total_fees"] == pytest.approx(lost[-1], rel=PARITY)


def test_buying_and_holding_is_its_own_benchmark():
    result = run(random_market(), BacktestSpec(strategy="buy_and_hold"))
    np.testing.assert_array_equal(result.equity, result.benchmark)
    assert result.metrics["beta"] == pytest.approx(1.0, rel=PARITY)
    assert result.metrics["benchmark_total_return"] == result.metrics["total_return"]
