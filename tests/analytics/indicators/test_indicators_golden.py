"""Indicators against published worked examples and against numbers that follow on paper."""

import json
import math
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
ON_A_STRAIGHT_LINE = {
    "sma": (CLOSE - 9.5, CLOSE - 24.5, math.nan),
    "ema": (CLOSE - 5.5, CLOSE - 12.5),
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
    assert set(ON_A_STRAIGHT_LINE) == set(INDICATORS)


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
