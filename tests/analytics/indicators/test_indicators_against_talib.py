"""Every stored column that TA-Lib can compute equals TA-Lib called directly, on real prices."""

import os
from pathlib import Path

import numpy as np
import pytest
import talib
from sample_bars import REAL_FILES, bars_of_file, index_bars, stock_bars
from tolerances import PARITY

from analytics.indicators import INDICATORS, compute_indicator
from analytics.market import Bars

BARS = {"index": index_bars, "AAPL": lambda: stock_bars("AAPL"), "JPM": lambda: stock_bars("JPM")}
TALIB_LACKS = {
    "hull_9", "vwma_20", "vwap_20", "ichimoku_span_a", "ichimoku_span_b", "realised_vol_21", "yang_zhang_vol_21",
}  # fmt: skip


def talib_of_close(close: np.ndarray) -> dict[str, np.ndarray]:
    macd = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
    upper, middle, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0, matype=0)
    k = talib.STOCHRSI(close, timeperiod=14, fastk_period=14, fastd_period=3, fastd_matype=0)[1]
    return {
        **{f"sma_{window}": talib.SMA(close, timeperiod=window) for window in (10, 20, 30, 50, 100, 200)},
        **{f"ema_{window}": talib.EMA(close, timeperiod=window) for window in (10, 12, 20, 26, 30, 50, 100, 200)},
        **dict(zip(("macd", "macd_signal", "macd_hist"), macd, strict=True)),
        "bb_upper": upper,
        "bb_middle": middle,
        "bb_lower": lower,
        "bb_percent_b": (close - lower) / (upper - lower),
        "bb_bandwidth": (upper - lower) / middle,
        "rsi_14": talib.RSI(close, timeperiod=14),
        "roc_12": talib.ROC(close, timeperiod=12),
        "momentum_10": talib.MOM(close, timeperiod=10),
        "trix_15": talib.TRIX(close, timeperiod=15),
        "stoch_rsi_k": k,
        "stoch_rsi_d": talib.SMA(k, timeperiod=3),
    }


def talib_of_range(high: np.ndarray, low: np.ndarray, close: np.ndarray) -> dict[str, np.ndarray]:
    bars = high, low, close
    stochastic = talib.STOCH(*bars, fastk_period=14, slowk_period=3, slowk_matype=0, slowd_period=3, slowd_matype=0)
    middle, reach = talib.EMA(close, timeperiod=20), 2 * talib.ATR(*bars, timeperiod=10)
    average = talib.EMA(close, timeperiod=13)
    price = talib.MEDPRICE(high, low)
    highest, lowest = talib.MAX(high, timeperiod=20), talib.MIN(low, timeperiod=20)
    return {
        **dict(zip(("stoch_k", "stoch_d"), stochastic, strict=True)),
        **dict(zip(("aroon_down_14", "aroon_up_14"), talib.AROON(high, low, timeperiod=14), strict=True)),
        "keltner_upper": middle + reach,
        "keltner_middle": middle,
        "keltner_lower": middle - reach,
        "donchian_upper": highest,
        "donchian_lower": lowest,
        "donchian_middle": talib.MIDPRICE(high, low, timeperiod=20),
        "ichimoku_conversion": talib.MIDPRICE(high, low, timeperiod=9),
        "ichimoku_base": talib.MIDPRICE(high, low, timeperiod=26),
        "atr_14": talib.ATR(*bars, timeperiod=14),
        "adx_14": talib.ADX(*bars, timeperiod=14),
        "plus_di_14": talib.PLUS_DI(*bars, timeperiod=14),
        "minus_di_14": talib.MINUS_DI(*bars, timeperiod=14),
        "cci_20": talib.CCI(*bars, timeperiod=20),
        "williams_r_14": talib.WILLR(*bars, timeperiod=14),
        "ultimate_oscillator": talib.ULTOSC(*bars, timeperiod1=7, timeperiod2=14, timeperiod3=28),
        "parabolic_sar": talib.SAR(high, low, acceleration=0.02, maximum=0.2),
        "awesome_oscillator": talib.SMA(price, timeperiod=5) - talib.SMA(price, timeperiod=34),
        "bull_power": high - average,
        "bear_power": low - average,
        "high_52w_distance": close / talib.MAX(high, timeperiod=252) - 1,
    }


def talib_of_volume(high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray) -> dict[str, np.ndarray]:
    flow = np.diff(talib.AD(high, low, close, volume), prepend=0.0)  # the line is the running sum of the flows
    return {
        "mfi_14": talib.MFI(high, low, close, volume, timeperiod=14),
        "obv": talib.OBV(close, volume),
        "cmf_20": talib.SUM(flow, timeperiod=20) / talib.SUM(volume, timeperiod=20),
    }


def expected(bars: Bars) -> dict[str, np.ndarray]:
    ranges = talib_of_range(bars.high, bars.low, bars.close) | talib_of_volume(
        bars.high, bars.low, bars.close, bars.volume
    )
    known = np.isfinite(bars.high).all()
    return talib_of_close(bars.close) | (ranges if known else dict.fromkeys(ranges, np.full(len(bars), np.nan)))


def assert_equals_talib(key: str, bars: Bars, reference: dict[str, np.ndarray]) -> None:
    for column, values in compute_indicator(INDICATORS[key], bars).items():
        if column not in TALIB_LACKS:
            scale = np.fmax(1, np.abs(reference[column]))
            np.testing.assert_allclose(values / scale, reference[column] / scale, rtol=0, atol=PARITY, err_msg=column)


@pytest.mark.parametrize("name", BARS)
@pytest.mark.parametrize("key", INDICATORS)
def test_outputs_equal_talib(key: str, name: str) -> None:
    bars = BARS[name]()
    assert_equals_talib(key, bars, expected(bars))


@pytest.mark.shared_data
@pytest.mark.skipif(not os.environ.get("PLUMBLINE_TEST_DATA"), reason="PLUMBLINE_TEST_DATA names no folder")
@pytest.mark.parametrize("file", REAL_FILES)
def test_outputs_equal_talib_on_real_prices(file: str, shared_data: Path) -> None:
    bars = bars_of_file(shared_data / file)
    reference = expected(bars)
    for key in INDICATORS:
        assert_equals_talib(key, bars, reference)


def test_the_comparison_covers_every_stored_column() -> None:
    stored = {output for indicator in INDICATORS.values() for output in indicator.outputs}
    assert stored == set(expected(index_bars())) | TALIB_LACKS
