"""Stochastic RSI (Chande and Kroll): where the relative strength index stands within its own recent range."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import ROUNDING, Columns, Vote, either, sign_of
from analytics.indicators.rsi import compute as relative_strength
from analytics.indicators.stochastic import OVERBOUGHT, OVERSOLD, any_of_last
from analytics.parameters import Parameter


def compute(inputs: Columns, *, rsi: int, window: int, smooth_k: int, smooth_d: int) -> tuple[FloatArray, ...]:
    """Return %K and %D, each of shape (n,), 0 to 100.

    NaN when: fewer than rsi + window + smooth_k + smooth_d − 2 bars, a range that enters the averages is zero, or an
    RSI that enters it is unknown.
    """
    close = inputs["close"]
    raw, slow_k = talib.STOCHRSI(
        close, timeperiod=rsi, fastk_period=window, fastd_period=smooth_k, fastd_matype=talib.MA_Type.SMA
    )
    (index,) = relative_strength(inputs, window=rsi)
    # TA-Lib gives 0, the most oversold, where the range is zero, and makes one of the last bits of the RSI of a halted
    # stock; it takes a close that has never moved for an RSI of 0. Those bars reach as far as the averages do.
    filled = np.nan_to_num(index)
    flat = talib.MAX(filled, timeperiod=window) - talib.MIN(filled, timeperiod=window) <= ROUNDING * 100
    flat |= any_of_last(np.isnan(index), window)
    slow_d = talib.SMA(slow_k, timeperiod=smooth_d) if smooth_d > 1 else slow_k
    return (
        np.where(any_of_last(flat, smooth_k) | np.isnan(raw), np.nan, slow_k),
        np.where(any_of_last(flat, smooth_k + smooth_d - 1), np.nan, slow_d),
    )


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy when both lines are oversold and %K is above %D, sell when both are overbought and %K is below."""
    k, d = outputs["stoch_rsi_k"], outputs["stoch_rsi_d"]
    turn = sign_of(k - d, scale=100.0)
    return either(
        (k < OVERSOLD) & (d < OVERSOLD) & (turn > 0),
        (k > OVERBOUGHT) & (d > OVERBOUGHT) & (turn < 0),
    )


INDICATOR = Indicator(
    key="stochastic_rsi",
    label="Stochastic RSI 14/14/3/3",
    description="The RSI within its own range of 14 sessions, smoothed: a nervous oscillator that finds turns early.",
    formula="%K = SMA_3(100 · (RSI − min_14 RSI) / (max_14 RSI − min_14 RSI)); %D = SMA_3(%K)",
    reference="Chande and Kroll, The New Technical Trader (1994); TA-Lib STOCHRSI (its fast %D is this %K)",
    group="oscillator",
    pane="own",
    inputs=("close",),
    outputs=("stoch_rsi_k", "stoch_rsi_d"),
    parameters=(
        Parameter("rsi", "RSI window", 14, "sessions in the RSI", minimum=2, maximum=200),
        Parameter("window", "Window", 14, "sessions in the range", minimum=2, maximum=200),
        Parameter("smooth_k", "%K smoothing", 3, "sessions in the average that gives %K", minimum=1, maximum=50),
        Parameter("smooth_d", "%D smoothing", 3, "sessions in the average that gives %D", minimum=1, maximum=50),
    ),
    compute=compute,
    warm_up=31,
    votes=(
        Vote(
            key="stochastic_rsi", label="Stochastic RSI",
            rule="buy while %K and %D are below 20 and %K is above %D, sell while both are above 80 and %K is below %D",
            decide=vote, rating="oscillator",
            because=("%K at {stoch_rsi_k:.1f} and %D at {stoch_rsi_d:.1f} are oversold, and %K is turning up.",
                     "%K at {stoch_rsi_k:.1f} and %D at {stoch_rsi_d:.1f} show no turn from below 20 or from above 80.",
                     "%K at {stoch_rsi_k:.1f} and %D at {stoch_rsi_d:.1f} are overbought, and %K is turning down."),
        ),
    ),
    levels=(OVERSOLD, OVERBOUGHT),
)  # fmt: skip
