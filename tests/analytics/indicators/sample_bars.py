"""Bars that many indicator tests share: real ones bundled with libraries, and seeded random ones."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from analytics.conventions import FloatArray
from analytics.market import FIELDS, Bars

START = np.datetime64("2015-01-01")
REAL_FILES = tuple(
    f"{path}.csv.gz"
    for path in (
        "prices/AAPL", "prices/AMD", "etf/SPY", "prices/AMZN", "prices/META", "prices/MDLZ", "prices/NVDA", "prices/TSLA",
        "etf/GLD", "etf/XLC", "etf/XLRE", "etf/XLK", "index/^GSPC", "index/^NDX",
    )
)  # fmt: skip


def of_arrays(close: FloatArray, **fields: FloatArray) -> Bars:
    """Bars of a close; a field that is not given is NaN, as in a close-only source."""
    unknown = np.full(len(close), np.nan)
    values = {name: fields.get(name, unknown) for name in FIELDS} | {"close": close, "adj_close": close}
    return Bars(
        "TEST",
        START + np.arange(len(close)),
        **{name: np.asarray(array, float) for name, array in values.items()},
    )


def random_bars(seed: int, n: int = 320) -> Bars:
    """A random walk with consistent open, high, low and volume."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, n)))
    opening = close * np.exp(rng.normal(0, 0.005, n))
    high = np.maximum(opening, close) * np.exp(np.abs(rng.normal(0, 0.01, n)))
    low = np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0, 0.01, n)))
    return of_arrays(close, open=opening, high=high, low=low, volume=rng.integers(1, 10**7, n).astype(float))


def flat_bars(n: int, price: float, volume: float = 1e6) -> Bars:
    """A price that never moves."""
    prices = np.full(n, price)
    return of_arrays(prices, open=prices, high=prices, low=prices, volume=np.full(n, volume))


def rising_bars(n: int) -> Bars:
    """A close of 100, 101, 102 …, each day's range one dollar to each side, a volume of 1,000 shares."""
    close = 100.0 + np.arange(n)
    return of_arrays(close, open=close, high=close + 1, low=close - 1, volume=np.full(n, 1_000.0))


@cache
def index_bars() -> Bars:
    """The S&P 500, 1999 to 2018, daily open to volume: what arch.data.sp500.load() returns."""
    frame = bundled("arch", "data/sp500/sp500.csv.gz")
    columns = {name: frame[name.capitalize()].to_numpy(float) for name in ("open", "high", "low", "volume")}
    return of_arrays(frame["Close"].to_numpy(float), **columns)


@cache
def stock_bars(ticker: str) -> Bars:
    """One of twenty US stocks, 1990 to 2022, closes only: what skfolio.datasets.load_sp500_dataset() returns."""
    return of_arrays(bundled("skfolio", "datasets/data/sp500_dataset.csv.gz")[ticker].to_numpy(float))


def bars_of_file(path: Path) -> Bars:
    """One file of the folder of real market data."""
    frame = pd.read_csv(path)
    fields = {name: frame[name.capitalize()].to_numpy(float) for name in ("open", "high", "low", "volume")}
    return of_arrays(frame["Close"].to_numpy(float), **fields)


def bundled(package: str, name: str) -> pd.DataFrame:
    """A data file that comes with a package, without importing the package, which would take seconds."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return pd.read_csv(Path(spec.origin).parent / name)
