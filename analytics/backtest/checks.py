"""The second stage of an answer: its audit, its intervals, and each ticker on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from analytics.backtest.audit import audit_backtest
from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.intervals import headline_intervals
from analytics.backtest.result import BacktestResult
from analytics.backtest.simulate import Report, each_alone
from analytics.backtest.spec import BacktestSpec
from analytics.backtest.survivorship import Spell
from analytics.metrics import Performance

SEED: Final = 20_240_101


@dataclass(frozen=True, eq=False)
class Checks:
    """What is stored with an answer: plain JSON values beside its audit, and a row per ticker."""

    audit: dict[str, Any]
    tickers: pd.DataFrame


def check(
    inputs: StrategyInputs, spec: BacktestSpec, result: BacktestResult, *,
    members: Mapping[str, Sequence[Spell]] | None = None, report: Report | None = None,
) -> Checks:  # fmt: skip
    """Return the audit, the intervals and each ticker alone of an answer to `spec` on `inputs`.

    members: {universe: (ticker, first day, day after the last) of every membership}. Raises as `run_backtest` does.
    """
    tell = report or (lambda _fraction, _message: None)
    tell(0.0, "intervals")
    performance = Performance(
        dates=result.dates, returns=result.returns(spec.initial_capital), risk_free_returns=result.risk_free,
        benchmark_returns=result.benchmark_returns(spec.initial_capital),
    )  # fmt: skip
    intervals = headline_intervals(performance, seed=SEED)
    tell(0.1, "each ticker on its own")
    tickers = each_alone(inputs, spec)
    earned = result.trades.groupby("ticker")["pnl"].sum()
    tickers["contribution"] = tickers["ticker"].map(earned).fillna(0.0).astype(float)
    tell(0.2, "checking for look-ahead")
    audit = audit_backtest(
        inputs, spec, result, members=members, report=lambda done, message: tell(0.2 + 0.8 * done, message)
    )
    return Checks({**audit.as_dict(), "intervals": intervals}, tickers)
