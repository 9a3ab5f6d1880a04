"""What portfolios of the frontier earned after they were chosen, beside what they promised."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import STD_DDOF, TRADING_DAYS, DateArray, FloatArray
from analytics.errors import InputError, MissingDataError, PlumblineError
from analytics.portfolio._checks import at_least
from analytics.portfolio.frontier import efficient_frontier
from analytics.portfolio.intervals import CONSTANT, Intervals, portfolio_intervals
from analytics.portfolio.limits import FeasibleSet, long_only
from analytics.portfolio.portfolios import Portfolios, evaluate

IntArray = npt.NDArray[np.intp]
Estimate = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
MakeFeasible = Callable[[IntArray], FeasibleSet]  # from the columns of the assets that can be held

WINDOW: Final = 3 * TRADING_DAYS  # sessions that each choice knows
STEP: Final = 63  # sessions that it is held: a quarter
DELAY: Final = 1  # sessions from the close that decides to the close that buys: no trade at a price that decided it
RANKS: Final = 11
BESIDE: Final = ("max_sharpe", "equal_weight")  # after the ranks


@dataclass(frozen=True, eq=False)
class WalkForward:
    """What p portfolios promised and earned: the ranks of the frontier, its maximum Sharpe ratio, equal weights.

    kinds (p,): `frontier` from minimum variance to maximum return, then BESIDE. dates (n_sessions,), returns
    (n_sessions, p): what was earned after each choice. One entry a choice: chosen_on, the session whose close is the
    last that the choice knows; n_assets, that could be held; sessions, that they were held; weights (n_choices, p,
    n_columns), as bought. left_out: choices without an asset, an estimate or a portfolio that obeys the limits.
    promised_* (p,): annual, in sample, mean over the sessions held (of the variance for the volatility). realised: what
    was earned, with its intervals, NaN where they need more sessions. sharpe_ratio (p,): realised, NaN without
    volatility.
    """

    kinds: tuple[str, ...]
    dates: DateArray
    returns: FloatArray
    chosen_on: DateArray
    n_assets: IntArray
    sessions: IntArray
    weights: FloatArray
    left_out: int
    promised_return: FloatArray
    promised_volatility: FloatArray
    promised_sharpe_ratio: FloatArray
    realised: Intervals
    sharpe_ratio: FloatArray

    @property
    def shortfall(self) -> FloatArray:
        """How far the mean return fell short of the promise, annual, (p,); negative where it was more."""
        return self.promised_return - self.realised.mean_return


@dataclass(frozen=True, eq=False)
class _Past:
    """All that is given, a row a session; a choice reads it up to its own session alone."""

    returns: FloatArray
    dates: DateArray
    risk_free: FloatArray
    eligible: npt.NDArray[np.bool_]
    beside: FloatArray
    beside_known_on: DateArray


@dataclass(frozen=True, eq=False)
class _Held:
    """One choice and what followed: the last row known and the first held, the number of assets, each portfolio's weights, promise and returns."""

    known: int
    first: int
    n_assets: int
    weights: FloatArray
    promised: Portfolios
    returns: FloatArray


def walk_forward(
    returns: npt.ArrayLike,
    dates: npt.ArrayLike,
    *,
    estimate: Estimate,
    risk_free_returns: npt.ArrayLike,
    make_feasible: MakeFeasible | None = None,
    eligible: npt.ArrayLike | None = None,
    beside: npt.ArrayLike | None = None,
    beside_known_on: npt.ArrayLike | None = None,
    window: int = WINDOW,
    step: int = STEP,
    ranks: int = RANKS,
    delay: int = DELAY,
) -> WalkForward:
    """Return how portfolios chosen on the last `window` sessions did over the next `step`, again and again.

    returns: simple daily returns (n_sessions, n_assets), a frame or an array, NaN where unknown; dates: (n_sessions,).
    Weights chosen on the close of session t come from the assets without a gap over the window that ends with t. They
    are bought at the close of t + delay and earn from the session after it on, those before them until then; in between
    nothing is traded, so that they drift. An asset whose return is unknown then keeps its last price. Cash and the
    Sharpe ratio take risk_free_returns, daily, (n_sessions,) or one number. No trading costs. make_feasible: limits for
    the columns that can be held; long-only where None. eligible: True where an asset belongs to the universe,
    (n_sessions, n_assets); all where None. beside: what else the estimate needs of the same dates, (n_sessions, k),
    such as factor returns: it is given as further columns, NaN where beside_known_on, a date for each session, is after
    the choice. Raises InputError on malformed input, MissingDataError where no date has a portfolio.
    """
    values, days, risk_free = _checked(returns, dates, risk_free_returns)
    past = _Past(
        values, days, risk_free, _shaped("eligible", eligible, values.shape, fill=True, dtype=bool),
        _shaped("beside", beside, (len(values), 0), fill=0.0, dtype=float), _known_on(beside_known_on, days),
    )  # fmt: skip
    at_least("window", window, 2), at_least("step", step, 1), at_least("ranks", ranks, 2), at_least("delay", delay, 0)
    limits = make_feasible or (lambda members: long_only(len(members)))
    tried = list(_steps(past, estimate, limits, window=window, step=step, ranks=ranks, delay=delay))
    held = _held(tried, f"It takes more than {window + delay} sessions, and there are {len(values)}.")
    return _record(held, len(tried) - len(held), days, risk_free)


