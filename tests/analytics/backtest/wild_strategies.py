"""Random strategies on markets with every irregularity, under random costs and rules: what two engines are asked."""

from dataclasses import replace

import numpy as np
from markets import random_bars
from two_engines import Question, orders_for

from analytics.backtest import Costs
from analytics.backtest.terms import Rules
from analytics.market import Bars, Panel

N, FIRST = 220, 30
CAPITAL = 100_000.0


def wild_market(seed: int) -> Panel:
    """Six tickers: regular; listed late; with gaps; with unknown opens, highs and lows; delisted; suspended."""
    rng = np.random.default_rng(10_000 + seed)
    bars = [
        _wilder(random_bars(f"T{i}", n=N, seed=50 * seed + i, first=N // 3 if i == 1 else 0), rng) for i in range(6)
    ]
    day = np.arange(N)
    suspended = 90 + 7 * (seed % 3)
    bars[2] = bars[2].rows(rng.random(N) > 0.15)
    bars[3] = _with_unknown(bars[3], rng)
    bars[4] = bars[4].rows(day < 150)
    bars[5] = bars[5].rows((day < suspended) | (day >= suspended + 4 + seed % 9))
    return Panel.of(bars)


def _wilder(bars: Bars, rng: np.random.Generator) -> Bars:
    """Larger moves, and a volume that is thin, missing, sometimes or always, or 0."""
    jump = np.exp(np.cumsum(rng.normal(0.0, rng.choice([0.0, 0.05]), len(bars))))
    volume = bars.volume * 10.0 ** rng.uniform(-4.0, -1.0)
    volume[rng.random(len(bars)) < 0.2] = np.nan
    volume *= rng.choice([1.0, 1.0, 1.0, 0.0, np.nan])
    priced = {name: getattr(bars, name) * jump for name in ("open", "high", "low", "close", "adj_close")}
    return replace(bars, **priced, volume=volume)


def _with_unknown(bars: Bars, rng: np.random.Generator) -> Bars:
    unknown = {name: rng.random(len(bars)) < 0.25 for name in ("open", "high", "low")}
    return replace(bars, **{name: np.where(at, np.nan, getattr(bars, name)) for name, at in unknown.items()})


def wild_question(seed: int) -> Question:
    """One of them: targets from fully short to fully long; now and then far more than the account holds."""
    rng = np.random.default_rng(20_000 + seed)
    panel = wild_market(seed)
    reckless = seed % 4 == 3
    size = 6.0 if reckless else rng.choice([0.3, 0.6, 1.0])
    often = rng.choice([0.02, 0.1, 0.4])
    weights = [0.0, -size / 2, size / 5, size / 3, size / 3]  # a third of them: the same weight for several tickers
    due = [
        (int(row), panel.tickers[column], float(rng.choice(weights if seed % 3 == 0 else rng.uniform(-size, size, 5))))
        for row, column in np.argwhere(panel.has_bar & (rng.random(panel.close.shape) < often))
        if FIRST <= row < N - 5
    ]
    risk_free = np.where(rng.random(len(panel.dates)) < 0.1, np.nan, rng.uniform(-1e-5, 3e-4, len(panel.dates)))
    return Question(
        panel, orders_for(panel, due), CAPITAL, _costs(rng), _rules(rng, reckless), risk_free, first=FIRST, last=N - 5
    )


def _costs(rng: np.random.Generator) -> Costs:
    largest = {
        "fee_rate": 0.01, "fixed_fee": 20.0, "half_spread": 0.005, "slippage_rate": 0.01, "impact_coefficient": 0.2,
        "participation_cap": 0.5, "borrow_rate": 0.5,
    }  # fmt: skip
    chosen = {name: float(rng.uniform(0.0, most)) * (rng.random() < 0.7) for name, most in largest.items()}
    return Costs(**chosen, impact_exponent=float(rng.choice([0.3, 0.5, 1.0, 1.5])))


def _rules(rng: np.random.Generator, reckless: bool) -> Rules:
    largest = {"stop_loss": 0.3, "take_profit": 0.4, "trailing_stop": 0.3, "drawdown_halt": 0.0 if reckless else 0.9}
    chosen = {name: float(rng.uniform(most / 20, most)) * (rng.random() < 0.5) for name, most in largest.items()}
    return Rules(direction="long_short", cash_interest=bool(rng.random() < 0.6), **chosen)
