"""Every stored column equals TA-Lib called directly, on real prices."""

import numpy as np
import pytest
import talib
from sample_bars import index_bars, stock_bars
from tolerances import PARITY

from analytics.indicators import INDICATORS, compute_indicator
from analytics.market import Bars

BARS = {"index": index_bars, "AAPL": lambda: stock_bars("AAPL"), "JPM": lambda: stock_bars("JPM")}


def talib_of_close(close: np.ndarray) -> dict[str, np.ndarray]:
    macd = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
    bands = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0, matype=0)
    return {
        **{f"sma_{window}": talib.SMA(close, timeperiod=window) for window in (20, 50, 200)},
        **{f"ema_{window}": talib.EMA(close, timeperiod=window) for window in (12, 26)},
        **dict(zip(("macd", "macd_signal", "macd_hist"), macd, strict=True)),
        **dict(zip(("bb_upper", "bb_middle", "bb_lower"), bands, strict=True)),
        "rsi_14": talib.RSI(close, timeperiod=14),
        "roc_12": talib.ROC(close, timeperiod=12),
    }


def talib_of_range(high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray) -> dict[str, np.ndarray]:
    stochastic = talib.STOCH(
        high, low, close, fastk_period=14, slowk_period=3, slowk_matype=0, slowd_period=3, slowd_matype=0
    )
    return {
        **dict(zip(("stoch_k", "stoch_d"), stochastic, strict=True)),
        "atr_14": talib.ATR(high, low, close, timeperiod=14),
        "adx_14": talib.ADX(high, low, close, timeperiod=14),
        "plus_di_14": talib.PLUS_DI(high, low, close, timeperiod=14),
        "minus_di_14": talib.MINUS_DI(high, low, close, timeperiod=14),
        "cci_20": talib.CCI(high, low, close, timeperiod=20),
        "williams_r_14": talib.WILLR(high, low, close, timeperiod=14),
        "mfi_14": talib.MFI(high, low, close, volume, timeperiod=14),
        "obv": talib.OBV(close, volume),
    }


def expected(bars: Bars) -> dict[str, np.ndarray]:
    unknown = np.full(len(bars), np.nan)
    known = np.isfinite(bars.high).all()
    ranges = talib_of_range(bars.high, bars.low, bars.close, bars.volume)
    return talib_of_close(bars.close) | (ranges if known else dict.fromkeys(ranges, unknown))


@pytest.mark.parametrize("name", BARS)
@pytest.mark.parametrize("key", INDICATORS)
def test_outputs_equal_talib(key: str, name: str) -> None:
    bars = BARS[name]()
    reference = expected(bars)
    for column, values in compute_indicator(INDICATORS[key], bars).items():
        scale = np.fmax(1, np.abs(reference[column]))
        np.testing.assert_allclose(values / scale, reference[column] / scale, rtol=0, atol=PARITY, err_msg=column)


def test_the_comparison_covers_every_stored_column() -> None:
    stored = {output for indicator in INDICATORS.values() for output in indicator.outputs}
    assert stored == set(expected(index_bars()))