def _held(tried: list[_Held | PlumblineError], too_short: str) -> list[_Held]:
    """The choices that could be made; raises MissingDataError, with what the last one failed on, where there is none."""
    held = [one for one in tried if isinstance(one, _Held)]
    if not held:
        why = f"The last of {len(tried)} choices failed: {tried[-1]}" if tried else too_short
        raise MissingDataError(f"No portfolio could be chosen. {why}")
    return held


def _checked(
    returns: npt.ArrayLike, dates: npt.ArrayLike, risk_free_returns: npt.ArrayLike
) -> tuple[FloatArray, DateArray, FloatArray]:
    values, days = np.asarray(returns, dtype=float), np.asarray(dates).astype("datetime64[D]")
    if values.ndim != 2 or np.isinf(values).any() or (values <= -1).any():
        raise InputError("returns", got=f"shape {values.shape}", allowed="sessions × assets, each above −1 or NaN")
    if days.shape != values.shape[:1] or not (np.diff(days).astype(int) > 0).all():
        raise InputError("dates", got=f"shape {days.shape}", allowed=f"{len(values)} rising dates")
    given = np.asarray(risk_free_returns, dtype=float)
    if given.shape not in ((), days.shape) or not np.isfinite(given).all():
        raise InputError(
            "risk_free_returns", got=f"shape {given.shape}", allowed="a known daily return, or one a session"
        )
    return values, days, np.broadcast_to(given, days.shape)


def _known_on(given: npt.ArrayLike | None, days: DateArray) -> DateArray:
    """The date that each row of `beside` is known from: its own where none is given."""
    found = days if given is None else np.asarray(given).astype("datetime64[D]")
    if found.shape != days.shape:
        raise InputError(
            "beside_known_on", got=f"shape {found.shape}", allowed=f"a date for each of {len(days)} sessions"
        )
    return found


def _shaped(name: str, given: npt.ArrayLike | None, shape: tuple[int, ...], *, fill: Any, dtype: type) -> Any:
    """What may be left out, with a row a session; `fill` where it is. Columns are only checked where shape has any."""
    if given is None:
        return np.full(shape, fill, dtype=dtype)
    found: npt.NDArray[Any] = np.asarray(given, dtype=dtype)
    if found.ndim != 2 or len(found) != shape[0] or shape[1] not in (0, found.shape[1]):
        raise InputError(name, got=f"shape {found.shape}", allowed=f"a row for each of {shape[0]} sessions")
    return found


def _steps(
    past: _Past, estimate: Estimate, limits: MakeFeasible, *, window: int, step: int, ranks: int, delay: int
) -> Iterator[_Held | PlumblineError]:
    """Every choice, or why there is none."""
    for after in range(window, len(past.returns) - delay, step):
        known, held = slice(after - window, after), slice(after + delay, after + delay + step)
        try:
            members, chosen = _choice(past, known, estimate, limits, ranks)
        except PlumblineError as error:
            yield error
            continue
        weights = np.zeros((len(chosen.weights), past.returns.shape[1]))
        weights[:, members] = chosen.weights
        earned = _drift(chosen.weights, past.returns[held, members], past.risk_free[held])
        yield _Held(after - 1, held.start, len(members), weights, chosen, earned)


