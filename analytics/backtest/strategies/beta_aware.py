"""Ask more votes and put in less where the market falls on a high beta, or a factor tilt is losing."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._fundamental import factor_trend
from analytics.backtest.strategies._positions import decisions, equal_share, sides
from analytics.backtest.strategies._strategy import Strategy
from analytics.backtest.strategies._technical import (
    THRESHOLD,
    VOTERS,
    agreed,
    check_threshold,
    check_votes,
    explain_votes,
    vote_counts,
)
from analytics.conventions import FloatArray
from analytics.parameters import Parameter

MARKET = "mkt_rf"


def decide(
    inputs: StrategyInputs, *, threshold: int, votes: tuple[str, ...], high_beta: float, tilt: float, months: int,
    caution: float, indicator_parameters: str = "",
) -> FloatArray:  # fmt: skip
    """Return caution^warnings / n_tickers where threshold + warnings votes agree to buy, shape of the panel.

    Shorts are the mirror. A position closes where `threshold` votes agree against it, and changes its size with its
    warnings. NaN when: nothing changes. Raises InputError as technical_vote does.
    """
    check_threshold(threshold, votes)
    buys, sells = vote_counts(inputs.panel, votes=votes, indicator_parameters=indicator_parameters)
    long, short = (_warnings(inputs, sign, high_beta, tilt, months)[1] for sign in (1.0, -1.0))
    side = sides(
        inputs, agreed(buys, sells, threshold + long), agreed(sells, buys, threshold + short),
        leave_long=agreed(sells, buys, threshold), leave_short=agreed(buys, sells, threshold),
    )  # fmt: skip
    size = caution ** np.where(side < 0, short, long)
    return decisions(inputs, side * size * equal_share(inputs))


def _warnings(
    inputs: StrategyInputs, sign: float, high_beta: float, tilt: float, months: int
) -> tuple[np.ndarray, np.ndarray]:
    """Whether the market has moved against a high beta, and the number of all warnings, each (n_dates, n_tickers).

    sign: 1 for a long position, −1 for a short one. What is unknown gives no warning.
    """
    against = sign * factor_trend(inputs, MARKET, months=months) < 0.0
    market = against & (inputs.known("beta") > high_beta)
    count = market.astype(int)
    for factor in inputs.factors.factor_returns if inputs.factors else ():
        loading = inputs.known(factor)  # NaN, and so no warning, for the market, whose loading is `beta`
        losing = sign * loading * factor_trend(inputs, factor, months=months) < 0.0
        count += losing & (np.abs(loading) > tilt)
    return market, count


def explain(
    inputs: StrategyInputs, column: int, rows: np.ndarray, *, threshold: int, votes: tuple[str, ...], high_beta: float,
    tilt: float, months: int, caution: float, indicator_parameters: str = "",
) -> list[str]:  # fmt: skip
    """Return the votes behind each decision, and the warnings of the side that they are on."""
    said = explain_votes(inputs.panel, column, rows, votes=votes, indicator_parameters=indicator_parameters)
    found = {side: _warnings(inputs, sign, high_beta, tilt, months) for side, sign in (("buy", 1.0), ("sell", -1.0))}
    reasons = []
    for text, row in zip(said, rows, strict=True):
        market, count = found["sell" if "votes to sell" in text else "buy"]
        words = ["high beta against the market"] if market[row, column] else []
        tilts = int(count[row, column]) - len(words)
        words += [f"{tilts} losing factor tilt{'s' if tilts > 1 else ''}"] if tilts else []
        reasons.append("; ".join([text, *words]))
    return reasons


STRATEGY = Strategy(
    key="beta_aware",
    label="Integrated: beta-aware",
    description="Follows the technical vote, more cautiously for high betas in a falling market and for losing factor tilts.",
    parameters=(
        THRESHOLD,
        *VOTERS,
        Parameter(
            "high_beta", "High beta", 1.2, "market beta above which a falling market is a warning",
            minimum=0, maximum=5, step=0.1,
        ),
        Parameter(
            "tilt", "Tilt", 0.3, "size of a factor loading from which it counts as a tilt",
            minimum=0, maximum=5, step=0.1,
        ),
        Parameter(
            "months", "Months", 6, "published months over which the market and the factors are judged",
            minimum=1, maximum=60,
        ),
        Parameter(
            "caution", "Caution", 0.5, "each warning asks one vote more and multiplies the size by this",
            minimum=0, maximum=1, step=0.1,
        ),
    ),
    decide=decide,
    needs=("factors",),
    explain=explain,
    check=check_votes,
)  # fmt: skip
