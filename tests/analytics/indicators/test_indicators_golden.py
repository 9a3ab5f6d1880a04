"""Indicators against published worked examples and against numbers that follow on paper."""

import json
import math
import statistics
from pathlib import Path

import numpy as np
import pytest
from sample_bars import of_arrays, rising_bars
from tolerances import EXACT, PARITY

from analytics.indicators import INDICATORS, compute_indicator

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/indicators_stockcharts.json").read_text())
PRINTED = 0.01  # two printed decimals of inputs and of results

# A close of 100, 101, 102 … with high and low one dollar away and 1,000 shares a day; the values on its row 59.
# A recursive average of window n lags a straight line by (n − 1) / 2, exactly, because its seed does.
CLOSE = 159.0
LAST = [CLOSE - back for back in range(21)]
RETURNS = [math.log(close / (close - 1)) for close in LAST]
RANGES = [math.log((close + 1) / close) ** 2 + math.log((close - 1) / close) ** 2 for close in LAST]  # open = close
K = 0.34 / (1.34 + 22 / 20)
ON_A_STRAIGHT_LINE = {
    "sma": (CLOSE - 4.5, CLOSE - 9.5, CLOSE - 14.5, CLOSE - 24.5, math.nan, math.nan),
    "ema": (*(CLOSE - (window - 1) / 2 for window in (10, 12, 20, 26, 30, 50)), math.nan, math.nan),
    "hull": (CLOSE,),  # lags: (4 − 1) / 3 twice, less (9 − 1) / 3, and (3 − 1) / 3 of the last average: 0
    "vwma": (CLOSE - 9.5,),
    "vwap": (CLOSE - 9.5,),
    "ichimoku": (CLOSE - 4, CLOSE - 12.5, CLOSE - 25 - (4 + 12.5) / 2, math.nan),
    "macd": (7.0, 7.0, 0.0),
    "rsi": (100.0,),
    "bollinger": (
        CLOSE - 9.5 + 2 * math.sqrt(33.25),
        CLOSE - 9.5,
        CLOSE - 9.5 - 2 * math.sqrt(33.25),
    ),  # (20² − 1) / 12
    "stochastic": (100 * 14 / 15, 100 * 14 / 15),  # from low = close − 14 to high = close + 1
    "atr": (2.0,),
    "adx": (100.0, 50.0, 0.0),  # every day moves up by 1 of a true range of 2
    "cci": (9.5 / (0.015 * 5),),
    "williams_r": (-100 / 15,),
    "mfi": (100.0,),
    "obv": (60_000.0,),
    "roc": (100 * 12 / (CLOSE - 12),),
    "momentum": (10.0,),
    "awesome_oscillator": ((34 - 5) / 2,),
    "stochastic_rsi": (math.nan, math.nan),  # an RSI of 100 all along has no range
    "bull_bear_power": (7.0, 5.0),
    "ultimate_oscillator": (50.0,),  # every day closes in the middle of its true range
    "trix": (100 / (CLOSE - 22),),  # three averages, each 7 sessions late
    "aroon": (100.0, 0.0),
    "donchian": (CLOSE + 1, CLOSE - 9.5, CLOSE - 20),
    "keltner": (CLOSE - 9.5 + 4, CLOSE - 9.5, CLOSE - 9.5 - 4),
    "bollinger_percent_b": (0.5 + 9.5 / (4 * math.sqrt(33.25)),),
    "bollinger_bandwidth": (4 * math.sqrt(33.25) / (CLOSE - 9.5),),
    "chaikin_money_flow": (0.0,),
    "high_52w": (math.nan,),
    "realised_volatility": (statistics.stdev(RETURNS) * math.sqrt(252),),
    "yang_zhang_volatility": (math.sqrt(252 * (statistics.variance(RETURNS) + (1 - K) * statistics.fmean(RANGES))),),
}


@pytest.mark.parametrize("key", [key for key in GOLDEN if key != "source"])
def test_published_example(key: str) -> None:
    example = GOLDEN[key]
    indicator = INDICATORS[key]
    outputs = compute_indicator(indicator, of_arrays(np.array(example["close"])), example["parameters"])
    values = outputs[indicator.outputs[0]]
    printed = example["values"]
    assert np.isnan(values[: -len(printed)]).all()
    np.testing.assert_allclose(values[-len(printed) :], printed, rtol=0, atol=PRINTED)


