"""What a portfolio can lose over a horizon: from the past as it was, from a formula, and from simulated days."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import CONFIDENCE, FRONTIER_SEED, MONTHS, STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.portfolio._checks import at_least, complete_returns, expected_returns_and_covariance, finite
from analytics.portfolio.resampling import BLOCK_SESSIONS, block_dates

METHODS: Final = {
    "historical": "Historical",
    "normal": "Normal",
    "cornish_fisher": "Cornish-Fisher",
    "student_t": "Student t, simulated",
}
MONTH: Final = TRADING_DAYS // MONTHS  # sessions
LOSSES: Final = ("probability_of_loss", "value_at_risk", "expected_shortfall")
FIGURES: Final = ("expected_return", "volatility", *LOSSES, *(f"{name}_se" for name in LOSSES), "degrees")
RESAMPLES: Final = 200  # of the past, for the errors of the historical figures
BATCHES: Final = 20  # of the simulated draws, for theirs
NO_SHAPE: Final = 1e-24  # variance below which returns do not vary but for rounding, and have no tails


@dataclass(frozen=True)
class _Day:
    """One session of the portfolio: mean and volatility as estimated, skewness and excess kurtosis of its past."""

    mean: float
    volatility: float
    skewness: float
    kurtosis: float


@dataclass(frozen=True, eq=False)
class HorizonRisk:
    """What a portfolio can lose in several worlds: the table of `portfolio_risk` by world, and the returns behind it.

    past (n_windows,): the overlapping windows. simulated: (draws,) by world, from the same random days in each.
    """

    tables: dict[str, pd.DataFrame]
    past: FloatArray
    simulated: dict[str, FloatArray]


def portfolio_risk(
    weights: npt.ArrayLike, returns: npt.ArrayLike, expected_returns: npt.ArrayLike, covariance: npt.ArrayLike,
    **options: Any,
) -> pd.DataFrame:  # fmt: skip
    """Return what portfolio `weights` (n,) can lose over a horizon, one row a method (the keys of METHODS).

    expected_returns (n,) and covariance (n, n) are annual; the other parameters and the errors are those of
    `risk_in_worlds`. Columns, fractions over the horizon: label, expected_return, volatility, LOSSES (positive; the
    shortfall is the mean loss at or beyond the value at risk), the standard error of each with `_se` (NaN for a
    formula), degrees. historical: the overlapping windows of the past, whatever the other two say. normal: a horizon's
    mean and variance. cornish_fisher: with skewness and kurtosis too. student_t: independent days of that mean and
    variance, compounded, with the tails of the past where degrees is None.
    """
    return risk_in_worlds(weights, returns, {"": (expected_returns, covariance)}, **options).tables[""]


def risk_in_worlds(
    weights: npt.ArrayLike,
    returns: npt.ArrayLike,
    worlds: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    horizon_sessions: int = MONTH,
    confidence: float = CONFIDENCE,
    seed: int = FRONTIER_SEED,
    draws: int = 20_000,
    degrees: float | None = None,
    risk_free_rate: float = 0.0,
) -> HorizonRisk:
    """Return what a portfolio can lose where expected returns and covariance are those of each world; annual.

    returns: simple daily returns (n_sessions, n), complete; risk_free_rate is what the rest of the weights earns, a
    year; weights are constant. The past, its tails and the random days are the same in every world: what differs
    is what the world differs in. Raises InputError on malformed input.
    """
    past, held = complete_returns(returns), np.asarray(weights, dtype=float)
    known = {key: expected_returns_and_covariance(*world) for key, world in worlds.items()}
    for mu, _ in known.values():
        _check(held, past, mu, horizon_sessions, confidence, degrees)
    cash = (1 - held.sum()) * finite("risk_free_rate", risk_free_rate) / TRADING_DAYS
    daily, horizon, tail = past @ held + cash, int(horizon_sessions), 1 - confidence
    rng, (skewness, kurtosis) = np.random.default_rng(seed), _shape(daily)
    windows, std_err = _historical(daily, horizon, tail, rng)
    before = _sample_row(windows, tail, std_err)
    given = degrees or (4 + 6 / kurtosis if kurtosis > 0 else np.inf)  # the kurtosis of t is 6 / (degrees − 4)
    noise = _noise(given, horizon, at_least("draws", draws, BATCHES), rng)
    tables, simulated = {}, {}
    for key, (mu, sigma) in known.items():
        volatility = float(np.sqrt(np.maximum(held @ sigma @ held, 0) / TRADING_DAYS))
        day = _Day(float(mu @ held) / TRADING_DAYS + cash, volatility, skewness, kurtosis)
        simulated[key] = _compounded(day, noise)
        tables[key] = _table({
            "historical": before, "normal": _expansion(replace(day, skewness=0.0, kurtosis=0.0), horizon, tail),
            "cornish_fisher": _expansion(day, horizon, tail),
            "student_t": _simulated_row(simulated[key], tail) | {"degrees": float(given)},
        })  # fmt: skip
    return HorizonRisk(tables, windows, simulated)


def _table(rows: dict[str, dict[str, float]]) -> pd.DataFrame:
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*FIGURES], dtype=float)
    table.insert(0, "label", [METHODS[key] for key in table.index])
    return table.rename_axis("method")


def _check(
    weights: FloatArray, past: FloatArray, mu: FloatArray, horizon: int, confidence: float, degrees: float | None
) -> None:
    if weights.shape != mu.shape or past.shape[1] != len(mu) or not np.isfinite(weights).all():
        allowed = f"one finite weight, and one column of returns, for each of {len(mu)} assets"
        raise InputError("weights", got=f"shape {weights.shape}, returns of shape {past.shape}", allowed=allowed)
    if at_least("horizon_sessions", horizon, 1) > len(past):
        raise InputError("horizon_sessions", got=horizon, allowed=f"1 to the {len(past)} sessions given")
    if not 0.5 < confidence < 1:
        raise InputError("confidence", got=confidence, allowed="a probability between one half and 1")
    if degrees is not None and not degrees > 2:
        raise InputError("degrees", got=degrees, allowed="more than 2, or None to estimate them")


def _shape(daily: FloatArray) -> tuple[float, float]:
    """Skewness and excess kurtosis."""
    deviations = daily - daily.mean()
    second = float((deviations**2).mean())
    if second <= NO_SHAPE:
        return 0.0, 0.0
    third, fourth = float((deviations**3).mean()), float((deviations**4).mean())
    return third / second**1.5, fourth / second**2 - 3


def _losses(horizon_returns: FloatArray, tail: float) -> FloatArray:
    """LOSSES along the last axis, stacked first, as the metrics define them."""
    quantile = np.quantile(horizon_returns, tail, axis=-1)
    beyond = horizon_returns <= quantile[..., None]
    shortfall = -np.where(beyond, horizon_returns, 0).sum(axis=-1) / beyond.sum(axis=-1)
    return np.array([(horizon_returns < 0).mean(axis=-1), -quantile, shortfall])


def _sample_row(horizon_returns: FloatArray, tail: float, std_err: FloatArray) -> dict[str, float]:
    spread = float(horizon_returns.std(ddof=STD_DDOF)) if len(horizon_returns) > STD_DDOF else np.nan
    row = {"expected_return": float(horizon_returns.mean()), "volatility": spread}
    row |= dict(zip(LOSSES, _losses(horizon_returns, tail).tolist(), strict=True))
    return row | {f"{name}_se": float(value) for name, value in zip(LOSSES, std_err, strict=True)}


def _historical(
    daily: FloatArray, horizon: int, tail: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Overlapping windows; errors from blocks of dates drawn again, each as long as the horizon at least."""
    block = min(max(BLOCK_SESSIONS, horizon), len(daily))
    drawn = np.array([daily[block_dates(rng, len(daily), block)] for _ in range(RESAMPLES)])
    return _compound(daily, horizon), _losses(_compound(drawn, horizon), tail).std(axis=1, ddof=STD_DDOF)


