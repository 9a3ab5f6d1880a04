"""Made-up markets that the backtest tests share."""

from dataclasses import replace

import numpy as np

from analytics.backtest import FactorView, StrategyInputs
from analytics.market import FIELDS, Bars, Panel


def random_bars(ticker: str, *, n: int = 400, seed: int = 0, first: int = 0) -> Bars:
    """A random walk with opens off the previous close and a dividend now and then, listed from row `first` on."""
    rng = np.random.default_rng(seed)
    dates = np.busday_offset("2015-01-01", np.arange(n), roll="forward").astype("datetime64[D]")
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.02, n)))
    open_ = close * np.exp(rng.normal(0.0, 0.006, n))
    spread = np.abs(rng.normal(0.0, 0.004, n)) + 0.001
    dividends = np.cumsum((rng.random(n) < 0.02) * 0.01)
    bars = Bars(
        ticker, dates, open_, np.maximum(open_, close) * (1 + spread), np.minimum(open_, close) * (1 - spread),
        close, close * np.exp(dividends - dividends[-1]), rng.uniform(1e5, 1e6, n),
    )  # fmt: skip
    return bars.rows(slice(first, None))


def random_market(*, n: int = 400, n_tickers: int = 4, seed: int = 0) -> Panel:
    """Random tickers: the second listed late, the third with gaps, the fourth without opens now and then."""
    rng = np.random.default_rng(1_000 + seed)
    bars = [random_bars(f"T{i}", n=n, seed=100 * seed + i, first=n // 4 if i == 1 else 0) for i in range(n_tickers)]
    if n_tickers > 2:
        bars[2] = bars[2].rows(rng.random(n) > 0.1)
    if n_tickers > 3:
        bars[3] = replace(bars[3], open=np.where(rng.random(n) < 0.3, np.nan, bars[3].open))
    return Panel.of(bars)


def flat_market(prices: dict[str, list[float]], *, opens: dict[str, list[float]] | None = None) -> Panel:
    """Closes as given, NaN where there is no bar; opens equal to them unless given; no dividends."""
    n = len(next(iter(prices.values())))
    dates = np.datetime64("2024-01-01") + np.arange(n)
    items = []
    for ticker, values in prices.items():
        close = np.asarray(values, dtype=float)
        open_ = np.asarray((opens or {}).get(ticker, values), dtype=float)
        bars = Bars(ticker, dates, open_, np.fmax(open_, close), np.fmin(open_, close), close, close, np.ones(n))
        items.append(bars.rows(np.isfinite(close)))
    return Panel.of(items)


def changed_from(panel: Panel, row: int, factor: float) -> Panel:
    """The panel with every number from `row` on multiplied by `factor` (NaN: unknown)."""
    scale = np.where(np.arange(len(panel.dates)) >= row, factor, 1.0)[:, None]
    return replace(panel, **{field: getattr(panel, field) * scale for field in FIELDS})


def cut_at(panel: Panel, row: int) -> Panel:
    """The panel as it was known before the date at `row`."""
    return replace(panel, dates=panel.dates[:row], **{field: getattr(panel, field)[:row] for field in FIELDS})


def inputs_of(panel: Panel, *, rate: float = 0.0001, factors: FactorView | None = None) -> StrategyInputs:
    """What the engine is given of a panel, with the same risk-free return on every date."""
    return StrategyInputs(panel, np.zeros(len(panel.tickers), dtype=int), np.full(len(panel.dates), rate), factors)
