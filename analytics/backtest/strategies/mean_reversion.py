"""Buy what has fallen out of its usual range and sell it when it is back at its average."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import decisions, equal_share, sides
from analytics.backtest.strategies._strategy import Strategy
from analytics.conventions import FloatArray
from analytics.indicators import INDICATORS, compute_indicator
from analytics.market import Bars
from analytics.parameters import Parameter

MIDDLE = 50.0  # of the RSI
DIGITS = 9  # beyond them is the rounding of running sums, which must not decide a tie
NAMES = {"bollinger": "Bollinger", "rsi": "RSI"}
SIGNALS = (*NAMES, "both")


def decide(
    inputs: StrategyInputs, *, signal: str, window: int, width: float, rsi_window: int, oversold: float
) -> FloatArray:
    """Return 1 / n_tickers on a close below its range, the negative above it, 0 back at its middle, shape of the panel.

    bollinger: below the lower band, until at the middle one. rsi: below `oversold`, until 50; the mirror for shorts.
    both: out of both ranges to enter, at the middle of either to leave. NaN when: nothing changes.
    """
    highest, lowest = np.full((2, *inputs.panel.close.shape), np.nan)
    for column, ticker in enumerate(inputs.panel.tickers):
        rows = inputs.panel.has_bar[:, column]
        found = positions_in_range(
            inputs.panel.bars(ticker), signal, window=window, width=width, rsi_window=rsi_window, oversold=oversold
        )
        highest[rows, column], lowest[rows, column] = found.max(axis=0), found.min(axis=0)
    side = sides(inputs, highest < -1.0, lowest > 1.0, leave_long=highest >= 0.0, leave_short=lowest <= 0.0)
    return decisions(inputs, side * equal_share(inputs))


def positions_in_range(
    bars: Bars, signal: str, *, window: int, width: float, rsi_window: int, oversold: float
) -> FloatArray:
    """Return where a ticker stands in its range: 0 the middle, −1 and 1 the bounds, (n_indicators, n_sessions).

    One row per indicator that `signal` names. NaN when: in the warm-up, or where there is no range.
    """
    found = []
    if signal != "rsi":
        bands = compute_indicator(INDICATORS["bollinger"], bars, {"window": window, "width": width})
        half = bands["bb_upper"] - bands["bb_middle"]
        away = bars.close - bands["bb_middle"]
        found.append(np.divide(away, half, out=np.full(len(bars), np.nan), where=half > 0))
    if signal != "bollinger":
        index = compute_indicator(INDICATORS["rsi"], bars, {"window": rsi_window})["rsi_14"]
        found.append((index - MIDDLE) / (MIDDLE - oversold))
    return np.round(np.stack(found), DIGITS)


def explain(
    inputs: StrategyInputs,
    column: int,
    rows: np.ndarray,
    *,
    signal: str,
    window: int,
    width: float,
    rsi_window: int,
    oversold: float,
) -> list[str]:
    """Return where the ticker stood in its range at each decision."""
    bars = inputs.panel.bars(inputs.panel.tickers[column])
    at = np.searchsorted(bars.dates, inputs.panel.dates[rows])
    found = positions_in_range(bars, signal, window=window, width=width, rsi_window=rsi_window, oversold=oversold)
    names = [NAMES[key] for key in NAMES if signal in (key, "both")]
    return [", ".join(map(_words, names, standing)) for standing in found[:, at].T]


def _words(name: str, standing: float) -> str:
    if np.isnan(standing):
        return f"{name} unknown"
    if abs(standing) > 1.0:
        return f"{name} {'above' if standing > 0 else 'below'} its range"
    return f"{name} back at its middle"


STRATEGY = Strategy(
    key="mean_reversion",
    label="Mean reversion",
    description="Buys a ticker that has fallen out of its usual range and sells it when it is back at its average.",
    parameters=(
        Parameter("signal", "Signal", "bollinger", "what tells the range", one_of=SIGNALS),
        Parameter("window", "Window of the bands", 20, "sessions in the average", minimum=2, maximum=500),
        Parameter(
            "width", "Width of the bands", 2.0, "standard deviations to each side", minimum=0.1, maximum=5, step=0.1
        ),
        Parameter("rsi_window", "Window of the RSI", 14, "sessions in the average", minimum=2, maximum=200),
        Parameter(
            "oversold", "Oversold", 30.0, "RSI below which it buys; 100 less this: above which it sells",
            minimum=1, maximum=49,
        ),
    ),
    decide=decide,
    explain=explain,
)  # fmt: skip
