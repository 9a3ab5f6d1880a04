"""Sweeps of moving averages against vectorbt, a portfolio of 100 tickers in the engine, and what compiling costs."""

import os
import subprocess
import sys
from typing import Any

import config
from bench.measure import Benchmark, Clock, Row, Times, agree, race
from bench.stores import as_bars, scratch, simulated

TICKERS, SESSIONS, YEARS = 20, 6_300, 26
PAIRS = [(fast, slow) for fast in range(5, 55, 5) for slow in range(60, 260, 20)]
MANY = [(fast, slow) for fast in range(2, 52) for slow in range(60, 160)]
RATE, CAPITAL = 0.0001, 100_000.0
THREADS, ROUNDS, SHORT_RUNS, MANY_AIM = 2, 5, 3, 2.0
SAME = 1e-9  # relative, of the metrics that both have
PORTFOLIO, PORTFOLIO_ROUNDS, PORTFOLIO_AIM = 100, 5, 0.5
FRESH_RUNS = 4  # the first one compiles

FRESH = """
import time
import numpy as np
from analytics.backtest import BacktestSpec, kernel, sweep
from analytics.backtest.engine import total_return_prices
from analytics.backtest.orders import Orders
from bench.subjects.backtest import flat_costs, random_panel
prices, spec, order = total_return_prices(random_panel(300, 2)), BacktestSpec(), np.array([1])
orders = Orders(order - 1, order, order - 1, np.ones(1), np.ones(1))
begin = time.perf_counter()
states = sweep.moving_average_crossings(prices.close, [(5, 20)])
sweep.sweep(prices, states, costs=flat_costs())
middle = time.perf_counter()
kernel.simulate(prices, orders, spec, np.zeros(300), 0, 300)
print(middle - begin, time.perf_counter() - middle)
"""
MEMORY = """
import sys
from bench.subjects.backtest import PAIRS, SESSIONS, TICKERS, ours, random_panel, theirs
from analytics.backtest.engine import total_return_prices

def kept(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) / 1024

run = ours if sys.argv[1] == "ours" else theirs
run(total_return_prices(random_panel(300, 2)), PAIRS[:2])
prices = total_return_prices(random_panel(SESSIONS, TICKERS))
before = kept("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
run(prices, PAIRS)
print(kept("VmHWM") - before)
"""


def run() -> list[Row]:
    return [*_sweeps(), *_fresh_process(), *_portfolio()]


def flat_costs() -> Any:
    from analytics.backtest.terms import FREE, Costs

    return Costs(**{**FREE, "fee_rate": 0.0005, "half_spread": 0.0001, "slippage_rate": 0.0005})


def random_panel(sessions: int, tickers: int) -> Any:
    """Bars that are all there, so that the peer can read them too."""
    import numpy as np

    from analytics.market import Panel

    rng = np.random.default_rng(1)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.015, (sessions, tickers)), axis=0))
    open_ = close * np.exp(rng.normal(0.0, 0.005, close.shape))
    dates = np.datetime64("2000-01-03") + np.arange(sessions)
    high, low = np.maximum(open_, close), np.minimum(open_, close)
    return Panel(
        dates, tuple(f"T{i:03}" for i in range(tickers)), open_, high, low, close, close, np.full(close.shape, 1e6)
    )


def ours(prices: Any, pairs: Any, *, threads: int = THREADS) -> dict[str, Any]:
    """Signals and metrics of all pairs."""
    import numpy as np

    from analytics.backtest.sweep import moving_average_crossings, sweep

    states = moving_average_crossings(prices.close, pairs)
    rates = np.full(len(prices.close), RATE)
    return dict(sweep(
        prices, states, costs=flat_costs(), risk_free=rates, cash_interest=False, initial_capital=CAPITAL, threads=threads
    ).metrics)  # fmt: skip


def theirs(prices: Any, pairs: Any) -> dict[str, Any]:
    """The same by vectorbt."""
    from bench.backtest_peer import vectorbt_sweep

    costs = flat_costs()
    return vectorbt_sweep(
        prices.open, prices.close, pairs, fees=costs.fee_rate, slippage=costs.half_spread + costs.slippage_rate,
        capital=CAPITAL, rate=RATE,
    )  # fmt: skip


