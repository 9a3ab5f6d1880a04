"""Indicators against numbers recorded from R's TTR and other libraries that share no code with TA-Lib."""

import json
from pathlib import Path

import numpy as np
import pytest
from sample_bars import index_bars
from tolerances import PARITY

from analytics.indicators import INDICATORS, compute_indicator

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/indicators_second_source.json").read_text(encoding="utf-8"))
SERIES = GOLDEN["series"]
OF_COLUMN = {output: indicator for indicator in INDICATORS.values() for output in indicator.outputs}
WITHOUT_TALIB = {
    "hull", "vwma", "vwap", "ichimoku", "awesome_oscillator", "bull_bear_power", "keltner", "donchian",
    "chaikin_money_flow", "realised_volatility", "yang_zhang_volatility", "high_52w",
}  # fmt: skip


@pytest.mark.parametrize("column", SERIES)
def test_the_last_values_equal_those_of_another_library(column: str) -> None:
    recorded = np.array(SERIES[column]["values"])
    assert len(recorded) == 40
    assert len(set(recorded)) > 1
    computed = compute_indicator(OF_COLUMN[column], index_bars())[column][-len(recorded) :]
    scale = np.fmax(1, np.abs(recorded))
    np.testing.assert_allclose(computed / scale, recorded / scale, rtol=0, atol=PARITY)


def test_whatever_talib_lacks_is_recorded_whole() -> None:
    columns = {output for key in WITHOUT_TALIB for output in INDICATORS[key].outputs}
    assert columns <= set(SERIES)
    assert all(SERIES[column]["source"] and SERIES[column]["call"] for column in SERIES)