def _compound(daily: FloatArray, horizon: int) -> FloatArray:
    """Compound returns of every run of `horizon` sessions along the last axis."""
    count = daily.shape[-1] - horizon + 1
    growth = np.ones((*daily.shape[:-1], count))
    for lag in range(horizon):
        growth *= 1 + daily[..., lag : lag + count]
    return growth - 1


def _noise(degrees: float, horizon: int, draws: int, rng: np.random.Generator) -> FloatArray:
    """Random days (horizon, draws) of mean 0 and variance 1."""
    if np.isinf(degrees):
        return rng.standard_normal((horizon, draws))
    return np.sqrt((degrees - 2) / degrees) * rng.standard_t(degrees, (horizon, draws))


def _compounded(day: _Day, noise: FloatArray) -> FloatArray:
    """Horizon returns (draws,) of random days. A fat tail now and then loses more than everything; shares cannot."""
    growth = np.ones(noise.shape[1])
    for session in noise:
        growth *= np.maximum(1 + day.mean + day.volatility * session, 0)
    return growth - 1


def _simulated_row(horizon_returns: FloatArray, tail: float) -> dict[str, float]:
    batches = horizon_returns[: len(horizon_returns) // BATCHES * BATCHES].reshape(BATCHES, -1)
    return _sample_row(horizon_returns, tail, _losses(batches, tail).std(axis=1, ddof=STD_DDOF) / np.sqrt(BATCHES))


def _expansion(day: _Day, horizon: int, tail: float) -> dict[str, float]:
    """Cornish and Fisher's quantiles z + (z² − 1) S/6 + (z³ − 3z) K/24 − (2z³ − 5z) S²/36; normal where S = K = 0."""
    from scipy.special import ndtr, ndtri  # half a second that the start of the app need not wait for

    mean, volatility = horizon * day.mean, np.sqrt(horizon) * day.volatility
    skew, excess = day.skewness / np.sqrt(horizon), day.kurtosis / horizon
    cubic = np.array([excess / 24 - skew**2 / 18, skew / 6, 1 - excess / 8 + 5 * skew**2 / 36, -skew / 6])
    row = {"expected_return": mean, "volatility": volatility}
    if not _rises(cubic):
        return row | dict.fromkeys(LOSSES, np.nan)
    z = float(ndtri(tail))
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    # The integral of each Hermite polynomial up to z is minus the density times the one before it.
    beyond = density / tail * (1 + z * skew / 6 + (z**2 - 1) * excess / 24 - (2 * z**2 - 1) * skew**2 / 36)
    loses = float(mean < 0)
    if volatility > 0:
        shifted = cubic + np.array([0, 0, 0, mean / volatility])
        roots = np.roots(np.trim_zeros(shifted, "f"))
        loses = float(ndtr(roots[np.argmin(np.abs(roots.imag))].real))
    figures = (loses, -mean - volatility * float(np.polyval(cubic, z)), -mean + volatility * beyond)
    return row | dict(zip(LOSSES, figures, strict=True))


def _rises(cubic: FloatArray) -> bool:
    """Whether the quantile rises everywhere: its derivative has no root (Maillard 2012)."""
    a, b, c, _ = cubic
    return bool((a > 0 and b * b < 3 * a * c) or (a == 0 and b == 0 and c > 0))
