"""Twelve ways to see the future, each beside the honest rule it resembles.

A feature turns one ticker's closes, on its own bars, into numbers; the rule holds the ticker while they are above 0.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import Orders, schedule_orders
from analytics.backtest.strategies import changes_only, first_decision_rows

Feature = Callable[[pd.Series, pd.Series], pd.Series]  # (closes by date, mean daily return of all tickers) -> feature


def orders_by(decide: Callable[[StrategyInputs], np.ndarray]) -> Callable[[StrategyInputs, int, int], Orders]:
    """The orders of a rule for target weights, held from the last bar before the start on."""

    def orders(inputs: StrategyInputs, first: int, last: int) -> Orders:
        dates = inputs.panel.dates
        decisions = changes_only(decide(inputs), first_decision_rows(inputs.panel, dates[first]))
        return schedule_orders(inputs.panel, decisions, start=dates[first], end=dates[last - 1])

    return orders


def by_feature(feature: Feature) -> Callable[[StrategyInputs], np.ndarray]:
    """Hold an equal share of each ticker while its feature is above 0."""

    def decide(inputs: StrategyInputs) -> np.ndarray:
        panel = inputs.panel
        closes = pd.DataFrame(panel.close, panel.dates.astype("datetime64[s]"))
        market = closes.pct_change(fill_method=None).mean(axis=1)
        targets = np.full(closes.shape, np.nan)
        for column, present in enumerate(panel.has_bar.T):
            if present.any():
                values = feature(closes.loc[present, column], market[present]).to_numpy(dtype=float)
                targets[present, column] = np.where(np.isnan(values), np.nan, (values > 0.0) / closes.shape[1])
        return targets

    return decide


def every_tenth(closes: pd.Series) -> pd.Series:
    return closes.where(np.arange(len(closes)) % 10 == 9)


def weeks(closes: pd.Series) -> np.ndarray:
    return (closes.index.to_numpy().astype("datetime64[D]").astype(int) + 3) // 7


def zigzag(closes: pd.Series, *, at_pivot: bool) -> pd.Series:
    """1 from a trough on, −1 from a peak on: turns of 5 %, dated by the turn itself or by its confirmation."""
    values, found = closes.to_numpy(), np.full(len(closes), np.nan)
    direction, extreme, row = 1.0, values[0], 0
    for now, value in enumerate(values):
        if direction * (value - extreme) >= 0.0:
            extreme, row = value, now
        elif abs(value / extreme - 1.0) > 0.05:
            direction = -direction
            found[row if at_pivot else now] = direction
            extreme, row = value, now
    return pd.Series(found, closes.index).ffill()


def beta_of(returns: pd.Series, market: pd.Series) -> float:
    return float((returns * market).sum() / (market**2).sum())


def trailing_beta(returns: pd.Series, market: pd.Series) -> pd.Series:
    return (returns * market).rolling(40).sum() / (market**2).rolling(40).sum()


def changes(closes: pd.Series) -> pd.Series:
    return closes.pct_change(fill_method=None)


LEAKS: dict[str, tuple[Feature, Feature]] = {  # name: (leak, honest twin)
    "shift(-1)": (lambda c, _: c.shift(-1) - c, lambda c, _: c - c.shift(1)),
    "centred window": (lambda c, _: c - c.rolling(5, center=True).mean(), lambda c, _: c - c.rolling(5).mean()),
    "bfill": (lambda c, _: every_tenth(c).bfill() - c, lambda c, _: every_tenth(c).ffill() - c),
    "interpolate": (
        lambda c, _: c - every_tenth(c).interpolate(limit_area="inside"),
        lambda c, _: c - every_tenth(c).shift(1).ffill(),
    ),
    "weekly label": (
        lambda c, _: c.groupby(weeks(c)).transform("last") - c,
        lambda c, _: c.groupby(weeks(c)).transform("first") - c,
    ),
    "full-sample beta": (
        lambda c, m: changes(c) - beta_of(changes(c), m) * m,
        lambda c, m: changes(c) - trailing_beta(changes(c), m) * m,
    ),
    "zigzag peak": (lambda c, _: zigzag(c, at_pivot=True), lambda c, _: zigzag(c, at_pivot=False)),
    "z-score": (lambda c, _: (c.mean() - c) / c.std(), lambda c, _: (c.expanding().mean() - c) / c.expanding().std()),
    "min-max": (
        lambda c, _: (c - c.min()) / (c.max() - c.min()) - 0.5,
        lambda c, _: (c - c.cummin()) / (c.cummax() - c.cummin()) - 0.5,
    ),
    "rank": (lambda c, _: c.rank(pct=True) - 0.5, lambda c, _: c.expanding().rank(pct=True) - 0.5),
    "quantile threshold": (
        lambda c, _: changes(c) - changes(c).quantile(0.7),
        lambda c, _: changes(c) - changes(c).expanding().quantile(0.7),
    ),
    "all-time maximum": (lambda c, _: c / c.max() - 0.75, lambda c, _: c / c.cummax() - 0.95),
}
