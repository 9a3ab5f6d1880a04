"""How much of the best of many tries is luck: Sharpe ratios judged by how often, how long and on what they were tried."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import CONFIDENCE, STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import InputError

SIGNIFICANCE: Final = 1.0 - CONFIDENCE
MIN_DISPERSED: Final = 10  # tries from which on the spread of their Sharpe ratios tells how alike they are
NORMAL: Final = NormalDist()
ZERO: Final = 1e-12  # a deviation smaller than this is what rounding leaves of none
NAN: Final = math.nan


@dataclass(frozen=True, eq=False)
class Trials:
    """All that was tried on one hypothesis, each array of shape (n_trials,).

    sharpe_ratio: per year, in excess of the risk-free rate, NaN undefined. n_obs: sessions. skewness, kurtosis: of the
    excess returns, both 0 for a normal distribution; NaN, unknown, counts as that. Raises InputError on arrays of
    unequal length and where nothing was tried.
    """

    sharpe_ratio: FloatArray
    n_obs: FloatArray
    skewness: FloatArray
    kurtosis: FloatArray

    def __post_init__(self) -> None:
        """Check the shapes."""
        shape = np.shape(self.sharpe_ratio)
        for name in ("sharpe_ratio", "n_obs", "skewness", "kurtosis"):
            if len(shape) != 1 or not shape[0] or np.shape(getattr(self, name)) != shape:
                raise InputError(name, got=np.shape(getattr(self, name)), allowed="one value per trial, at least one")

    @property
    def std_err(self) -> FloatArray:
        """The standard error of each Sharpe ratio, per year. NaN when: it is undefined."""
        year, skewness, kurtosis = math.sqrt(TRADING_DAYS), _known(self.skewness), _known(self.kurtosis)
        return np.asarray(year * _std_err(self.sharpe_ratio / year, self.n_obs, skewness, kurtosis))


@dataclass(frozen=True)
class Significance:
    """What one try of many is worth. Sharpe ratios per year; probabilities are fractions.

    null_sharpe_ratio: what a try without skill would earn, see `significance`. noise_maximum: the best Sharpe ratio that
    as many tries of true Sharpe ratio 0 find on average. probabilistic and deflated: `probabilistic_sharpe_ratio`
    against 0 and `deflated_sharpe_ratio`. sessions and needed_sessions: of the record, and `minimum_track_record_length`
    against 0. p_value: that luck on top of the null finds as much in as many tries. needed: the least
    Sharpe ratio that would have been significant. typical_sharpe_ratio: the mean of all tries.
    """

    sharpe_ratio: float
    n_trials: int
    effective_trials: float
    null_sharpe_ratio: float
    noise_maximum: float
    probabilistic: float
    deflated: float
    p_value: float
    needed: float
    typical_sharpe_ratio: float
    sessions: float
    needed_sessions: float

    @property
    def significant(self) -> bool:
        """Whether luck on top of what needs no skill finds as much in at most 5 % of the cases."""
        return self.p_value < SIGNIFICANCE

    @property
    def verdict(self) -> str:
        """The same in words."""
        if math.isnan(self.p_value):
            return "Not known: the Sharpe ratio or its standard error is undefined."
        tries = "the only try" if self.n_trials == 1 else f"one of {self.n_trials:,} tries"
        signed = f"{self.sharpe_ratio:.2f}".replace("-", "−")
        if self.significant:
            return f"Significant: as {tries}, {self.sharpe_ratio:.2f} is above the {self.needed:.2f} that luck {self._start}reaches in 5 %."
        return f"Not significant: as {tries}, luck {self._start}reaches {self.needed:.2f} in 5 %; the Sharpe ratio is {signed}."

    @property
    def _start(self) -> str:
        return (
            f"on top of the {self.null_sharpe_ratio:.2f} earned without skill " if self.null_sharpe_ratio > 0.0 else ""
        )


def probabilistic_sharpe_ratio(
    session_sharpe: float, *, n_obs: float, skewness: float = 0.0, kurtosis: float = 0.0, benchmark: float = 0.0
) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark's.

    session_sharpe and benchmark: per session, not annualised. n_obs: sessions. skewness, kurtosis: both 0 for normal
    returns. Φ((S − S*) √(n − 1) / √(1 − γ₃ S + (γ₄ + 2) S² / 4)), γ₄ in excess of 3. NaN when: S is undefined, n is
    below 2 or the root is not positive. Source: Bailey and López de Prado (2012).
    """
    std_err = float(_std_err(session_sharpe, n_obs, skewness, kurtosis))
    return NORMAL.cdf((session_sharpe - benchmark) / std_err) if std_err > 0.0 else NAN


