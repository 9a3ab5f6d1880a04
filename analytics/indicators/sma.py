"""Simple moving averages of the close: the trend over two weeks, a month, a quarter and a year."""

import talib

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, average_vote, sign_of
from analytics.parameters import Parameter

WINDOWS = (10, 20, 30, 50, 100, 200)
OUTPUTS = tuple(f"sma_{window}" for window in WINDOWS)


def compute(inputs: Columns, **windows: int) -> tuple[FloatArray, ...]:
    """Return the six averages, each of shape (n,) in USD. NaN when: fewer than `window` bars.

    Raises InputError where sma_50 is not below sma_200: their vote would mean the opposite.
    """
    if windows["sma_50"] >= windows["sma_200"]:
        raise InputError(
            "sma_50",
            got=windows["sma_50"],
            allowed=f"less than sma_200 ({windows['sma_200']})",
            fix="Their vote compares them.",
        )
    return tuple(talib.SMA(inputs["close"], timeperiod=windows[name]) for name in OUTPUTS)


def trend(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy while the 50-session average is above the 200-session average."""
    return sign_of(outputs["sma_50"] - outputs["sma_200"], scale=outputs["sma_200"])


INDICATOR = Indicator(
    key="sma",
    label="SMA",
    description="The average close of the last 10 to 200 sessions: which way the price has been drifting.",
    formula="SMA_n(t) = (C_t + … + C_{t−n+1}) / n",
    reference="TA-Lib SMA",
    group="moving_average",
    pane="price",
    inputs=("close",),
    outputs=OUTPUTS,
    parameters=tuple(
        Parameter(name, f"SMA {window}", window, "sessions in this average", minimum=2, maximum=500)
        for name, window in zip(OUTPUTS, WINDOWS, strict=True)
    ),
    compute=compute,
    warm_up=199,
    votes=(
        Vote(
            key="sma", label="SMA 50 / 200", rule="buy while SMA 50 is above SMA 200, sell while below", decide=trend,
            because=("SMA 50 at {sma_50:,.2f} is above SMA 200 at {sma_200:,.2f}.", "SMA 50 equals SMA 200 at {sma_200:,.2f}.",
                     "SMA 50 at {sma_50:,.2f} is below SMA 200 at {sma_200:,.2f}."),
            reads=("sma_50", "sma_200"),
        ),
        *(average_vote(name, f"SMA {window}", warm_up=window - 1) for name, window in zip(OUTPUTS, WINDOWS, strict=True)),
    ),
    drawn=("sma_20", "sma_50", "sma_200"),
)  # fmt: skip
