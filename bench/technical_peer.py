"""Every stored technical column of one ticker in pandas, plainly, or tuned: without rolling.apply."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import talib

from analytics.conventions import CORE_VOTES
from analytics.signals import RATING_LABELS
from bench.technical_peer_votes import GROUPS, votes_of

Over = Callable[[pd.Series, int, Callable[[np.ndarray], np.ndarray]], pd.Series]
TOTALS = ("buy_votes", "sell_votes", "overall_signal", "rating_score", "rating_label")


def technical_of_ticker(rows: pd.DataFrame, *, tuned: bool = False) -> pd.DataFrame:
    """Return the indicators, votes and totals of one ticker's frame of open, high, low, close and volume."""
    over = _viewed if tuned else _applied
    found = pd.DataFrame(
        _averages(rows, over) | _of_closes(rows) | _of_ranges(rows, over) | _of_volume(rows) | _channels(rows)
    )
    votes = votes_of(rows, found)
    return pd.concat([found, votes, _totals(votes)], axis=1)


def ratings_of_ticker(rows: pd.DataFrame, *, tuned: bool = False) -> dict[str, pd.DataFrame]:
    """Return the totals on weekly and monthly bars, the last of which still runs and is left out."""
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    dated = rows.set_index(pd.DatetimeIndex(rows["date"]))
    periods = {"W": dated.resample("W-SUN").agg(how), "M": dated.resample("ME").agg(how)}
    return {name: technical_of_ticker(bars.iloc[:-1], tuned=tuned)[list(TOTALS)] for name, bars in periods.items()}