def _sweeps() -> list[Row]:
    from analytics.backtest.engine import total_return_prices

    prices = total_return_prices(random_panel(SESSIONS, TICKERS))
    found, expected = ours(prices, PAIRS), theirs(prices, PAIRS)
    both = [name for name in found if name in expected]
    for name in both:
        agree(name, found[name], expected[name], rtol=SAME)
    clock, one = Clock(), total_return_prices(random_panel(SESSIONS, 1))
    for _ in range(ROUNDS):  # all in turn, so that a busy machine slows all
        for threads in (THREADS, 1):
            for _ in range(SHORT_RUNS):
                clock.take(f"ours, {threads}", lambda: ours(prices, PAIRS, threads=threads))  # noqa: B023  called at once
        clock.take("theirs", lambda: theirs(prices, PAIRS))
        clock.take("many", lambda: ours(one, MANY))
    peer, other = "vectorbt, engine rust", clock.of("theirs")
    pooled, single = clock.of(f"ours, {THREADS}"), clock.of("ours, 1")
    name = f"{len(PAIRS)} SMA pairs × {TICKERS} tickers × {SESSIONS:,} bars"
    return [
        Row(f"{name}, {THREADS} threads", pooled, peer, other,
            note=f"{len(found)} metrics against {len(expected)}, {len(both)} of them the same to {SAME:g}; signals included. "
                 f"Peak memory over the inputs: {_memory('ours'):.0f} MB, the peer's {_memory('theirs'):,.0f} MB."),
        Row(f"{name}, 1 thread", single, peer, other,
            note=f"processor time {single.median_cpu * 1e3:.0f} ms against {other.median_cpu:.2f} s: {other.median_cpu / single.median_cpu:.0f} times."),
        Row(f"{len(MANY):,} SMA pairs × 1 ticker × {SESSIONS:,} bars", clock.of("many"), aim=MANY_AIM),
    ]  # fmt: skip


def _memory(which: str) -> float:
    """Peak memory in MB of a warm process over what it held with its inputs."""
    return float(_python(MEMORY, which))


def _python(code: str, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=config.ROOT, check=False,
        env={**os.environ, **variables},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    return done.stdout


def _fresh_process() -> list[Row]:
    """The first call of a fresh process, numba already imported: with nothing on disk, then with the code kept there."""
    with scratch() as folder:
        taken = [_python(FRESH, NUMBA_CACHE_DIR=str(folder)).split() for _ in range(FRESH_RUNS)]
    rows: list[Row] = []
    for name, seconds in zip(("sweep", "engine of record"), zip(*taken, strict=True), strict=True):
        cold, *warm = map(float, seconds)
        rows += [
            Row(
                f"{name}, compiled with nothing on disk",
                Times((cold,)),
                note="numba imported before; the first one read from disk starts LLVM." if not rows else "",
            ),
            Row(f"{name}, read from disk", Times(tuple(warm)), "compiling it", Times((cold,))),
        ]
    return rows


def _portfolio() -> list[Row]:
    """A rebalanced portfolio with every cost: the engine alone, then the whole answer."""
    import numpy as np

    from analytics.backtest import BacktestSpec, run_backtest
    from analytics.backtest.decisions import decide_orders
    from analytics.backtest.engine import total_return_prices
    from analytics.backtest.inputs import StrategyInputs
    from analytics.backtest.kernel import simulate
    from analytics.market import Panel

    panel = Panel.of(as_bars(simulated(PORTFOLIO, YEARS).prices))
    n = len(panel.dates)
    inputs = StrategyInputs(panel, np.zeros(len(panel.tickers), np.int64), np.full(n, RATE))
    spec = BacktestSpec(strategy="equal_weight")
    prices, orders = total_return_prices(panel), decide_orders(inputs, spec, first=0, last=n).due()
    engine = race(lambda: simulate(prices, orders, spec, inputs.risk_free, 0, n), lambda: None, rounds=PORTFOLIO_ROUNDS)
    whole = race(lambda: run_backtest(inputs, spec), lambda: None, rounds=PORTFOLIO_ROUNDS)
    name = f"{len(panel.tickers)} tickers × {n:,} sessions, equal weights restored"
    return [
        Row(f"{name}, the engine", engine[0], aim=PORTFOLIO_AIM, note=f"{len(orders):,} orders, every cost."),
        Row(f"{name}, run_backtest", whole[0], note="decisions, benchmark, trades and every metric too."),
    ]


BENCHMARK = Benchmark("backtest", "sweeps of parameters, a large portfolio, what compiling costs", run)
