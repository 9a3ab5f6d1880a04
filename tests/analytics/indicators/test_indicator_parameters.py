"""Values at other parameters than the stored ones, against definitions in plain pandas."""

from math import isqrt

import numpy as np
import pandas as pd
import pytest
from sample_bars import index_bars
from tolerances import PARITY

from analytics.indicators import INDICATORS, compute_indicator


def frame() -> pd.DataFrame:
    bars = index_bars()
    return pd.DataFrame({name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")})


def assert_equal(key: str, given: dict[str, float], output: str, expected: pd.Series) -> None:
    found = compute_indicator(INDICATORS[key], index_bars(), given)[output]
    known = expected.notna().to_numpy()
    assert known.sum() > 1_000
    np.testing.assert_allclose(found[known], expected[known], rtol=PARITY, atol=PARITY)


def wma(values: pd.Series, window: int) -> pd.Series:
    weights = np.arange(1, window + 1)
    return values.rolling(window).apply(lambda part: part @ weights / weights.sum(), raw=True)


@pytest.mark.parametrize("window", [10, 16, 21])
def test_hull(window: int) -> None:
    close = frame().close
    assert_equal(
        "hull", {"window": window}, "hull_9", wma(2 * wma(close, window // 2) - wma(close, window), isqrt(window))
    )


@pytest.mark.parametrize("n", [10, 40])
def test_yang_zhang(n: int) -> None:
    bars = np.log(frame()[["open", "high", "low", "close"]])
    overnight, day = bars.open - bars.close.shift(), bars.close - bars.open
    up, down = bars.high - bars.open, bars.low - bars.open
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    inside = (up * (up - day) + down * (down - day)).rolling(n).mean()
    variance = overnight.rolling(n).var() + k * day.rolling(n).var() + (1 - k) * inside.where(overnight.notna())
    assert_equal("yang_zhang_volatility", {"window": n}, "yang_zhang_vol_21", np.sqrt(252 * variance))


def test_ultimate_oscillator() -> None:
    bars = frame()
    before = bars.close.shift()
    low, high = np.minimum(bars.low, before), np.maximum(bars.high, before)
    pressure, reach = (bars.close - low).where(before.notna()), (high - low).where(before.notna())
    shares = [pressure.rolling(n).sum() / reach.rolling(n).sum() for n in (5, 10, 20)]
    expected = 100 * (4 * shares[0] + 2 * shares[1] + shares[2]) / 7
    assert_equal("ultimate_oscillator", {"short": 5, "medium": 10, "long": 20}, "ultimate_oscillator", expected)


@pytest.mark.parametrize("smooth_d", [1, 5])
def test_stochastic(smooth_d: int) -> None:
    bars = frame()
    lowest, highest = bars.low.rolling(10).min(), bars.high.rolling(10).max()
    k = (100 * (bars.close - lowest) / (highest - lowest)).rolling(4).mean()
    given = {"window": 10, "smooth_k": 4, "smooth_d": smooth_d}
    assert_equal("stochastic", given, "stoch_d", k.rolling(smooth_d).mean())


@pytest.mark.parametrize(
    ("key", "name", "output"), [("cci", "window", "cci_20"), ("williams_r", "window", "williams_r_14")]
)
def test_windows_of_ranges(key: str, name: str, output: str) -> None:
    bars = frame()
    typical = (bars.high + bars.low + bars.close) / 3
    if key == "cci":
        window = typical.rolling(11)
        expected = (typical - window.mean()) / (
            0.015 * window.apply(lambda part: np.abs(part - part.mean()).mean(), raw=True)
        )
    else:
        highest, lowest = bars.high.rolling(11).max(), bars.low.rolling(11).min()
        expected = -100 * (highest - bars.close) / (highest - lowest)
    assert_equal(key, {name: 11}, output, expected)