def patterns_of_ticker(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the candlestick events, one a row; TA-Lib alone defines them."""
    bars = [rows[name] for name in ("open", "high", "low", "close")]
    found = {name: getattr(talib, name)(*bars) for name in talib.get_function_groups()["Pattern Recognition"]}
    events = pd.DataFrame(found).stack()
    return np.sign(events[events != 0]).rename_axis(["row", "pattern"]).reset_index(name="direction")


def _totals(votes: pd.DataFrame) -> pd.DataFrame:
    core = votes[[f"vote_{key}" for key in CORE_VOTES]]
    buys, sells = (core > 0).sum(axis=1), (core < 0).sum(axis=1)
    enough = np.maximum(buys, sells) >= 3
    means = [votes[[f"vote_{key}" for key in group]].mean(axis=1) for group in GROUPS]
    score = pd.concat(means, axis=1).mean(axis=1)
    return pd.DataFrame({
        "buy_votes": buys, "sell_votes": sells, "overall_signal": np.sign(buys - sells) * enough, "rating_score": score,
        "rating_label": pd.cut(score, [-2, -0.5, -0.1, 0.1, 0.5, 2], labels=RATING_LABELS).astype(str),
    })  # fmt: skip


def _averages(rows: pd.DataFrame, over: Over) -> dict[str, pd.Series]:
    close = rows["close"]
    found = {f"sma_{window}": close.rolling(window).mean() for window in (10, 20, 30, 50, 100, 200)}
    found |= {f"ema_{span}": _ema(close, span) for span in (10, 12, 20, 26, 30, 50, 100, 200)}
    found["hull_9"] = _weighted(2 * _weighted(close, 4, over) - _weighted(close, 9, over), 3, over)
    found["macd"] = found["ema_12"] - found["ema_26"]
    found["macd_signal"] = _ema(found["macd"], 9)
    found["macd_hist"] = found["macd"] - found["macd_signal"]
    return found


def _of_closes(rows: pd.DataFrame) -> dict[str, pd.Series]:
    close = rows["close"]
    change, window = close.diff(), close.rolling(20)
    index = 100 - 100 / (1 + _wilder(change.clip(lower=0)) / _wilder(-change.clip(upper=0)))
    lowest, highest = index.rolling(14).min(), index.rolling(14).max()
    k = (100 * (index - lowest) / (highest - lowest)).rolling(3).mean()
    middle, width = window.mean(), 2 * window.std(ddof=0)
    return {
        "rsi_14": index, "stoch_rsi_k": k, "stoch_rsi_d": k.rolling(3).mean(),
        "bb_upper": middle + width, "bb_middle": middle, "bb_lower": middle - width,
        "bb_percent_b": (close - middle + width) / (2 * width), "bb_bandwidth": 2 * width / middle,
        "roc_12": 100 * close.pct_change(12), "momentum_10": close.diff(10),
        "trix_15": 100 * _ema(_ema(_ema(close, 15), 15), 15).pct_change(),
        "realised_vol_21": np.log(close).diff().rolling(21).std() * np.sqrt(252),
    }  # fmt: skip


def _of_ranges(rows: pd.DataFrame, over: Over) -> dict[str, pd.Series]:
    high, low, close = rows["high"], rows["low"], rows["close"]
    highest, lowest, reach = high.rolling(14).max(), low.rolling(14).min(), _true_range(rows)
    k = (100 * (close - lowest) / (highest - lowest)).rolling(3).mean()
    atr, up, down = _wilder(reach), high.diff(), -low.diff()
    plus = 100 * _wilder(up.where((up > down) & (up > 0), 0.0)) / atr
    minus = 100 * _wilder(down.where((down > up) & (down > 0), 0.0)) / atr
    pressure = close - np.fmin(low, close.shift())
    shares = [pressure.rolling(n).sum() / reach.rolling(n).sum() for n in (7, 14, 28)]
    average, middle, typical = _ema(close, 13), (high + low) / 2, (high + low + close) / 3
    return {
        "stoch_k": k, "stoch_d": k.rolling(3).mean(), "atr_14": atr, "plus_di_14": plus, "minus_di_14": minus,
        "adx_14": _wilder(100 * (plus - minus).abs() / (plus + minus)),
        "williams_r_14": -100 * (highest - close) / (highest - lowest),
        "cci_20": (typical - typical.rolling(20).mean()) / (0.015 * over(typical, 20, _mean_deviation)),
        "bull_power": high - average, "bear_power": low - average,
        "awesome_oscillator": middle.rolling(5).mean() - middle.rolling(34).mean(),
        "ultimate_oscillator": 100 * (4 * shares[0] + 2 * shares[1] + shares[2]) / 7,
        "aroon_up_14": 100 * (14 - over(-high, 15, _bars_since_least)) / 14, "aroon_down_14": 100 * (14 - over(low, 15, _bars_since_least)) / 14,
        "yang_zhang_vol_21": _yang_zhang(rows), "high_52w_distance": close / high.rolling(252).max() - 1,
    }  # fmt: skip


def _of_volume(rows: pd.DataFrame) -> dict[str, pd.Series]:
    high, low, close, volume = (rows[name] for name in ("high", "low", "close", "volume"))
    typical, place = (high + low + close) / 3, ((2 * close - high - low) / (high - low)).where(high > low, 0.0)
    flow, change, traded = typical * volume, typical.diff(), volume.rolling(20).sum()
    inflow, outflow = (flow.where(side, 0.0).rolling(14).sum() for side in (change > 0, change < 0))
    return {
        "mfi_14": 100 * inflow / (inflow + outflow), "obv": (np.sign(close.diff()).fillna(1) * volume).cumsum(),
        "cmf_20": (place * volume).rolling(20).sum() / traded, "vwma_20": (close * volume).rolling(20).sum() / traded,
        "vwap_20": flow.rolling(20).sum() / traded,
    }  # fmt: skip


def _channels(rows: pd.DataFrame) -> dict[str, pd.Series]:
    high, low, close = rows["high"], rows["low"], rows["close"]
    upper, lower = high.rolling(20).max(), low.rolling(20).min()
    fast, base, span = ((high.rolling(n).max() + low.rolling(n).min()) / 2 for n in (9, 26, 52))
    average, reach = _ema(close, 20), 2 * _true_range(rows).ewm(alpha=0.1, adjust=False).mean()
    return {
        "donchian_upper": upper, "donchian_middle": (upper + lower) / 2, "donchian_lower": lower,
        "ichimoku_conversion": fast, "ichimoku_base": base, "ichimoku_span_a": ((fast + base) / 2).shift(25),
        "ichimoku_span_b": span.shift(25), "keltner_upper": average + reach, "keltner_middle": average,
        "keltner_lower": average - reach, "parabolic_sar": _parabolic_sar(rows),
    }  # fmt: skip


def _ema(values: pd.Series, span: int) -> pd.Series:
    return values.ewm(span=span, adjust=False, min_periods=span).mean()


def _wilder(values: pd.Series) -> pd.Series:
    return values.ewm(alpha=1 / 14, adjust=False).mean()


def _true_range(rows: pd.DataFrame) -> pd.Series:
    before = rows["close"].shift()
    return np.maximum(rows["high"], before) - np.minimum(rows["low"], before)


def _applied(values: pd.Series, window: int, of_window: Callable[[np.ndarray], np.ndarray]) -> pd.Series:
    """One call per window, as rolling.apply has it."""
    return values.rolling(window).apply(of_window, raw=True)


def _viewed(values: pd.Series, window: int, of_window: Callable[[np.ndarray], np.ndarray]) -> pd.Series:
    """One call for all windows."""
    padded = np.concatenate([np.full(window - 1, np.nan), values.to_numpy()])
    return pd.Series(of_window(np.lib.stride_tricks.sliding_window_view(padded, window)), index=values.index)


def _weighted(values: pd.Series, window: int, over: Over) -> pd.Series:
    weights = np.arange(1.0, window + 1)
    return over(values, window, lambda inside: inside @ (weights / weights.sum()))


def _mean_deviation(inside: np.ndarray) -> np.ndarray:
    return np.abs(inside - inside.mean(axis=-1, keepdims=True)).mean(axis=-1)


def _bars_since_least(inside: np.ndarray) -> np.ndarray:
    return np.argmin(inside[..., ::-1], axis=-1)


def _yang_zhang(rows: pd.DataFrame) -> pd.Series:
    opening, high, low, close = (np.log(rows[name]) for name in ("open", "high", "low", "close"))
    within = (high - close) * (high - opening) + (low - close) * (low - opening)
    k = 0.34 / (1.34 + 22 / 20)
    night, day = (opening - close.shift()).rolling(21).var(), (close - opening).rolling(21).var()
    return np.sqrt(252 * (night + k * day + (1 - k) * within.rolling(21).mean()))


def _parabolic_sar(rows: pd.DataFrame) -> pd.Series:
    """Wilder's rules bar by bar over plain lists, which a loop reads fastest."""
    high, low = rows["high"].tolist(), rows["low"].tolist()
    if len(high) < 2:
        return pd.Series(np.nan, index=rows.index)
    up = not low[0] - low[1] > max(0.0, high[1] - high[0])
    stop, extreme, pace = (low[0], high[1], 0.02) if up else (high[0], low[1], 0.02)
    stops = [np.nan]
    for t in range(1, len(high)):
        before = max(t - 1, 1)
        if low[t] <= stop if up else high[t] >= stop:
            stop = max(extreme, high[before], high[t]) if up else min(extreme, low[before], low[t])
            stops.append(stop)
            up, extreme, pace = not up, low[t] if up else high[t], 0.02
            stop += pace * (extreme - stop)
            stop = min(stop, low[before], low[t]) if up else max(stop, high[before], high[t])
            continue
        stops.append(stop)
        if high[t] > extreme if up else low[t] < extreme:
            extreme, pace = high[t] if up else low[t], min(pace + 0.02, 0.2)
        stop += pace * (extreme - stop)
        stop = min(stop, low[before], low[t]) if up else max(stop, high[before], high[t])
    return pd.Series(stops, index=rows.index)
