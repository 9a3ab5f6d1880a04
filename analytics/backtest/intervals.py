"""How sure the headline metrics are: the sessions of a run drawn again in blocks, the metrics taken of every draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.bootstrap import optimal_block_length, stationary_rows
from analytics.conventions import CONFIDENCE, STD_DDOF, TRADING_DAYS, FloatArray
from analytics.metrics import METRICS, Performance
from analytics.portfolio.intervals import MIN_SESSIONS, portfolio_intervals

DRAWS: Final = 1_500  # an end of the interval is then known to about a twelfth of the standard error
CHUNK: Final = 25  # draws at a time: what they need of memory stays in the processor's cache
MIN_DEFINED: Final = 0.5  # share of the draws that must define a metric
ZERO: Final = 1e-12  # a deviation smaller than this is what rounding leaves of none
WIDEST: Final = 4.0  # high end over low end of a volatility; what is wider says nothing that one could use
SPREADS: Final = ("annual_volatility", "annual_tracking_error")  # which no bootstrap of daily returns knows well
FALLS: Final = ("max_drawdown", "calmar_ratio")  # which depend on how long stormy times last
HEADLINE: Final = (
    "total_return", "annual_return", "sharpe_ratio", "sortino_ratio", "annual_alpha", "beta", "information_ratio",
    *FALLS, *SPREADS,
)  # fmt: skip


def headline_intervals(performance: Performance, *, seed: int, draws: int = DRAWS) -> dict[str, tuple[float, float]]:
    """Return the 95 % interval (low, high) of each of HEADLINE, in the registry's units.

    The quantiles 2.5 % and 97.5 % of the metric over stationary bootstraps of the sessions (Politis and Romano 1994),
    account, benchmark and risk-free rate drawn together, in blocks by `block_lengths`; of SPREADS those of
    `portfolio_intervals`, which are no bootstrap. The same seed gives the same intervals. NaN when: fewer than
    MIN_SESSIONS returns are known, the metric itself is undefined, most draws do not define it, or the high end of one
    of SPREADS is more than WIDEST times the low one (an account that is mostly in cash: too few stormy times to judge).
    """
    sessions = _sessions(performance)
    unknown = (float("nan"), float("nan"))
    if len(sessions) < MIN_SESSIONS:
        return dict.fromkeys(HEADLINE, unknown)
    of_means, of_falls = block_lengths(sessions[:, 0])
    values = _redrawn(bootstrap_metrics, sessions, of_means, seed=seed, draws=draws)
    values |= _redrawn(_falls, sessions, of_falls, seed=seed, draws=draws)
    found = {key: _interval(drawn) for key, drawn in values.items()}
    returns, _, benchmark = sessions.T
    for key, series in zip(SPREADS, (returns, returns - benchmark), strict=True):
        spread = portfolio_intervals(series[np.isfinite(series)])
        low, high = float(spread.volatility_low), float(spread.volatility_high)
        found[key] = (low, high) if high <= WIDEST * low else unknown
    defined = {key: np.isfinite(METRICS[key].func(performance)) for key in HEADLINE}
    return {key: found[key] if defined[key] else unknown for key in HEADLINE}


def block_lengths(returns: FloatArray) -> tuple[float, float]:
    """Return the mean block lengths for means and for drawdowns: how long returns depend, and how long their size does.

    Of daily returns the first is a day or two, the second weeks: with it, means would be drawn from too few blocks.
    """
    of_means = optimal_block_length(returns)
    return of_means, max(of_means, optimal_block_length((returns - returns.mean()) ** 2))


def _redrawn(
    measure: Callable[[FloatArray, np.ndarray], dict[str, FloatArray]], sessions: FloatArray, block_length: float, *,
    seed: int, draws: int,
) -> dict[str, FloatArray]:  # fmt: skip
    """What `measure` finds in each draw, (draws,) per key."""
    rng, n = np.random.default_rng(seed), len(sessions)
    parts = [
        measure(sessions, stationary_rows(rng, n=n, block_length=block_length, draws=min(CHUNK, draws - done)))
        for done in range(0, draws, CHUNK)
    ]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _sessions(performance: Performance) -> FloatArray:
    """Return, risk-free and benchmark return of each session with a return, (n_sessions, 3), NaN unknown."""
    unknown = np.full(np.shape(performance.returns), np.nan)
    columns = (performance.returns, performance.risk_free_returns, performance.benchmark_returns)
    table = np.column_stack([unknown if column is None else column for column in columns])
    return table[np.isfinite(table[:, 0])]


def bootstrap_metrics(sessions: FloatArray, rows: np.ndarray) -> dict[str, FloatArray]:
    """Return {metric: (draws,)} of resamples: rows (draws, n) of sessions (n, 3), return, risk-free, benchmark.

    All of HEADLINE but SPREADS, by the registry's definitions. NaN when: the registry says so.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _of_moments(sessions, rows) | _of_paths(sessions[:, 0], rows)