def minimum_track_record_length(
    session_sharpe: float, *, skewness: float = 0.0, kurtosis: float = 0.0, benchmark: float = 0.0,
    confidence: float = CONFIDENCE,
) -> float:  # fmt: skip
    """Return the sessions from which on the probabilistic Sharpe ratio reaches `confidence`, not rounded.

    The arguments are those of `probabilistic_sharpe_ratio`. NaN when: the Sharpe ratio is not above the benchmark's,
    for no record is long enough then. Raises InputError. Source: Bailey and López de Prado (2012).
    """
    if not 0.5 <= confidence < 1.0:
        raise InputError("confidence", got=confidence, allowed="a probability from 0.5 to below 1")
    one = float(_std_err(session_sharpe, 2, skewness, kurtosis))  # of two sessions: what n − 1 divides
    ahead = session_sharpe - benchmark
    return 1.0 + (one * NORMAL.inv_cdf(confidence) / ahead) ** 2 if ahead > 0.0 else NAN


def expected_maximum_sharpe(n_trials: float, std: float) -> float:
    """Return the best Sharpe ratio that noise alone finds on average in as many independent tries.

    std: the standard deviation of the tries' Sharpe ratios; the result is in its unit. σ ((1 − γ) Φ⁻¹(1 − 1/N)
    + γ Φ⁻¹(1 − 1/(N e))), γ Euler's constant; 0 for one try and where the tries do not differ. Raises InputError where
    there is no try. Source: Bailey and López de Prado (2014), the false strategy theorem.
    """
    if not n_trials >= 1:
        raise InputError("n_trials", got=n_trials, allowed="1 or more")
    if n_trials == 1 or not std > ZERO:
        return 0.0
    near, far = NORMAL.inv_cdf(1.0 - 1.0 / n_trials), NORMAL.inv_cdf(1.0 - 1.0 / (n_trials * math.e))
    return std * ((1.0 - np.euler_gamma) * near + np.euler_gamma * far)


def deflated_sharpe_ratio(
    session_sharpe: float, *, n_obs: float, n_trials: float, variance: float, skewness: float = 0.0,
    kurtosis: float = 0.0,
) -> float:  # fmt: skip
    """Return the probability that the true Sharpe ratio is above what noise finds in as many tries.

    session_sharpe: of the one chosen, per session; variance: of the session Sharpe ratios of all that was tried. The
    probabilistic Sharpe ratio against `expected_maximum_sharpe`. NaN when: that is. Raises InputError where there is
    no try. Source: Bailey and López de Prado (2014).
    """
    noise = expected_maximum_sharpe(n_trials, math.sqrt(max(variance, 0.0)))
    return probabilistic_sharpe_ratio(
        session_sharpe, n_obs=n_obs, skewness=skewness, kurtosis=kurtosis, benchmark=noise
    )


def effective_trials(n_trials: float, mean_correlation: float) -> float:
    """Return how many independent tries as many correlated ones are worth: ρ + (1 − ρ) N, ρ clipped to 0 … 1.

    mean_correlation: of their returns, over all pairs. Source: Bailey and López de Prado (2014), appendix.
    """
    rho = min(max(mean_correlation, 0.0), 1.0)
    return rho + (1.0 - rho) * n_trials


