"""Every indicator equals its definition written in plain pandas, from the first value on."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas_definitions import DEFINITIONS
from sample_bars import REAL_FILES, bars_of_file, index_bars, random_bars
from tolerances import PARITY

from analytics.indicators import INDICATORS, compute_indicator
from analytics.market import Bars


def assert_equals_definition(key: str, bars: Bars) -> None:
    frame = pd.DataFrame({field: getattr(bars, field) for field in ("open", "high", "low", "close", "volume")})
    indicator = INDICATORS[key]
    computed = compute_indicator(indicator, bars)
    for output, defined in zip(indicator.outputs, DEFINITIONS[key](frame), strict=True):
        reference = defined.reindex(frame.index).to_numpy()
        scale = np.fmax(1, np.abs(reference))
        np.testing.assert_allclose(computed[output] / scale, reference / scale, rtol=0, atol=PARITY, err_msg=output)


@pytest.mark.parametrize("name", ["index", "random"])
@pytest.mark.parametrize("key", DEFINITIONS)
def test_outputs_equal_their_definition(key: str, name: str) -> None:
    assert_equals_definition(key, index_bars() if name == "index" else random_bars(seed=11))


@pytest.mark.shared_data
@pytest.mark.skipif(not os.environ.get("PLUMBLINE_TEST_DATA"), reason="PLUMBLINE_TEST_DATA names no folder")
@pytest.mark.parametrize("file", REAL_FILES[:3])
@pytest.mark.parametrize("key", DEFINITIONS)
def test_outputs_equal_their_definition_on_real_prices(key: str, file: str, shared_data: Path) -> None:
    assert_equals_definition(key, bars_of_file(shared_data / file))


def test_every_indicator_has_a_definition() -> None:
    assert set(DEFINITIONS) == set(INDICATORS)
