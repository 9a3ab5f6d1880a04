"""Hold a ticker from the day its indicators agree to buy until the day they agree to sell."""

from collections.abc import Sequence

import numpy as np

from analytics.backtest.strategies._strategy import Strategy, changes_only
from analytics.conventions import CORE_VOTES, VOTE_THRESHOLD, FloatArray
from analytics.errors import InputError
from analytics.indicators import VOTES, parse_settings, settings_text
from analytics.market import Panel
from analytics.parameters import Parameter
from analytics.signals import compute_votes, overall_signal


def signals(panel: Panel, *, threshold: int, votes: Sequence[str], indicator_parameters: str = "") -> FloatArray:
    """Return the overall signal of each ticker on its own calendar, shape (n_dates, n_tickers).

    NaN when: the ticker has no bar that day, or none of the votes is available.
    """
    values = np.full(panel.close.shape, np.nan)
    given = parse_settings(indicator_parameters)
    for column, ticker in enumerate(panel.tickers):
        available = compute_votes(panel.bars(ticker), keys=votes, parameters=given)
        values[panel.has_bar[:, column], column] = overall_signal(available, threshold=threshold)
    return values


def decide(
    panel: Panel, first_rows: np.ndarray, *, threshold: int, votes: Sequence[str], indicator_parameters: str = ""
) -> FloatArray:
    """Return 1 / n_tickers where a signal turns to buy, 0 where it turns to sell, shape of the panel.

    NaN when: nothing changes. Raises InputError where fewer votes are chosen than the threshold asks for.
    """
    if len(votes) < threshold:
        raise InputError(
            "threshold", got=threshold, allowed=f"at most the number of voting indicators, {len(votes)}",
            fix="Lower the threshold or let more indicators vote.",
        )  # fmt: skip
    signal = signals(panel, threshold=threshold, votes=votes, indicator_parameters=indicator_parameters)
    targets = np.select([signal == 1.0, signal == -1.0], [1.0 / len(panel.tickers), 0.0], np.nan)
    return changes_only(targets, first_rows)


STRATEGY = Strategy(
    key="technical_vote",
    label="Technical vote",
    description="Buys a ticker when enough indicators vote to buy and sells it when as many vote to sell.",
    parameters=(
        Parameter(
            "threshold", "Votes needed", VOTE_THRESHOLD, "indicators that must agree before a trade",
            minimum=1, maximum=len(VOTES),
        ),
        Parameter(
            "votes", "Voting indicators", CORE_VOTES, "the indicators whose votes are counted",
            choices=tuple(VOTES),
        ),
        Parameter(
            "indicator_parameters", "Indicator parameters", "",
            "such as rsi.window=21, macd.fast=8; empty: those of the stored signals", parse=settings_text,
        ),
    ),
    decide=decide,
)  # fmt: skip