def significance(trials: Trials, chosen: int, *, benchmark_sharpe_ratio: float | None = None) -> Significance:
    """Return whether one try stands out from all that were made, at 5 % after correction for their number.

    chosen: its position. benchmark_sharpe_ratio: per year, of holding the same tickers over the same sessions. A try
    without skill is taken to earn what the benchmark did or, where that is not known, the mean of the other tries, for
    all of them hold the same market; at least 0. With z what the chosen one is ahead of it in standard errors,
    p = 1 − Φ(z)^N (Šidák 1967; López de Prado and Lewis 2019). N: `effective_trials`, their correlation told by the
    spread of their Sharpe ratios. NaN when: the chosen Sharpe ratio is undefined.
    """
    year, std_err = math.sqrt(TRADING_DAYS), trials.std_err
    sharpe, defined = float(trials.sharpe_ratio[chosen]), trials.sharpe_ratio[np.isfinite(trials.sharpe_ratio)]
    n_trials, effective = len(trials.sharpe_ratio), _effective(trials.sharpe_ratio / std_err)
    passive = NAN if benchmark_sharpe_ratio is None else benchmark_sharpe_ratio
    null, error = _null(trials.sharpe_ratio, chosen, passive), float(std_err[chosen])
    if math.isnan(passive) and n_trials > 1:  # the mean of the others is an estimate too
        error *= math.sqrt(1.0 + 1.0 / max(effective - 1.0, 1.0))
    each = -math.expm1(math.log1p(-SIGNIFICANCE) / effective)
    spread = float(np.std(defined, ddof=STD_DDOF)) if len(defined) > STD_DDOF else 0.0
    shape = {
        "n_obs": float(trials.n_obs[chosen]), "skewness": float(_known(trials.skewness[chosen])),
        "kurtosis": float(_known(trials.kurtosis[chosen])),
    }  # fmt: skip
    return Significance(
        sharpe, n_trials, effective, null,
        noise_maximum=expected_maximum_sharpe(n_trials, spread),
        probabilistic=probabilistic_sharpe_ratio(sharpe / year, **shape),
        deflated=deflated_sharpe_ratio(sharpe / year, n_trials=n_trials, variance=(spread / year) ** 2, **shape),
        p_value=_best_of(effective, (sharpe - null) / error) if error > 0.0 else NAN,
        needed=null - NORMAL.inv_cdf(each) * error,
        typical_sharpe_ratio=float(defined.mean()) if len(defined) else NAN,
        sessions=shape["n_obs"],
        needed_sessions=minimum_track_record_length(sharpe / year, skewness=shape["skewness"], kurtosis=shape["kurtosis"]),
    )  # fmt: skip


def _std_err(
    session_sharpe: npt.ArrayLike, n_obs: npt.ArrayLike, skewness: npt.ArrayLike, kurtosis: npt.ArrayLike
) -> FloatArray:
    """Mertens' (2002) standard error of session Sharpe ratios; arrays broadcast. NaN where it is undefined."""
    sharpe, degrees = np.asarray(session_sharpe, dtype=float), np.asarray(n_obs, dtype=float) - 1.0
    variance = 1.0 - np.asarray(skewness) * sharpe + (np.asarray(kurtosis) + 2.0) / 4.0 * sharpe**2
    defined = (degrees > 0.0) & (variance > 0.0)
    return np.sqrt(np.where(defined, variance, np.nan) / np.where(defined, degrees, np.nan))


def _known(moments: npt.ArrayLike) -> FloatArray:
    return np.where(np.isfinite(moments), moments, 0.0)


def _null(sharpe_ratios: FloatArray, chosen: int, passive: float) -> float:
    """The Sharpe ratio per year that a try without skill would have."""
    others = np.delete(sharpe_ratios, chosen)
    others = others[np.isfinite(others)]
    if math.isnan(passive) and len(others):
        passive = float(others.mean())
    return max(passive, 0.0) if math.isfinite(passive) else 0.0


def _effective(ahead: FloatArray) -> float:
    """How many independent tries these are worth; ahead: Sharpe ratios in standard errors.

    Of normal tries with the same true Sharpe ratio and the mean correlation ρ, they vary by 1 − ρ; true ones that differ
    add to it, and so to the number.
    """
    defined = ahead[np.isfinite(ahead)]
    if len(defined) < MIN_DISPERSED:
        return float(len(ahead))
    return effective_trials(len(ahead), 1.0 - float(np.var(defined, ddof=STD_DDOF)))


def _best_of(n_trials: float, ahead: float) -> float:
    """P(the largest of so many independent standard normal values is as large or larger)."""
    one = 0.5 * math.erfc(ahead / math.sqrt(2.0))
    return -math.expm1(n_trials * math.log1p(-one)) if one < 1.0 else 1.0
