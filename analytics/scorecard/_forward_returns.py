"""The return that whoever acts on a signal at the next open would have had."""

from typing import Final

import numpy as np

from analytics.conventions import FloatArray
from analytics.market import Bars

HORIZONS: Final = (5, 21, 63)  # sessions held


def forward_returns(bars: Bars, horizon: int) -> FloatArray:
    """Return the total return over `horizon` sessions after the next open, shape (n_sessions,).

    Row t is bought at the open of t + 1 (adjusted for dividends) and held to the close of t + horizon; where that open
    is unknown it is bought at the close of t + 1 and held to the close of t + 1 + horizon.
    NaN when: the last of these sessions is still to come.
    """
    found = np.full(len(bars), np.nan)
    last = len(bars) - horizon - 1  # rows whose purchase at a close is over
    if last < 0:
        return found
    opens = bars.open * bars.adj_close / bars.close
    bought, sold = opens[1 : last + 2], bars.adj_close[horizon : last + 1 + horizon]
    found[: last + 1] = sold / bought - 1
    by_close = np.full(last + 1, np.nan)
    by_close[:last] = bars.adj_close[1 + horizon :] / bars.adj_close[1 : last + 1] - 1
    unknown = ~np.isfinite(bought)
    found[: last + 1][unknown] = by_close[unknown]
    return found
