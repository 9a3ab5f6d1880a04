"""Every indicator written down a second time, in plain pandas and without TA-Lib.

Recursive averages are seeded as TA-Lib seeds them; with another seed equality would come only after hundreds of bars.
A definition takes a frame of open, high, low, close and volume and returns one series per output, in their order.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

Definition = Callable[[pd.DataFrame], list[pd.Series]]


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


def weighted(values: pd.Series, window: int) -> pd.Series:
    weights = np.arange(1, window + 1)
    return values.rolling(window).apply(lambda inside: inside @ weights / weights.sum(), raw=True)


def by_volume(prices: pd.Series, volume: pd.Series, window: int = 20) -> pd.Series:
    return (prices * volume).rolling(window).sum() / volume.rolling(window).sum()


def range_of(bars: pd.DataFrame, window: int) -> tuple[pd.Series, pd.Series]:
    return bars.low.rolling(window).min(), bars.high.rolling(window).max()


def macd(bars: pd.DataFrame) -> list[pd.Series]:
    fast = ema(bars.close.iloc[26 - 12 :], 12)  # TA-Lib starts both averages on the same bar
    line = fast - ema(bars.close, 26)
    signal = ema(line, 9)
    return [line.loc[signal.index], signal, line.loc[signal.index] - signal]


def rsi(bars: pd.DataFrame) -> list[pd.Series]:
    change = bars.close.diff().iloc[1:]
    gain, loss = wilder(change.clip(lower=0)), wilder(-change.clip(upper=0))
    return [100 - 100 / (1 + gain / loss)]


def stochastic_rsi(bars: pd.DataFrame) -> list[pd.Series]:
    index = rsi(bars)[0]
    lowest, highest = index.rolling(14).min(), index.rolling(14).max()
    k = (100 * (index - lowest) / (highest - lowest)).rolling(3).mean()
    return [k, k.rolling(3).mean()]


def bollinger(bars: pd.DataFrame) -> list[pd.Series]:
    window = bars.close.rolling(20)
    middle, spread = window.mean(), window.std(ddof=0)
    return [middle + 2 * spread, middle, middle - 2 * spread]


def percent_b(bars: pd.DataFrame) -> list[pd.Series]:
    upper, _, lower = bollinger(bars)
    return [(bars.close - lower) / (upper - lower)]


def bandwidth(bars: pd.DataFrame) -> list[pd.Series]:
    window = bars.close.rolling(20)
    return [4 * window.std(ddof=0) / window.mean()]


def stochastic(bars: pd.DataFrame) -> list[pd.Series]:
    lowest, highest = range_of(bars, 14)
    k = (100 * (bars.close - lowest) / (highest - lowest)).rolling(3).mean()
    d = k.rolling(3).mean()
    return [k.loc[d.first_valid_index() :], d]  # %K is not shown before %D


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
    lowest, highest = range_of(bars, 14)
    return [-100 * (highest - bars.close) / (highest - lowest)]


def mfi(bars: pd.DataFrame) -> list[pd.Series]:
    price = typical_price(bars)
    change, flow = price.diff().round(10), price * bars.volume  # a last bit is no move
    positive = flow.where(change > 0, 0.0).iloc[1:].rolling(14).sum()
    negative = flow.where(change < 0, 0.0).iloc[1:].rolling(14).sum()
    return [100 * positive / (positive + negative)]


def money_flow(bars: pd.DataFrame) -> list[pd.Series]:
    place = ((2 * bars.close - bars.high - bars.low) / (bars.high - bars.low)).where(bars.high > bars.low, 0.0)
    return [by_volume(place, bars.volume)]


def obv(bars: pd.DataFrame) -> list[pd.Series]:
    signed = np.sign(bars.close.diff()).fillna(1) * bars.volume
    return [signed.cumsum()]


def aroon(bars: pd.DataFrame) -> list[pd.Series]:
    since_high = bars.high.rolling(15).apply(lambda highs: np.argmax(highs[::-1]), raw=True)
    since_low = bars.low.rolling(15).apply(lambda lows: np.argmin(lows[::-1]), raw=True)
    return [100 * (14 - since_high) / 14, 100 * (14 - since_low) / 14]


def awesome(bars: pd.DataFrame) -> list[pd.Series]:
    middle = (bars.high + bars.low) / 2
    return [middle.rolling(5).mean() - middle.rolling(34).mean()]


def donchian(bars: pd.DataFrame) -> list[pd.Series]:
    lowest, highest = range_of(bars, 20)
    return [highest, (highest + lowest) / 2, lowest]


def hull(bars: pd.DataFrame) -> list[pd.Series]:
    return [weighted(2 * weighted(bars.close, 4) - weighted(bars.close, 9), 3)]


def ichimoku(bars: pd.DataFrame) -> list[pd.Series]:
    conversion, base, span = (sum(range_of(bars, window)) / 2 for window in (9, 26, 52))
    return [conversion, base, ((conversion + base) / 2).shift(25), span.shift(25)]


def keltner(bars: pd.DataFrame) -> list[pd.Series]:
    middle, reach = ema(bars.close, 20), 2 * wilder(true_range(bars), 10)
    return [middle + reach, middle, middle - reach]


def parabolic_sar(bars: pd.DataFrame) -> list[pd.Series]:
    """Wilder's rules, told once for both directions: `far` is the side that the trend runs to, `near` the stop's."""
    high, low = bars.high.to_numpy(), bars.low.to_numpy()
    up = not low[0] - low[1] > max(0, high[1] - high[0])
    stop, extreme, pace = (low[0], high[1], 0.02) if up else (high[0], low[1], 0.02)
    stops = [np.nan]
    for t in range(1, len(bars)):
        far, near, sign = (high, low, 1) if up else (low, high, -1)
        last = far[[max(t - 1, 1), t]] * sign
        if sign * (near[t] - stop) <= 0:  # touched: the trend turns, and the stop begins at the old extreme
            stop = sign * max(sign * extreme, *last)
            stops.append(stop)
            up, extreme, pace = not up, near[t], 0.02
            stop = sign * max(sign * (stop + pace * (extreme - stop)), *last)
            continue
        stops.append(stop)
        if sign * (far[t] - extreme) > 0:
            extreme, pace = far[t], min(pace + 0.02, 0.2)
        stop = sign * min(sign * (stop + pace * (extreme - stop)), *(near[[max(t - 1, 1), t]] * sign))
    return [pd.Series(stops, index=bars.index)]


def ultimate(bars: pd.DataFrame) -> list[pd.Series]:
    pressure = (bars.close - np.fmin(bars.low, bars.close.shift())).iloc[1:]
    shares = [pressure.rolling(n).sum() / true_range(bars).rolling(n).sum() for n in (7, 14, 28)]
    return [100 * (4 * shares[0] + 2 * shares[1] + shares[2]) / 7]


def yang_zhang(bars: pd.DataFrame) -> list[pd.Series]:
    logs = np.log(bars[["open", "high", "low", "close"]])
    night, day = (logs.open - logs.close.shift()).rolling(21).var(), (logs.close - logs.open).rolling(21).var()
    within = (logs.high - logs.close) * (logs.high - logs.open) + (logs.low - logs.close) * (logs.low - logs.open)
    k = 0.34 / (1.34 + 22 / 20)
    return [np.sqrt(252 * (night + k * day + (1 - k) * within.rolling(21).mean()))]


DEFINITIONS: dict[str, Definition] = {
    "sma": lambda bars: [bars.close.rolling(window).mean() for window in (10, 20, 30, 50, 100, 200)],
    "ema": lambda bars: [ema(bars.close, window) for window in (10, 12, 20, 26, 30, 50, 100, 200)],
    "atr": lambda bars: [wilder(true_range(bars))],
    "roc": lambda bars: [100 * bars.close.pct_change(12)],
    "momentum": lambda bars: [bars.close.diff(10)],
    "trix": lambda bars: [100 * ema(ema(ema(bars.close, 15), 15), 15).pct_change()],
    "bull_bear_power": lambda bars: [bars.high - ema(bars.close, 13), bars.low - ema(bars.close, 13)],
    "vwma": lambda bars: [by_volume(bars.close, bars.volume)],
    "vwap": lambda bars: [by_volume(typical_price(bars), bars.volume)],
    "realised_volatility": lambda bars: [np.log(bars.close).diff().rolling(21).std() * np.sqrt(252)],
    "high_52w": lambda bars: [bars.close / bars.high.rolling(252).max() - 1],
    "macd": macd, "rsi": rsi, "stochastic_rsi": stochastic_rsi, "bollinger": bollinger, "bollinger_percent_b": percent_b,
    "bollinger_bandwidth": bandwidth, "stochastic": stochastic, "adx": adx, "cci": cci, "williams_r": williams_r,
    "mfi": mfi, "chaikin_money_flow": money_flow, "obv": obv, "aroon": aroon, "awesome_oscillator": awesome,
    "donchian": donchian, "hull": hull, "ichimoku": ichimoku, "keltner": keltner, "parabolic_sar": parabolic_sar,
    "ultimate_oscillator": ultimate, "yang_zhang_volatility": yang_zhang,
}  # fmt: skip