def _choice(
    past: _Past, known: slice, estimate: Estimate, limits: MakeFeasible, ranks: int
) -> tuple[IntArray, Portfolios]:
    """The columns that can be held and the portfolios of them, from the known rows alone; raises PlumblineError."""
    returns = past.returns[known]
    members = np.flatnonzero(np.isfinite(returns).all(axis=0) & past.eligible[known][-1])
    if not len(members):
        raise MissingDataError(f"No member of the universe was complete over {len(returns)} sessions.")
    beside = np.where(past.beside_known_on[known, None] > past.dates[known][-1], np.nan, past.beside[known])
    mu, sigma = estimate(np.hstack([returns[:, members], beside]))
    rate = TRADING_DAYS * float(past.risk_free[known].mean())
    frontier = efficient_frontier(mu, sigma, risk_free_rate=rate, feasible=limits(members), points=ranks)
    equal = np.full(len(members), 1 / len(members))
    weights = np.vstack([frontier.weights, frontier.max_sharpe, equal])
    return members, evaluate(weights, mu, sigma, risk_free_rate=rate)


def _drift(weights: FloatArray, returns: FloatArray, risk_free: FloatArray) -> FloatArray:
    """Daily returns (n_sessions, p) of weights (p, n) bought once and left alone, the rest in cash."""
    growth = np.cumprod(1 + np.nan_to_num(returns), axis=0)
    cash = (1 - weights.sum(axis=1)) * np.cumprod(1 + risk_free)[:, None]
    worth = np.vstack([np.ones(len(weights)), growth @ weights.T + cash])
    return np.asarray(worth[1:] / worth[:-1] - 1)


def _record(held: list[_Held], left_out: int, days: DateArray, risk_free: FloatArray) -> WalkForward:
    sessions = np.array([len(one.returns) for one in held], dtype=np.intp)
    rows = np.concatenate([one.first + np.arange(len(one.returns)) for one in held])
    returns = np.vstack([one.returns for one in held])
    excess = returns - risk_free[rows, None]
    spread = excess.std(axis=0, ddof=STD_DDOF) if len(excess) > STD_DDOF else np.full(returns.shape[1], np.nan)
    share = sessions / sessions.sum()
    return WalkForward(
        kinds=(*["frontier"] * (returns.shape[1] - len(BESIDE)), *BESIDE),
        dates=days[rows],
        returns=returns,
        chosen_on=days[[one.known for one in held]],
        n_assets=np.array([one.n_assets for one in held], dtype=np.intp),
        sessions=sessions,
        weights=np.array([one.weights for one in held]),
        left_out=left_out,
        promised_return=share @ [one.promised.expected_return for one in held],
        promised_volatility=np.sqrt(share @ [one.promised.volatility**2 for one in held]),
        promised_sharpe_ratio=share @ [one.promised.sharpe_ratio for one in held],
        realised=portfolio_intervals(returns),
        sharpe_ratio=np.sqrt(TRADING_DAYS) * excess.mean(axis=0) / np.where(spread > CONSTANT, spread, np.nan),
    )


def summary(found: WalkForward, *, rate_known: bool = True) -> pd.DataFrame:
    """Return a walk-forward as a table, a row a portfolio: what was promised and what came, annual fractions.

    rate_known: whether the risk-free rate was; without one the Sharpe ratios are NaN.
    """
    past, ratio = found.realised, 1.0 if rate_known else np.nan
    return pd.DataFrame({
        "rank": np.arange(len(found.kinds)), "kind": list(found.kinds),
        "promised_return": found.promised_return, "promised_volatility": found.promised_volatility,
        "promised_sharpe_ratio": found.promised_sharpe_ratio * ratio,
        "realised_return": past.mean_return, "realised_return_low": past.mean_return_low,
        "realised_return_high": past.mean_return_high, "realised_volatility": past.volatility,
        "realised_volatility_low": past.volatility_low, "realised_volatility_high": past.volatility_high,
        "sharpe_ratio": found.sharpe_ratio * ratio, "start_date": str(found.dates[0]), "end_date": str(found.dates[-1]),
        "n_choices": len(found.sessions), "n_sessions": len(found.dates),
        "n_assets_min": int(found.n_assets.min()), "n_assets_max": int(found.n_assets.max()),
    })  # fmt: skip
