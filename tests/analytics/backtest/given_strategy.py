"""A strategy that decides what it is given, so that a whole backtest can be asked for any trades."""

from typing import Any

import numpy as np
import pytest

from analytics.backtest import simulate
from analytics.backtest.strategies import STRATEGIES, Strategy

KEY = "given"


def decide_as_given(monkeypatch: pytest.MonkeyPatch, decisions: Any) -> str:
    """Declare a strategy that decides `decisions`, (n_dates, n_tickers), whatever the prices; return its key.

    Each ticker on its own, and prices cut off, get what stands at the top left.
    """
    weights = np.asarray(decisions, dtype=float)

    def decide(inputs: Any) -> np.ndarray:
        n_dates, n_tickers = inputs.panel.close.shape
        return weights[:n_dates, :n_tickers].copy()

    declared = {**STRATEGIES, KEY: Strategy(KEY, "Given", "Decides what it is given.", (), decide)}
    for module in ("spec", "decisions", "simulate"):
        monkeypatch.setattr(f"analytics.backtest.{module}.STRATEGIES", declared)
    assert simulate.STRATEGIES is declared
    return KEY
