"""A warm backtest without a store, against the same orders through vectorbt's public interface."""

from typing import Any

from bench.measure import Benchmark, Row, agree, race
from bench.stores import as_bars, simulated

TICKERS, YEARS, ROUNDS = 20, 31, 5  # about 8,000 sessions
SAME = 1e-9  # relative, of the final account value


def run() -> list[Row]:
    import numpy as np

    from analytics.backtest import BacktestSpec, Costs, Rules, StrategyInputs, run_backtest
    from analytics.market import Panel
    from analytics.returns import daily_risk_free
    from bench.peers import vectorbt_from_orders

    bars = as_bars(simulated(TICKERS + 1, YEARS).prices)
    bars.popitem()  # the last one lists late: its missing prices would make vectorbt's account unknown
    panel = Panel.of(bars)
    risk_free = daily_risk_free(panel.dates, daily=None, monthly=None)
    inputs = StrategyInputs(panel, np.zeros(len(panel.tickers), dtype=np.int64), risk_free.values)
    costs = Costs(impact_coefficient=0.0, participation_cap=0.0)  # what the peer knows
    spec = BacktestSpec(costs=costs, rules=Rules(cash_interest=False))

    def ours() -> Any:
        return run_backtest(inputs, spec)

    orders = ours().orders

    def peer() -> np.ndarray:
        return vectorbt_from_orders(panel, orders, spec)

    agree("final equity", ours().equity[-1], peer()[-1], rtol=SAME)
    seconds, theirs = race(ours, peer, rounds=ROUNDS)
    return [
        Row(f"run_backtest, {TICKERS} tickers × {len(panel.dates):,} sessions", seconds,
            "vectorbt Portfolio.from_orders", theirs,
            note=f"{len(orders):,} orders. Ours decides them, fills them, does so again for buy and hold, and computes "
                 "every metric and trade; the peer is given the orders and returns value, statistics and trades."),
    ]  # fmt: skip


BENCHMARK = Benchmark("engine", "a warm backtest of 20 tickers", run)
