"""The votes of one ticker in plain pandas, from the indicators beside them."""

import numpy as np
import pandas as pd

WINDOWS = (10, 20, 30, 50, 100, 200)
AVERAGES = (
    *(f"{kind}_{window}" for kind in ("sma", "ema") for window in WINDOWS),
    "hull_9",
    "vwma_20",
    "ichimoku_base",
)
OSCILLATORS = (
    "rsi", "stochastic", "cci", "adx", "awesome_oscillator", "momentum", "macd", "stochastic_rsi", "williams_r",
    "bull_bear_power", "ultimate_oscillator",
)  # fmt: skip
GROUPS = (AVERAGES, OSCILLATORS)


def votes_of(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return every vote, 1, 0 or −1; NaN where what it compares is unknown."""
    close = rows["close"]
    votes = {name: np.sign(close - found[name]) for name in AVERAGES}
    votes |= {
        "sma": np.sign(found["sma_50"] - found["sma_200"]), "ema": np.sign(found["ema_12"] - found["ema_26"]),
        "macd": np.sign(found["macd_hist"]), "rsi": _outside(found["rsi_14"], 30, 70),
        "bollinger": _outside(close, found["bb_lower"], found["bb_upper"]),
        "cci": _outside(found["cci_20"], -100, 100), "williams_r": _outside(found["williams_r_14"], -80, -20),
        "mfi": _outside(found["mfi_14"], 20, 80), "roc": np.sign(found["roc_12"]),
        "momentum": np.sign(found["momentum_10"].diff()), "trix": np.sign(found["trix_15"]),
        "obv": np.sign(found["obv"] - found["obv"].rolling(20).mean()), "vwap": np.sign(close - found["vwap_20"]),
        "parabolic_sar": np.sign(close - found["parabolic_sar"]),
        "ultimate_oscillator": _outside(-found["ultimate_oscillator"], -70, -30),
        "chaikin_money_flow": _outside(-found["cmf_20"], -0.05, 0.05),
    }  # fmt: skip
    votes |= _of_two(found) | _of_turns(rows, found)
    return pd.DataFrame({f"vote_{key}": vote for key, vote in votes.items()})


def _of_two(found: pd.DataFrame) -> dict[str, pd.Series]:
    k, d, fast, slow = (found[name] for name in ("stoch_k", "stoch_d", "stoch_rsi_k", "stoch_rsi_d"))
    up, down = found["aroon_up_14"], found["aroon_down_14"]
    trend = np.sign(found["plus_di_14"] - found["minus_di_14"])
    return {
        "stochastic": _either((k < 20) & (d < 20), (k > 80) & (d > 80), d),
        "adx": trend.where(found["adx_14"] > 20, 0.0).where(found["adx_14"].notna()),
        "stochastic_rsi": _either((fast < 20) & (slow < 20) & (fast > slow), (fast > 80) & (slow > 80) & (fast < slow), slow),
        "aroon": _either((up > 70) & (down < 30), (down > 70) & (up < 30), up),
    }  # fmt: skip


def _of_turns(rows: pd.DataFrame, found: pd.DataFrame) -> dict[str, pd.Series]:
    bull, bear, now = found["bull_power"], found["bear_power"], found["awesome_oscillator"]
    trend, one, moved = (rows["high"] - bull).diff(), now.shift(), now.diff()
    buy = ((now > 0) & (one <= 0)) | ((one > 0) & (moved > 0) & (moved.shift() < 0))
    sell = ((now < 0) & (one >= 0)) | ((one < 0) & (moved < 0) & (moved.shift() > 0))
    return {
        "awesome_oscillator": _either(buy, sell, moved.shift()),
        "bull_bear_power": _either(
            (trend > 0) & (bear < 0) & (bear.diff() > 0), (trend < 0) & (bull > 0) & (bull.diff() < 0), trend
        ),
    }


def _outside(values: pd.Series, low: float | pd.Series, high: float | pd.Series) -> pd.Series:
    """Buy below the one, sell above the other."""
    return _either(values < low, values > high, values)


def _either(buy: pd.Series, sell: pd.Series, known: pd.Series) -> pd.Series:
    return (buy.astype(float) - sell.astype(float)).where(known.notna())
