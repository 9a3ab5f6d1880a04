"""What a run might earn from here on: its sessions drawn again in blocks, in a kinder or a harsher market."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.backtest.intervals import block_lengths
from analytics.conventions import STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import InputError

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
FAN_POINTS: Final = 120  # of the picture
CHUNK: Final = 50  # paths at a time: what they need of memory stays in the processor's cache
MIN_SESSIONS: Final = 60
MOST_DRAWS: Final = 20_000
MOST_YEARS: Final = 50.0
MOST_MULTIPLIER: Final = 10.0


@dataclass(frozen=True, eq=False)
class Paths:
    """Simulated paths of the value of 1 invested.

    sessions (n_points,): from 0, the start, to the horizon. fan (n_points, n_quantiles): QUANTILES of the value at each.
    final_value, max_drawdown (draws,): of each path, the drawdown 0 or less. loss_probability: share of the paths that
    end below 1; ruin_probability: that lose everything on the way. beta: of the run to the market, by which the premium
    shock was passed on, NaN where the market is not known. block_sessions: length of the blocks.
    """

    sessions: np.ndarray
    fan: FloatArray
    final_value: FloatArray
    max_drawdown: FloatArray
    loss_probability: float
    ruin_probability: float
    beta: float
    block_sessions: int


def simulate_paths(
    returns: npt.ArrayLike, market_returns: npt.ArrayLike | None = None, *, seed: int, draws: int = 1_000,
    years: float = 5.0, premium_shock: float = 0.0, volatility_multiplier: float = 1.0,
) -> Paths:  # fmt: skip
    """Return paths of a run over `years`, from its own returns: simple, per session, (n_sessions,), NaN left out.

    market_returns: the same shape. premium_shock: what the market earns more per year than it did, a fraction; the run
    gets its beta times that, spread over the sessions. volatility_multiplier: of each session's deviation from the mean.
    Circular block bootstrap (Politis and Romano 1992) in blocks as long as storms last, `block_lengths`. A path that
    loses everything stays at 0. The same seed gives the same paths. Raises InputError on under 60 known sessions,
    numbers out of range, and a premium shock without a market.
    """
    run, market = _known(returns, market_returns)
    _check(draws=draws, years=years, premium_shock=premium_shock, volatility_multiplier=volatility_multiplier)
    beta = _beta(run, market)
    if premium_shock and math.isnan(beta):
        raise InputError(
            "premium_shock", got=premium_shock, allowed="0 where the market's returns are not known or do not vary"
        )
    drift = beta * premium_shock / TRADING_DAYS if premium_shock else 0.0
    growth = 1.0 + run.mean() + volatility_multiplier * (run - run.mean()) + drift
    n, horizon = len(run), max(1, round(years * TRADING_DAYS))
    length = min(math.ceil(block_lengths(run)[1]), n)
    points = np.unique(np.linspace(0, horizon, min(FAN_POINTS, horizon) + 1).round().astype(int))
    rng = np.random.default_rng(seed)
    chunks = [
        _paths(np.maximum(growth, 0.0), rng, length, horizon, min(CHUNK, draws - done), points)
        for done in range(0, draws, CHUNK)
    ]
    shown, drawdown = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    final = shown[:, -1]
    return Paths(
        points, np.quantile(shown, QUANTILES, axis=0).T, final, drawdown,
        loss_probability=float((final < 1.0).mean()), ruin_probability=float((final == 0.0).mean()),
        beta=beta, block_sessions=length,
    )  # fmt: skip


def _paths(
    growth: FloatArray, rng: np.random.Generator, length: int, horizon: int, draws: int, points: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """Value at the points, (draws, n_points), and the deepest drawdown, (draws,); growth is 1 + return of each session."""
    n = len(growth)
    starts = rng.integers(0, n, (draws, -(-horizon // length)))
    round_again = np.concatenate([growth, growth[: length - 1]])  # the end is followed by the start
    blocks = np.lib.stride_tricks.sliding_window_view(round_again, length)[starts]
    value = np.ones((draws, horizon + 1))
    np.cumprod(blocks.reshape(draws, -1)[:, :horizon], axis=1, out=value[:, 1:])
    drawdown = (value / np.maximum.accumulate(value, axis=1)).min(axis=1) - 1.0
    return value[:, points], drawdown


def _known(returns: npt.ArrayLike, market: npt.ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    """The run's and the market's returns on the sessions where all that is given is known; the market NaN where not."""
    run = np.asarray(returns, dtype=float)
    beside = np.full(run.shape, np.nan) if market is None else np.asarray(market, dtype=float)
    if run.ndim != 1 or beside.shape != run.shape:
        raise InputError("market_returns", got=beside.shape, allowed=f"one return per session, {run.shape}")
    kept = np.isfinite(run) & (np.isfinite(beside) if market is not None else True)
    if kept.sum() < MIN_SESSIONS:
        raise InputError("returns", got=f"{kept.sum()} known sessions", allowed=f"{MIN_SESSIONS} or more")
    return run[kept], beside[kept]


def _beta(run: FloatArray, market: FloatArray) -> float:
    covariance = np.cov(run, market, ddof=STD_DDOF)
    return float(covariance[0, 1] / covariance[1, 1]) if covariance[1, 1] > 0.0 else math.nan


def _check(*, draws: int, years: float, premium_shock: float, volatility_multiplier: float) -> None:
    ranges = {
        "draws": (draws, 1, MOST_DRAWS),
        "years": (years, 1.0 / TRADING_DAYS, MOST_YEARS),
        "premium_shock": (premium_shock, -1.0, 1.0),
        "volatility_multiplier": (volatility_multiplier, 0.0, MOST_MULTIPLIER),
    }
    for field, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise InputError(field, got=value, allowed=f"{low:g} to {high:g}")
    if draws != int(draws):
        raise InputError("draws", got=draws, allowed="a whole number")
