"""Exposure scaling: an account holds less while its positions have been riskier than a rule allows."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.terms import Rules
from analytics.conventions import CONFIDENCE, STD_DDOF, TRADING_DAYS, FloatArray
from analytics.market import Panel
from analytics.returns import simple_returns

VOLATILITY_SESSIONS: Final = 63  # a quarter: volatility as it was lately
TAIL_SESSIONS: Final = TRADING_DAYS  # a year: the worst twentieth of a quarter would be three sessions
KNOWN_SHARE: Final = 0.5  # of a window's sessions, and on each of them of the weights, that must be known
BAND: Final = 0.1  # share by which the factor must move before positions are traded for its sake alone
BLOCK: Final = 64  # closes whose windows are made in one product
ZERO: Final = 1e-12  # a deviation per session smaller than this is what rounding leaves of none


def is_active(rules: Rules) -> bool:
    """Return whether a rule scales the exposure."""
    return max(rules.target_volatility, rules.max_value_at_risk, rules.kelly_fraction) > 0.0


def scale_decisions(
    decisions: FloatArray, panel: Panel, risk_free: FloatArray, first_rows: np.ndarray, rules: Rules
) -> FloatArray:
    """Return decisions whose weights are scaled by the exposure factor in force, shape (n_dates, n_tickers).

    decisions: target weights at each close, NaN leaves alone; those before first_rows (n_tickers,) are void. risk_free
    (n_dates,): simple returns per session. The factor in force becomes that of the close where the two differ by more
    than BAND of it; every ticker held is then decided anew at that close, one without a bar at its next. Where no
    rule is active the decisions are returned as they are.
    """
    if not is_active(rules):
        return decisions
    decided = np.isfinite(decisions) & (np.arange(len(decisions))[:, None] >= first_rows)
    targets = pd.DataFrame(np.where(decided, decisions, np.nan)).ffill().fillna(0.0).to_numpy()
    closes = pd.DataFrame(np.where(panel.has_bar, panel.adj_close, np.nan)).ffill().to_numpy()
    factors = exposure_factors(targets, simple_returns(closes), risk_free, rules)
    scaled, in_force, applied = np.full(decisions.shape, np.nan), 1.0, np.ones(decisions.shape[1])
    held = panel.has_bar & (targets != 0.0)
    for row in range(int(np.min(first_rows, initial=len(decisions))), len(decisions)):
        if abs(factors[row] - in_force) > BAND * max(in_force, BAND):
            in_force = factors[row]
        now = decided[row] | (held[row] & (applied != in_force))
        scaled[row, now], applied[now] = targets[row, now] * in_force, in_force
    return scaled


def exposure_factors(
    weights_in_force: FloatArray, returns: FloatArray, risk_free: FloatArray, rules: Rules
) -> FloatArray:
    """Return the share of its weights that the rules let the account hold from each close on, (n_dates,), 0 to 1.

    weights_in_force, returns: (n_dates, n_tickers); simple total returns per session, NaN unknown. risk_free
    (n_dates,): simple, NaN counts as 0. Of the weights at close t over the sessions up to t: target volatility over
    that of 63 sessions; largest value at risk over the historical one of 252; Kelly fraction × mean / variance
    of the excess returns of 252, at least 0 (Thorp 2006). The smallest of those that are active, at most 1. A session
    counts where at least half of the weights have a return, scaled up to the whole. A rule with fewer
    than half of its sessions, or with no risk in them, does not bind.
    """
    n = len(weights_in_force)
    sessions = TAIL_SESSIONS if rules.max_value_at_risk or rules.kelly_fraction else VOLATILITY_SESSIONS
    after = -n % BLOCK  # every product has one shape, so that a longer history leaves the same bits
    around = ((sessions - 1, after), (0, 0))
    weights = np.pad(weights_in_force, ((0, after), (0, 0)))
    known = np.pad(np.isfinite(returns).astype(float), around)
    values = np.pad(np.nan_to_num(returns), around)
    cash = np.pad(np.nan_to_num(risk_free), around[0])
    factors = np.ones(n + after)
    for start in range(0, n, BLOCK):
        block, reach = slice(start, start + BLOCK), slice(start, start + BLOCK + sessions - 1)
        if weights[block].any():
            history = _histories(weights[block], values[reach], known[reach], sessions)
            cash_history = np.lib.stride_tricks.sliding_window_view(cash[reach], sessions)
            excess = history - weights[block].sum(axis=1, keepdims=True) * cash_history
            factors[block] = np.clip(_limits(history, excess, rules), 0.0, 1.0)
    return factors[:n]


def _histories(weights: FloatArray, values: FloatArray, known: FloatArray, sessions: int) -> FloatArray:
    """The returns of each row's weights over the window up to it, (n_rows, sessions); NaN where too few are known."""
    size = np.abs(weights).sum(axis=1, keepdims=True)
    rows = np.arange(len(weights))

    def own_windows(products: FloatArray) -> FloatArray:
        return np.lib.stride_tricks.sliding_window_view(products, sessions, axis=1)[rows, rows]

    with np.errstate(invalid="ignore"):  # a row without weights has no history
        share = own_windows(np.abs(weights) @ known.T) / size
    enough = share >= KNOWN_SHARE
    return np.where(enough, own_windows(weights @ values.T) / np.where(enough, share, 1.0), np.nan)


def _limits(history: FloatArray, excess: FloatArray, rules: Rules) -> FloatArray:
    """The smallest bound of the active rules on each row's exposure, (n_rows,), infinite where none binds."""
    bounds = [np.full(len(history), np.inf)]
    if rules.target_volatility:
        _, deviation = _moments(history[:, -VOLATILITY_SESSIONS:])
        bounds += [rules.target_volatility / (deviation * np.sqrt(TRADING_DAYS))]
    if rules.max_value_at_risk:
        loss = -_quantile(history, 1.0 - CONFIDENCE)
        bounds += [rules.max_value_at_risk / np.where(loss > ZERO, loss, np.nan)]
    if rules.kelly_fraction:
        mean, deviation = _moments(excess)
        bounds += [rules.kelly_fraction * mean / deviation**2]
    return np.fmin.reduce(bounds)  # NaN, an estimate that is not known, does not bind


def _counts(history: FloatArray) -> np.ndarray:
    """How many sessions of each row are known; 0 where they are fewer than its share asks for."""
    counts = np.isfinite(history).sum(axis=1)
    return np.where(counts >= KNOWN_SHARE * history.shape[1], counts, 0)


def _moments(history: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each row over its known sessions. NaN when: too few are known, or constant."""
    counts = _counts(history)
    usable = np.where(counts > 0, counts, np.nan)
    known = np.isfinite(history)
    mean = np.where(known, history, 0.0).sum(axis=1) / usable
    squares = np.where(known, (history - mean[:, None]) ** 2, 0.0).sum(axis=1)
    deviation = np.sqrt(squares / (usable - STD_DDOF))
    return mean, np.where(deviation > ZERO, deviation, np.nan)


def _quantile(history: FloatArray, probability: float) -> FloatArray:
    """The quantile of each row's known sessions, linear between them. NaN when: too few are known."""
    counts = _counts(history)
    ordered = np.sort(history, axis=1)  # unknown ones come last
    position = np.maximum(counts - 1, 0) * probability
    low = np.floor(position).astype(np.int64)
    rows = np.arange(len(history))
    below, above = ordered[rows, low], ordered[rows, np.minimum(low + 1, np.maximum(counts - 1, 0))]
    return np.where(counts > 0, below + (position - low) * (above - below), np.nan)
