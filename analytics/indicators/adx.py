"""Average directional index and directional indicators (Wilder): how strong a trend is, and which way it goes."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, sign_of
from analytics.parameters import Parameter

TRENDING = 20.0


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return ADX, +DI and −DI, each of shape (n,), 0 to 100.

    NaN when: fewer than 2 · window bars (ADX) or window + 1 bars (DI), or there has been no directional movement.
    """
    bars = inputs["high"], inputs["low"], inputs["close"]
    values = tuple(function(*bars, timeperiod=window) for function in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI))
    unmoved = (values[1] == 0) & (values[2] == 0)  # DX is 0/0, where TA-Lib carries its last value or 0
    return tuple(np.where(unmoved, np.nan, array) for array in values)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Follow the direction of the trend where there is one."""
    return np.where(outputs["adx_14"] > TRENDING, sign_of(outputs["plus_di_14"] - outputs["minus_di_14"]), 0.0)


INDICATOR = Indicator(
    key="adx",
    label="ADX 14",
    description="The strength of the trend, whichever way it goes; +DI and −DI tell the way.",
    formula="±DI = 100 · Wilder sum of ±DM / Wilder sum of TR; DX = 100 · |+DI − −DI| / (+DI + −DI); ADX = Wilder average of DX",
    reference="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib ADX, PLUS_DI, MINUS_DI",
    group="oscillator",
    pane="own",
    inputs=("high", "low", "close"),
    outputs=("adx_14", "plus_di_14", "minus_di_14"),
    parameters=(Parameter("window", "Window", 14, "sessions in the averages", minimum=2, maximum=200),),
    compute=compute,
    warm_up=27,
    votes=(
        Vote(
            key="adx",
            label="ADX and DI",
            rule="where ADX is above 20: buy while +DI is above −DI, sell while below",
            decide=vote,
            rating="oscillator",
            because=(
                "ADX at {adx_14:.1f} shows a trend, and +DI at {plus_di_14:.1f} is above −DI at {minus_di_14:.1f}.",
                "ADX at {adx_14:.1f} shows no trend (20), or +DI and −DI are equal.",
                "ADX at {adx_14:.1f} shows a trend, and −DI at {minus_di_14:.1f} is above +DI at {plus_di_14:.1f}.",
            ),
        ),
    ),
    levels=(TRENDING,),
)
