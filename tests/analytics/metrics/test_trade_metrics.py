"""Trades, costs and exposure: worked out by hand, and against the records of vectorbt's portfolio."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from performances import of_returns, trades
from tolerances import EXACT, PARITY

from analytics.metrics import METRICS, Performance, Trades, compute_metrics

SIX = Trades(
    pnl=np.array([300.0, 100.0, -100.0, 0.0, 200.0, -50.0]),
    return_pct=np.array([0.30, 0.05, -0.10, 0.0, 0.08, -0.01]),
    fees=np.full(6, 2.0),
    slippage=np.full(6, 5.0),
    days=np.array([10.0, 20.0, 4.0, 1.0, 30.0, 7.0]),
    spread=np.full(6, 1.0),
    impact=np.full(6, 0.5),
    borrow=np.array([0.0, 0.0, 3.0, 0.0, 6.0, 0.0]),
    direction=np.array([1, 1, -1, 1, -1, 1]),
)
BY_HAND = {
    "n_trades": 6,
    "annual_trades": 252 * 6 / 4,
    "win_rate": 3 / 6,
    "profit_factor": 600 / 150,
    "payoff_ratio": 200 / 75,
    "expectancy": 75,
    # mean 75, squared distances 225², 25², 175², 75², 125², 125²: their sum over 5 is 23,750
    "system_quality_number": math.sqrt(6) * 75 / math.sqrt(23_750),
    "average_trade_return": 0.32 / 6,
    "average_winning_trade": 0.43 / 3,
    "average_losing_trade": -0.11 / 2,
    "best_trade": 0.30,
    "worst_trade": -0.10,
    "max_consecutive_winning_trades": 2,
    "max_consecutive_losing_trades": 1,
    "average_holding_days": 12,
    "average_winning_holding_days": 20,
    "average_losing_holding_days": 5.5,
    "long_share": 4 / 6,
    "long_win_rate": 2 / 4,
    "short_win_rate": 1 / 2,
    "total_fees": 12,
    "total_slippage": 30,
    "total_spread": 6,
    "total_impact": 3,
    "total_borrow": 9,
    "total_costs": 51,
    "total_interest": 8,
    "cost_drag": 51 / 1_000 * 252 / 4,  # four sessions, the account is worth 1,000 on average
    "cost_share": 51 / (450 + 51),
    "exposure_share": 3 / 4,
    "average_gross_exposure": 0.5,
    "average_net_exposure": 0.1,
    "annual_turnover": 252 * 0.5 / 2,
}


def account(of: Trades | None = SIX) -> Performance:
    return of_returns(
        [0.01, -0.02, 0.0, 0.03],
        trades=of,
        gross_exposure=np.array([0.0, 0.5, 1.0, 0.5]),
        net_exposure=np.array([0.0, -0.5, 1.0, -0.1]),
        turnover=np.array([0.0, 0.5, 0.5, 1.0]),
        equity=np.array([1_010.0, 990.0, 990.0, 1_010.0]),
        interest=np.array([2.0, 2.0, np.nan, 4.0]),
    )


@pytest.mark.parametrize("key", sorted(BY_HAND))
def test_six_trades_by_hand(key):
    assert METRICS[key].func(account()) == pytest.approx(BY_HAND[key], rel=EXACT)


def test_every_metric_of_trades_and_costs_is_worked_out():
    assert {key for key, metric in METRICS.items() if metric.level in ("trade", "cost")} <= set(BY_HAND)


@pytest.mark.parametrize("pnl", [[10.0, 20.0], [-10.0, -20.0]], ids=["only gains", "only losses"])
def test_without_a_gain_or_a_loss_there_is_no_payoff(pnl):
    metrics = compute_metrics(of_returns([0.1], trades=trades(pnl)))
    assert math.isnan(metrics["payoff_ratio"])
    assert math.isnan(metrics["profit_factor"]) == (pnl[0] > 0)


def test_what_was_lost_before_costs_has_no_share_of_costs():
    lost = Trades(**{**vars(SIX), "pnl": SIX.pnl - 1_000.0})
    assert math.isnan(METRICS["cost_share"].func(account(lost)))
    assert METRICS["total_costs"].func(account(lost)) == 51.0


def test_costs_of_which_one_item_is_unknown_are_unknown():
    known = compute_metrics(account(trades([1.0, 2.0])))
    unknown = {"total_borrow", "total_spread", "total_impact", "total_costs", "cost_drag", "cost_share"}
    assert {key for key in known if METRICS[key].level == "cost" and math.isnan(known[key])} == unknown


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-100, 100).map(lambda pnl: round(pnl, 2)), min_size=3, max_size=30), st.integers(2, 9))
def test_money_scales_with_the_account_and_nothing_else_does(pnl, scale):
    small, large = (compute_metrics(of_returns([0.0], trades=trades(np.array(pnl) * k))) for k in (1, scale))
    for key in ("win_rate", "max_consecutive_winning_trades", "profit_factor", "payoff_ratio", "system_quality_number"):
        assert large[key] == pytest.approx(small[key], rel=1e-9, nan_ok=True), key
    assert large["expectancy"] == pytest.approx(scale * small["expectancy"], rel=1e-9, abs=1e-9)
    assert small["max_consecutive_winning_trades"] + small["max_consecutive_losing_trades"] <= len(pnl)


def test_trades_of_a_vectorbt_portfolio():
    import vectorbt as vbt

    rng = np.random.default_rng(3)
    close = pd.Series(100 * np.cumprod(1 + 0.02 * rng.standard_normal(400)), pd.date_range("2020-01-01", periods=400))
    size = pd.Series(np.where(rng.random(400) < 0.1, rng.choice([10.0, 0.0, -10.0], 400), np.nan), close.index)
    size.iloc[-1] = 0.0  # a position that is open at the end has one more day there
    portfolio = vbt.Portfolio.from_orders(close, size, size_type="targetamount", fees=0.001, freq="1D", init_cash=1e5)
    peer, of = portfolio.positions.records, portfolio.positions
    mine = Trades(
        pnl=peer["pnl"].to_numpy(),
        return_pct=peer["return"].to_numpy(),
        fees=(peer["entry_fees"] + peer["exit_fees"]).to_numpy(),
        slippage=np.zeros(len(peer)),
        days=(peer["exit_idx"] - peer["entry_idx"]).to_numpy(dtype=float),
        direction=np.where(peer["direction"] == 0, 1, -1),
    )
    assert len(peer) > 10
    metrics = compute_metrics(of_returns(np.zeros(400), trades=mine))
    expected = {
        "n_trades": of.count(), "win_rate": of.win_rate(), "profit_factor": of.profit_factor(),
        "expectancy": of.expectancy(), "system_quality_number": of.sqn(), "best_trade": of.returns.values.max(),
        "worst_trade": of.returns.values.min(), "average_winning_trade": of.winning.returns.values.mean(),
        "average_losing_trade": of.losing.returns.values.mean(), "total_fees": portfolio.orders.fees.values.sum(),
        "average_winning_holding_days": of.winning.duration.values.mean(), "long_win_rate": of.long.win_rate(),
        "average_losing_holding_days": of.losing.duration.values.mean(), "short_win_rate": of.short.win_rate(),
        "long_share": of.long.count() / of.count(),
    }  # fmt: skip
    for key, value in expected.items():
        assert metrics[key] == pytest.approx(float(value), rel=PARITY), key
