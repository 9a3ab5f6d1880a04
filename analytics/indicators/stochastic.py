"""Slow stochastic oscillator (Lane): where the close stands within its recent range."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, band_vote
from analytics.parameters import Parameter

OVERSOLD, OVERBOUGHT = 20.0, 80.0


def compute(inputs: Columns, *, window: int, smooth_k: int, smooth_d: int) -> tuple[FloatArray, ...]:
    """Return %K and %D, each of shape (n,), 0 to 100.

    NaN when: fewer than window + smooth_k + smooth_d − 2 bars, or a range that enters the averages is zero.
    """
    high, low, close = inputs["high"], inputs["low"], inputs["close"]
    slow_k, slow_d = talib.STOCH(
        high, low, close, fastk_period=window, slowk_period=smooth_k, slowk_matype=talib.MA_Type.SMA,
        slowd_period=smooth_d, slowd_matype=talib.MA_Type.SMA,
    )  # fmt: skip
    # TA-Lib gives 0, the most oversold, where the range is zero; those bars reach as far as the averages do.
    flat = talib.MAX(high, timeperiod=window) == talib.MIN(low, timeperiod=window)
    return (
        np.where(any_of_last(flat, smooth_k), np.nan, slow_k),
        np.where(any_of_last(flat, smooth_k + smooth_d - 1), np.nan, slow_d),
    )


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy when both lines are oversold, sell when both are overbought."""
    both_high = np.minimum(outputs["stoch_k"], outputs["stoch_d"])
    both_low = np.maximum(outputs["stoch_k"], outputs["stoch_d"])
    return band_vote(both_low, buy_below=OVERSOLD, sell_above=np.inf) + band_vote(
        both_high, buy_below=-np.inf, sell_above=OVERBOUGHT
    )


def any_of_last(flags: np.ndarray, window: int) -> np.ndarray:
    """Return where a flag is set in one of the last `window` rows, shape (n,)."""
    return np.convolve(flags, np.ones(window))[: len(flags)] > 0


INDICATOR = Indicator(
    key="stochastic",
    label="Stochastic 14/3/3",
    description="Where the close stands between the lowest low and the highest high of 14 sessions, smoothed.",
    formula="%K = SMA_3(100 · (C − L_14) / (H_14 − L_14)); %D = SMA_3(%K); L_14, H_14 the lowest low and highest high",
    reference="Lane, Lane's Stochastics (1984); TA-Lib STOCH with simple averages",
    group="oscillator",
    pane="own",
    inputs=("high", "low", "close"),
    outputs=("stoch_k", "stoch_d"),
    parameters=(
        Parameter("window", "Window", 14, "sessions in the range", minimum=2, maximum=200),
        Parameter("smooth_k", "%K smoothing", 3, "sessions in the average that gives %K", minimum=1, maximum=50),
        Parameter("smooth_d", "%D smoothing", 3, "sessions in the average that gives %D", minimum=1, maximum=50),
    ),
    compute=compute,
    warm_up=17,
    votes=(
        Vote(
            key="stochastic",
            label="Stochastic",
            rule="buy while %K and %D are both below 20, sell while both are above 80",
            decide=vote,
            rating="oscillator",
            because=(
                "%K at {stoch_k:.1f} and %D at {stoch_d:.1f} are both below 20: oversold.",
                "%K at {stoch_k:.1f} and %D at {stoch_d:.1f} are not both below 20, nor both above 80.",
                "%K at {stoch_k:.1f} and %D at {stoch_d:.1f} are both above 80: overbought.",
            ),
        ),
    ),
    levels=(OVERSOLD, OVERBOUGHT),
)
