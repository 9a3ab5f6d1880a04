"""Metrics of the benchmark itself, to stand beside those of the account."""

import math

from analytics.conventions import TRADING_DAYS
from analytics.metrics._arithmetic import compound, deviation
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance
from analytics.metrics.drawdowns import max_drawdown
from analytics.metrics.ratios import sharpe_ratio
from analytics.metrics.returns import annual_return


def _benchmark(performance: Performance) -> Performance:
    """The benchmark's record on the sessions where its return is known."""
    if performance.benchmark_returns is None:
        return Performance(performance.dates[:0], performance.returns[:0])
    return Performance(
        performance.dates, performance.benchmark_returns, risk_free_returns=performance.risk_free_returns
    )


def benchmark_total_return(performance: Performance) -> float:
    """Return the benchmark's compounded return. NaN when: it is not known."""
    return compound(*performance.known("benchmark_returns"))


def benchmark_annual_return(performance: Performance) -> float:
    """Return the benchmark's geometric return per year. NaN when: fewer than two returns are known."""
    return annual_return(_benchmark(performance))


def benchmark_annual_volatility(performance: Performance) -> float:
    """Return the benchmark's standard deviation per year. NaN when: fewer than two returns are known."""
    return deviation(*performance.known("benchmark_returns")) * math.sqrt(TRADING_DAYS)


def benchmark_sharpe_ratio(performance: Performance) -> float:
    """Return the benchmark's Sharpe ratio per year. NaN when: fewer than two excess returns, or constant."""
    return sharpe_ratio(_benchmark(performance))


def benchmark_max_drawdown(performance: Performance) -> float:
    """Return the benchmark's deepest fall from a peak, 0 or less. NaN when: it is not known."""
    return max_drawdown(_benchmark(performance))


def excess_total_return(performance: Performance) -> float:
    """Return the total return less the benchmark's, where both are known. NaN when: no session has both."""
    returns, benchmark = performance.benchmark_pair
    return compound(returns) - compound(benchmark)


METRICS = (
    Metric(
        key="benchmark_total_return",
        label="Benchmark total return",
        level="benchmark",
        formula="Π(1 + b_t) − 1",
        unit="fraction",
        better="neither",
        func=benchmark_total_return,
        reference="compounding",
        description="What buying and holding the same tickers with the same costs gained over the period.",
    ),
    Metric(
        key="benchmark_annual_return",
        label="Benchmark annual return",
        level="benchmark",
        formula=f"(1 + benchmark total return)^({TRADING_DAYS} / sessions) − 1",
        unit="fraction",
        better="neither",
        func=benchmark_annual_return,
        reference="compound annual growth rate",
        description="The constant yearly return that would have led to the benchmark's final value.",
    ),
    Metric(
        key="benchmark_annual_volatility",
        label="Benchmark annual volatility",
        level="benchmark",
        formula=f"s(b) √{TRADING_DAYS}",
        unit="fraction",
        better="neither",
        func=benchmark_annual_volatility,
        reference="empyrical annual_volatility",
        description="How widely the benchmark's yearly returns spread around their mean.",
    ),
    Metric(
        key="benchmark_sharpe_ratio",
        label="Benchmark Sharpe ratio",
        level="benchmark",
        formula=f"mean(b − f) / s(b − f) × √{TRADING_DAYS}",
        unit="ratio",
        better="neither",
        func=benchmark_sharpe_ratio,
        reference="Sharpe (1994)",
        description="The benchmark's yearly return above the risk-free rate per unit of volatility.",
    ),
    Metric(
        key="benchmark_max_drawdown",
        label="Benchmark maximum drawdown",
        level="benchmark",
        formula="min_t (B_t / max_{i≤t} B_i − 1), B_t the benchmark's wealth",
        unit="fraction",
        better="neither",
        func=benchmark_max_drawdown,
        reference="empyrical max_drawdown",
        description="The benchmark's deepest fall from an earlier peak, as a negative share of that peak.",
    ),
    Metric(
        key="excess_total_return",
        label="Total return above the benchmark",
        level="benchmark",
        formula="Π(1 + r_t) − Π(1 + b_t)",
        unit="fraction",
        better="higher",
        func=excess_total_return,
        reference="definition",
        description="What the account gained over the whole period beyond its benchmark, as a share of the capital.",
    ),
)
