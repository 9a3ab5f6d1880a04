"""Exposure scaling: a plain loop in pandas gives the same factors, and they are known at the close they are used at."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import changed_from, cut_at, flat_market, random_market
from tolerances import PARITY

from analytics.backtest.scaling import BAND, exposure_factors, is_active, scale_decisions
from analytics.backtest.strategies import first_decision_rows
from analytics.backtest.terms import Rules
from analytics.market import FIELDS, Panel

PANEL = random_market(n=420, n_tickers=4, seed=3)
FIRST_ROWS = first_decision_rows(PANEL, PANEL.dates[20])
RISK_FREE = np.full(len(PANEL.dates), 0.0001)
RULES = [
    Rules(target_volatility=0.12),
    Rules(max_value_at_risk=0.01),
    Rules(kelly_fraction=0.25),
    Rules(target_volatility=0.2, max_value_at_risk=0.015, kelly_fraction=0.5),
]


def random_decisions(seed: int = 0, panel: Panel = PANEL, share: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = panel.close.shape
    weights = rng.choice([-0.25, 0.0, 0.1, 0.25], shape)
    return np.where((rng.random(shape) < share) & panel.has_bar, weights, np.nan)


def random_weights(n: int, n_tickers: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights that change now and then, returns with unknown stretches, a risk-free rate with an unknown day."""
    rng = np.random.default_rng(seed)
    chosen = np.where(rng.random((n, n_tickers)) < 0.03, rng.uniform(-1, 1, (n, n_tickers)) / n_tickers, np.nan)
    weights = pd.DataFrame(chosen).ffill().fillna(0.0).to_numpy()
    returns = rng.normal(0.0005, 0.02, (n, n_tickers))
    returns[: n // 3, 0], returns[n // 2 : n // 2 + 40, 1] = np.nan, np.nan
    risk_free = np.full(n, 0.0001)
    risk_free[n // 2] = np.nan
    return weights, returns, risk_free


def slow_factor(weights: np.ndarray, returns: np.ndarray, risk_free: np.ndarray, rules: Rules) -> float:
    """The factor of one close from everything up to it, in pandas."""
    frame, size = pd.DataFrame(returns), np.abs(weights).sum()
    share = (frame.notna() * np.abs(weights)).sum(axis=1) / size if size else pd.Series(0.0, frame.index)
    history = ((frame * weights).sum(axis=1) / share.where(share >= 0.5)).tail(252)
    excess = history - weights.sum() * pd.Series(risk_free).fillna(0.0).loc[history.index]
    factors = [1.0]
    if rules.target_volatility and history.tail(63).count() >= 31.5:
        factors.append(rules.target_volatility / (history.tail(63).std() * 252**0.5))
    if rules.max_value_at_risk and history.count() >= 126 and history.quantile(0.05) < 0:
        factors.append(rules.max_value_at_risk / -history.quantile(0.05))
    if rules.kelly_fraction and excess.count() >= 126:
        factors.append(max(rules.kelly_fraction * excess.mean() / excess.var(), 0.0))
    return min(factors)


@pytest.mark.parametrize("rules", RULES)
def test_the_factors_are_those_of_a_plain_loop(rules):
    weights, returns, risk_free = random_weights(430, 4, seed=1)
    factors = exposure_factors(weights, returns, risk_free, rules)
    rows = range(0, 430, 7)
    expected = [slow_factor(weights[t], returns[: t + 1], risk_free[: t + 1], rules) for t in rows]
    assert factors[::7] == pytest.approx(expected, abs=PARITY)
    assert np.ptp(factors) > 0.2  # the rule binds on some days and not on others


def test_a_hand_computed_factor():
    """Returns of +1 % and −1 % in turn have a volatility of 1 % √(64/63) √252 over 64 − 1 sessions."""
    returns = np.where(np.arange(63) % 2, -0.01, 0.01)[:, None]
    factors = exposure_factors(np.full((63, 1), 0.5), returns, np.zeros(63), Rules(target_volatility=0.04))
    deviation = 0.5 * 0.01 * np.sqrt((63 - 1 / 63) / 62)
    assert factors[-1] == pytest.approx(0.04 / (deviation * np.sqrt(252)), rel=PARITY)
    assert (factors[:31] == 1.0).all()  # fewer than half of 63 sessions
    assert factors[31] < 1.0


@given(seed=st.integers(0, 10_000), rules=st.sampled_from(RULES))
@settings(max_examples=15, deadline=None)
def test_factors_lie_between_0_and_1_and_fall_with_risk(seed, rules):
    weights, returns, risk_free = random_weights(300, 3, seed)
    factors = exposure_factors(weights, returns, risk_free, rules)
    assert ((factors >= 0.0) & (factors <= 1.0)).all()
    assert (factors[~weights.any(axis=1)] == 1.0).all()
    if not rules.kelly_fraction:  # a wider spread around the same mean: volatility and tail alone
        assert (exposure_factors(weights, 2.0 * returns, risk_free, rules) <= factors + PARITY).all()
        assert exposure_factors(2.0 * weights, returns / 2.0, risk_free, rules) == pytest.approx(factors, abs=PARITY)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_kelly_holds_nothing_after_a_losing_year_and_all_after_a_sure_one(seed):
    rng = np.random.default_rng(seed)
    noise = rng.normal(0.0, 0.01, (300, 1))
    weights, free = np.ones((300, 1)), np.zeros(300)
    losing = exposure_factors(weights, noise - 0.01, free, Rules(kelly_fraction=1.0))
    sure = exposure_factors(weights, noise + 0.01, free, Rules(kelly_fraction=1.0))
    assert (losing[252:] == 0.0).all()
    assert (sure[252:] == 1.0).all()


def test_constant_returns_and_no_history_do_not_bind():
    rules = Rules(target_volatility=0.01, max_value_at_risk=0.001, kelly_fraction=0.1)
    weights, free = np.ones((300, 1)), np.zeros(300)
    assert (exposure_factors(weights, np.full((300, 1), 0.001), free, rules) == 1.0).all()
    assert (exposure_factors(weights, np.full((300, 1), np.nan), free, rules) == 1.0).all()


def test_nothing_is_changed_where_no_rule_is_active():
    decisions = random_decisions()
    assert not is_active(Rules())
    assert scale_decisions(decisions, PANEL, RISK_FREE, FIRST_ROWS, Rules()) is decisions


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("row", [60, 130, 257, 300, 400])
def test_no_scaled_decision_depends_on_a_later_session(rules, row):
    decisions = random_decisions()
    whole = scale_decisions(decisions, PANEL, RISK_FREE, FIRST_ROWS, rules)[:row]
    changed = np.concatenate([RISK_FREE[:row], np.full(len(RISK_FREE) - row, np.nan)])
    later = np.where(np.arange(len(decisions))[:, None] < row, decisions, 0.1)
    poisoned = changed_from(PANEL, row, 10.0)
    assert np.array_equal(scale_decisions(later, poisoned, changed, FIRST_ROWS, rules)[:row], whole, equal_nan=True)
    cut = scale_decisions(decisions[:row], cut_at(PANEL, row), RISK_FREE[:row], FIRST_ROWS, rules)
    assert np.array_equal(cut, whole, equal_nan=True)


@pytest.mark.parametrize("rules", RULES)
def test_decisions_are_the_targets_times_the_factor_in_force(rules):
    """The same bookkeeping, ticker by ticker in plain Python."""
    decisions = random_decisions(5)
    scaled = scale_decisions(decisions, PANEL, RISK_FREE, FIRST_ROWS, rules)
    own = np.where(np.arange(len(decisions))[:, None] >= FIRST_ROWS, decisions, np.nan)
    targets = pd.DataFrame(own).ffill().fillna(0.0).to_numpy()
    returns = pd.DataFrame(PANEL.adj_close).ffill().pct_change(fill_method=None).to_numpy()
    factors = exposure_factors(targets, returns, RISK_FREE, rules)
    in_force, applied, rescaled = 1.0, [1.0] * 4, 0
    for row in range(int(FIRST_ROWS.min()), len(decisions)):
        gap = abs(factors[row] - in_force)
        in_force = factors[row] if gap > max(BAND * in_force, BAND**2) else in_force
        for column in range(4):
            held = PANEL.has_bar[row, column] and targets[row, column] != 0.0 and applied[column] != in_force
            if held or np.isfinite(own[row, column]):
                assert scaled[row, column] == pytest.approx(targets[row, column] * in_force, abs=PARITY)
                applied[column] = in_force
                rescaled += not np.isfinite(own[row, column])
            else:
                assert np.isnan(scaled[row, column])
    assert rescaled > 0


def test_a_ticker_without_a_bar_is_rescaled_at_its_next():
    rng = np.random.default_rng(0)
    calm, wild = rng.normal(0, 0.001, 80), rng.normal(0, 0.05, 40)
    closes = 100.0 * np.exp(np.cumsum(np.concatenate([calm, wild])))
    panel = flat_market({"A": list(closes), "B": [np.nan if 80 <= i < 90 else 50.0 for i in range(120)]})
    decisions = np.full((120, 2), np.nan)
    decisions[0] = 0.5
    scaled = scale_decisions(decisions, panel, np.zeros(120), np.zeros(2, dtype=int), Rules(target_volatility=0.05))
    moved = np.flatnonzero(np.isfinite(scaled[:, 0]) & (np.arange(120) > 0))
    assert 80 <= moved[0] < 90
    assert np.isnan(scaled[80:90, 1]).all()
    assert scaled[90, 1] == scaled[moved[moved <= 90][-1], 0]


def test_decisions_before_the_first_row_are_void():
    decisions = np.full(PANEL.close.shape, np.nan)
    decisions[FIRST_ROWS[0] - 1, 0] = 0.25
    assert np.isnan(scale_decisions(decisions, PANEL, RISK_FREE, FIRST_ROWS, RULES[0])).all()


def test_a_ticker_that_never_trades_is_left_alone():
    empty = replace(PANEL, **{name: np.where([[1, 1, 1, 0]], getattr(PANEL, name), np.nan) for name in FIELDS})
    rows = first_decision_rows(empty, empty.dates[20])
    scaled = scale_decisions(random_decisions(1, empty), empty, RISK_FREE, rows, RULES[3])
    assert np.isnan(scaled[:, 3]).all()
    assert np.isfinite(scaled[:, 0]).any()
