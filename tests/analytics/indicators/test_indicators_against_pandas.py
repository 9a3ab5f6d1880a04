"""Every indicator equals its definition written in plain pandas, from the first value on.

Recursive averages are seeded as TA-Lib seeds them; with another seed equality would come only after hundreds of bars.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sample_bars import index_bars, random_bars
from tolerances import PARITY

from analytics.indicators import INDICATORS, compute_indicator


def recursive_average(values: pd.Series, window: int, alpha: float) -> pd.Series:
    """Exponential average begun with the mean of the first `window` values."""
    seeded = values.iloc[window - 1 :].copy()
    seeded.iloc[0] = values.iloc[:window].mean()
    return seeded.ewm(alpha=alpha, adjust=False).mean()


def ema(values: pd.Series, window: int) -> pd.Series:
    return recursive_average(values, window, 2 / (window + 1))


def wilder(values: pd.Series, window: int = 14) -> pd.Series:
    return recursive_average(values, window, 1 / window)


def true_range(bars: pd.DataFrame) -> pd.Series:
    before = bars.close.shift()
    reach = pd.concat([bars.high - bars.low, (bars.high - before).abs(), (bars.low - before).abs()], axis=1)
    return reach.max(axis=1).iloc[1:]  # the first bar has no close before it


def typical_price(bars: pd.DataFrame) -> pd.Series:
    return (bars.high + bars.low + bars.close) / 3


def sma(bars: pd.DataFrame) -> list[pd.Series]:
    return [bars.close.rolling(window).mean() for window in (20, 50, 200)]


def ema_pair(bars: pd.DataFrame) -> list[pd.Series]:
    return [ema(bars.close, 12), ema(bars.close, 26)]


def macd(bars: pd.DataFrame) -> list[pd.Series]:
    fast = ema(bars.close.iloc[26 - 12 :], 12)  # TA-Lib starts both averages on the same bar
    line = fast - ema(bars.close, 26)
    signal = ema(line, 9)
    return [line.loc[signal.index], signal, line.loc[signal.index] - signal]


def rsi(bars: pd.DataFrame) -> list[pd.Series]:
    change = bars.close.diff().iloc[1:]
    gain, loss = wilder(change.clip(lower=0)), wilder(-change.clip(upper=0))
    return [100 - 100 / (1 + gain / loss)]


def bollinger(bars: pd.DataFrame) -> list[pd.Series]:
    window = bars.close.rolling(20)
    middle, spread = window.mean(), window.std(ddof=0)
    return [middle + 2 * spread, middle, middle - 2 * spread]


def stochastic(bars: pd.DataFrame) -> list[pd.Series]:
    lowest, highest = bars.low.rolling(14).min(), bars.high.rolling(14).max()
    k = (100 * (bars.close - lowest) / (highest - lowest)).rolling(3).mean()
    d = k.rolling(3).mean()
    return [k.loc[d.first_valid_index() :], d]  # %K is not shown before %D


def atr(bars: pd.DataFrame) -> list[pd.Series]:
    return [wilder(true_range(bars))]


def wilder_sum(values: pd.Series, window: int = 14) -> pd.Series:
    """Running sum that loses 1/window of itself per bar, begun with the first window − 1 values."""
    seeded = values.iloc[window - 2 :].copy() * window
    seeded.iloc[0] = values.iloc[: window - 1].sum()
    return seeded.ewm(alpha=1 / window, adjust=False).mean().iloc[1:]


def adx(bars: pd.DataFrame) -> list[pd.Series]:
    up, down = bars.high.diff().iloc[1:], -bars.low.diff().iloc[1:]
    total = wilder_sum(true_range(bars))
    plus = 100 * wilder_sum(up.where((up > down) & (up > 0), 0.0)) / total
    minus = 100 * wilder_sum(down.where((down > up) & (down > 0), 0.0)) / total
    return [wilder(100 * (plus - minus).abs() / (plus + minus)), plus, minus]


def cci(bars: pd.DataFrame) -> list[pd.Series]:
    window = typical_price(bars).rolling(20)
    deviation = window.apply(lambda prices: np.abs(prices - prices.mean()).mean(), raw=True)
    return [(typical_price(bars) - window.mean()) / (0.015 * deviation)]


def williams_r(bars: pd.DataFrame) -> list[pd.Series]:
    lowest, highest = bars.low.rolling(14).min(), bars.high.rolling(14).max()
    return [-100 * (highest - bars.close) / (highest - lowest)]


def mfi(bars: pd.DataFrame) -> list[pd.Series]:
    price = typical_price(bars)
    change, flow = price.diff(), price * bars.volume
    positive = flow.where(change > 0, 0.0).iloc[1:].rolling(14).sum()
    negative = flow.where(change < 0, 0.0).iloc[1:].rolling(14).sum()
    return [100 * positive / (positive + negative)]


def obv(bars: pd.DataFrame) -> list[pd.Series]:
    signed = np.sign(bars.close.diff()).fillna(1) * bars.volume
    return [signed.cumsum()]


def roc(bars: pd.DataFrame) -> list[pd.Series]:
    return [100 * bars.close.pct_change(12)]


DEFINITIONS: dict[str, Callable[[pd.DataFrame], list[pd.Series]]] = {
    "sma": sma, "ema": ema_pair, "macd": macd, "rsi": rsi, "bollinger": bollinger, "stochastic": stochastic,
    "atr": atr, "adx": adx, "cci": cci, "williams_r": williams_r, "mfi": mfi, "obv": obv, "roc": roc,
}  # fmt: skip


@pytest.mark.parametrize("name", ["index", "random"])
@pytest.mark.parametrize("key", DEFINITIONS)
def test_outputs_equal_their_definition(key: str, name: str) -> None:
    bars = index_bars() if name == "index" else random_bars(seed=11)
    frame = pd.DataFrame({field: getattr(bars, field) for field in ("high", "low", "close", "volume")})
    indicator = INDICATORS[key]
    computed = compute_indicator(indicator, bars)
    for output, defined in zip(indicator.outputs, DEFINITIONS[key](frame), strict=True):
        reference = defined.reindex(frame.index).to_numpy()
        scale = np.fmax(1, np.abs(reference))
        np.testing.assert_allclose(computed[output] / scale, reference / scale, rtol=0, atol=PARITY, err_msg=output)


def test_every_indicator_has_a_definition() -> None:
    assert set(DEFINITIONS) == set(INDICATORS)
