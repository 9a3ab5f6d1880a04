"""Fifty points of the long-only frontier, against an interior-point solver called once per point."""

from bench.measure import Benchmark, Row, agree, race
from bench.stores import simulated

SIZES, YEARS, POINTS, ROUNDS = (20, 100), 10, 50, 7
SOLVER = 1e-4  # relative, of a variance: where the solver stops


def run() -> list[Row]:
    return [_row(size) for size in SIZES]


def _row(size: int) -> Row:
    import numpy as np

    from analytics.conventions import FRONTIER_SESSIONS, TRADING_DAYS
    from analytics.portfolio import efficient_frontier
    from analytics.portfolio.covariance import ledoit_wolf
    from bench.peers import clarabel_frontier

    prices = simulated(size, YEARS).prices.pivot(index="date", columns="ticker", values="adj_close")
    returns = prices.to_numpy()[-FRONTIER_SESSIONS:]
    returns = returns[1:] / returns[:-1] - 1
    mean, covariance = TRADING_DAYS * returns.mean(axis=0), ledoit_wolf(returns)
    targets = efficient_frontier(mean, covariance, risk_free_rate=0.02, points=POINTS)

    def peer() -> np.ndarray:
        return clarabel_frontier(mean, covariance, targets.expected_return)

    agree("variance", targets.volatility**2, np.einsum("ij,jk,ik->i", peer(), covariance, peer()), rtol=SOLVER)
    seconds, theirs = race(
        lambda: efficient_frontier(mean, covariance, risk_free_rate=0.02, points=POINTS), peer, rounds=ROUNDS
    )
    return Row(f"efficient_frontier, {size} assets", seconds, "clarabel, once per point", theirs)


BENCHMARK = Benchmark("frontier", "fifty points of the efficient frontier", run)