@pytest.mark.parametrize("key", ON_A_STRAIGHT_LINE)
def test_straight_line(key: str) -> None:
    outputs = compute_indicator(INDICATORS[key], rising_bars(60))
    computed = [float(array[-1]) for array in outputs.values()]
    assert computed == pytest.approx(ON_A_STRAIGHT_LINE[key], rel=PARITY, abs=PARITY, nan_ok=True)


def test_every_indicator_is_worked_out_on_paper() -> None:
    assert set(ON_A_STRAIGHT_LINE) | {"parabolic_sar"} == set(INDICATORS)


def test_distance_from_the_high_of_a_year() -> None:
    values = compute_indicator(INDICATORS["high_52w"], rising_bars(300))["high_52w_distance"]
    assert values[-1] == pytest.approx(399 / 400 - 1, rel=EXACT)
    fallen = of_arrays(np.full(260, 50.0), high=np.where(np.arange(260) == 5, 80.0, 51.0))
    distance = compute_indicator(INDICATORS["high_52w"], fallen)["high_52w_distance"]
    assert distance[251:].tolist() == [50 / 80 - 1] * 6 + [50 / 51 - 1] * 3  # row 5 is in the year up to row 256


def test_parabolic_stop_by_hand() -> None:
    close = np.array([100.0, 101, 102, 103, 95])
    bars = of_arrays(close, high=close + 1, low=close - 1)
    values = compute_indicator(INDICATORS["parabolic_sar"], bars)["parabolic_sar"]
    second = 99 + 0.02 * (102 - 99)  # begun at the first low; the extreme is the second high
    third = second + 0.04 * (103 - second)  # a new high: the factor grows
    assert values[1:] == pytest.approx([99, second, third, 104], rel=EXACT)  # touched on the last day: the old extreme


def test_aroon_by_hand() -> None:
    close = np.array([5.0, 9, 3, 9, 4])
    values = compute_indicator(INDICATORS["aroon"], of_arrays(close, high=close, low=close), {"window": 4})
    assert [array[-1] for array in values.values()] == [75, 50]  # of two equal highs the latest, one session ago


def test_chaikin_money_flow_by_hand() -> None:
    bars = of_arrays(
        np.array([10.0, 12, 9]),
        high=np.array([10.0, 12, 13]),
        low=np.array([8.0, 8, 9]),
        volume=np.array([100.0, 50, 50]),
    )  # at the high, at the high, at the low
    values = compute_indicator(INDICATORS["chaikin_money_flow"], bars, {"window": 3})["cmf_20"]
    assert values[-1] == pytest.approx((100 + 50 - 50) / 200, rel=EXACT)


def test_money_flow_by_hand() -> None:
    close = np.array([10.0, 11.0, 10.0, 12.0])
    bars = of_arrays(close, high=close, low=close, volume=np.array([500.0, 100.0, 300.0, 200.0]))
    values = compute_indicator(INDICATORS["mfi"], bars, {"window": 3})["mfi_14"]
    rising, falling = 11 * 100 + 12 * 200, 10 * 300
    assert values[-1] == pytest.approx(100 * rising / (rising + falling), rel=EXACT)


def test_balance_by_hand() -> None:
    bars = of_arrays(np.array([10.0, 11.0, 11.0, 9.0]), volume=np.array([500.0, 100.0, 300.0, 200.0]))
    assert list(compute_indicator(INDICATORS["obv"], bars)["obv"]) == [500, 600, 600, 400]


def test_average_true_range_counts_gaps() -> None:
    bars = of_arrays(np.array([10.0, 20.0, 15.0]), high=np.array([11.0, 21.0, 16.0]), low=np.array([9.0, 19.0, 14.0]))
    values = compute_indicator(INDICATORS["atr"], bars, {"window": 2})["atr_14"]
    assert values[-1] == pytest.approx((11 + 6) / 2, rel=EXACT)  # 21 − 10 and 20 − 14