def _falls(sessions: FloatArray, rows: np.ndarray) -> dict[str, FloatArray]:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = _of_paths(sessions[:, 0], rows)
    return {key: found[key] for key in FALLS}


def _of_paths(returns: FloatArray, rows: np.ndarray) -> dict[str, FloatArray]:
    """What depends on the wealth along each draw."""
    growth = np.cumprod((1.0 + returns)[rows], axis=1)
    peaks = np.maximum.accumulate(np.maximum(growth, 1.0), axis=1)
    final, drawdown = growth[:, -1], (growth / peaks).min(axis=1) - 1.0
    annual = np.power(final, TRADING_DAYS / len(returns)) - 1.0
    return {
        "total_return": final - 1.0, "annual_return": annual, "max_drawdown": drawdown,
        "calmar_ratio": _ratio(annual, -drawdown),
    }  # fmt: skip


def _of_moments(sessions: FloatArray, rows: np.ndarray) -> dict[str, FloatArray]:
    """What depends on sums over each draw alone, and so on how often each session is in it."""
    draws, n = rows.shape
    own = (rows + n * np.arange(draws)[:, None]).ravel()
    counts = np.bincount(own, minlength=draws * n).reshape(draws, n).astype(float)
    returns, free, benchmark = sessions.T
    excess, above, active = returns - free, benchmark - free, returns - benchmark
    own_excess, below, ahead, line = _moments(
        counts, [(excess, excess), (np.minimum(excess, 0.0) ** 2, excess), (active, active), (above, excess)]
    )  # fmt: skip
    year = np.sqrt(TRADING_DAYS)
    slope = np.where(_deviation(line.variance) > 0.0, line.covariance / line.variance, np.nan)
    return {
        "sharpe_ratio": _ratio(own_excess.mean, _deviation(own_excess.variance)) * year,
        "sortino_ratio": _ratio(TRADING_DAYS * own_excess.mean, np.sqrt(TRADING_DAYS * np.maximum(below.mean, 0.0))),
        "information_ratio": _ratio(ahead.mean, _deviation(ahead.variance)) * year,
        "beta": slope,
        "annual_alpha": TRADING_DAYS * (line.mean_other - slope * line.mean),
    }


@dataclass(frozen=True)
class _Moments:
    """Of one series over each draw, (draws,): its mean and variance, another's mean and their covariance."""

    mean: FloatArray
    mean_other: FloatArray
    variance: FloatArray
    covariance: FloatArray


def _moments(counts: FloatArray, pairs: Sequence[tuple[FloatArray, FloatArray]]) -> list[_Moments]:
    """The moments of each pair over the sessions where both are known, all in one product: counts is (draws, n)."""
    columns, centres = [], []
    for pair in pairs:
        known = np.isfinite(pair[0]) & np.isfinite(pair[1])
        centre = [float(one[known].mean()) if known.any() else 0.0 for one in pair]
        x, y = (np.where(known, one - middle, 0.0) for one, middle in zip(pair, centre, strict=True))
        columns += [known, x, y, x * x, x * y]  # centred, so that the variance is no small difference of large sums
        centres += [centre]
    sums = (counts @ np.column_stack(columns)).T.reshape(len(centres), 5, -1)
    found = []
    for (size, x, y, xx, xy), centre in zip(sums, centres, strict=True):
        degrees = np.where(size > STD_DDOF, size - STD_DDOF, np.nan)
        found.append(
            _Moments(
                centre[0] + x / size, centre[1] + y / size, (xx - x * x / size) / degrees, (xy - x * y / size) / degrees
            )
        )
    return found


def _deviation(variance: FloatArray) -> FloatArray:
    deviation = np.sqrt(np.maximum(variance, 0.0))
    return np.where(deviation <= ZERO, 0.0, deviation)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.where(np.abs(denominator) > ZERO, numerator / denominator, np.nan)


def _interval(values: FloatArray) -> tuple[float, float]:
    defined = values[np.isfinite(values)]
    if len(defined) < MIN_DEFINED * len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0])
    return float(low), float(high)
