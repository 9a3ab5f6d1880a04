"""One fit of one ticker with its residuals, for what is computed while the analyst looks; or the reason why there is none."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.conventions import PERIODS_PER_YEAR, FloatArray
from analytics.errors import InputError
from analytics.factor_models._model import FactorModel
from analytics.factor_models._registry import FACTOR_MODELS
from analytics.factor_models._regression import COLLINEAR, NO_RESIDUAL, Regression, regress
from analytics.factor_models._samples import MIN_OBSERVATIONS, check_window, dated, latest_fits, samples
from analytics.registry import lookup

UNIT = {"M": "months", "D": "sessions"}


@dataclass(frozen=True)
class Realised:
    """The annual mean of total returns, its Newey-West error and 95 % interval, fractions."""

    mean: float
    std_err: float
    low: float
    high: float


@dataclass(frozen=True)
class TickerFit:
    """A fit and the data it was made from: n dates, k factors.

    returns (total), excess_returns, risk_free: (n,); factor_returns: (n, k); all fractions per period.
    """

    model: FactorModel
    frequency: str
    dates: pd.DatetimeIndex
    returns: FloatArray
    risk_free: FloatArray
    factor_returns: FloatArray
    regression: Regression

    @property
    def periods_per_year(self) -> int:
        return PERIODS_PER_YEAR[self.frequency]

    @property
    def excess_returns(self) -> FloatArray:
        return self.returns - self.risk_free

    @property
    def alpha(self) -> float:
        """Per period."""
        return float(self.regression.coefficients[0, 0])

    @property
    def betas(self) -> FloatArray:
        """Shape (k,)."""
        return self.regression.coefficients[1:, 0]

    @property
    def residuals(self) -> FloatArray:
        """Shape (n,), fractions per period."""
        return self.regression.residuals[0]

    def realised(self) -> Realised:
        """Return what the ticker earned a year over the sample."""
        found = regress(self.returns[:, None], np.empty((len(self.returns), 0)))
        values = (found.coefficients, found.std_err, found.low, found.high)
        return Realised(*(self.periods_per_year * float(value[0, 0]) for value in values))


def fit_ticker(
    returns: pd.Series, factor_returns: pd.DataFrame, model: str, *, window: int = 0, frequency: str = "M"
) -> TickerFit:
    """Return the latest fit of one ticker; the same numbers as its row of fit_factor_models.

    returns: by date, and factor_returns: dates × (mkt_rf, smb, …, rf), fractions per period, NaN where unknown.
    window: calendar months before the ticker's last observation, 0 for the full history. Raises InputError that
    names the field, what was got and the remedy where there is no such fit: a factor that the source lacks, too
    few observations, a series that does not vary, collinear factors.
    """
    chosen, months = lookup(FACTOR_MODELS, model, "model"), check_window(window)
    factors = dated("factor_returns", factor_returns, frequency)
    _check_factors(chosen, factors)
    own = dated("returns", returns.to_frame(), frequency)
    found = next(samples(own, factors[list(chosen.factors)], factors["rf"]), None)
    rows = latest_fits(found, months, frequency) if found else None
    if found is None or rows is None or not len(rows.column):
        overlap = 0 if found is None else int(found.stop[0] - found.start[0])
        raise InputError(
            f"{UNIT[frequency]} of {returns.name}", got=f"{overlap} in all{' and fewer in the window' if months else ''}",
            allowed=f"at least {MIN_OBSERVATIONS[frequency]} that overlap the factors of {chosen.label}",
            fix="Choose a longer window, or wait until the ticker has more history.",
        )  # fmt: skip
    inside = slice(int(rows.spans.start[0]), int(rows.spans.stop[0]))
    earned, rates, explaining = found.returns[inside, 0], found.risk_free[inside], found.factor_returns[inside]
    _check_variation(str(returns.name), earned, earned - rates, explaining, chosen)
    regression = regress((earned - rates)[:, None], explaining)
    return TickerFit(chosen, frequency, found.dates[inside], earned, rates, explaining, regression)


def _check_factors(model: FactorModel, factors: pd.DataFrame) -> None:
    known = [name for name in factors if factors[name].notna().any()]
    missing = [name for name in (*model.factors, "rf") if name not in known]
    if missing:
        raise InputError(
            f"factors of {model.label}", got=f"none for {', '.join(missing)}", allowed=", ".join((*model.factors, "rf")),
            fix="Add the factor file to the source and update; the other models are shown.",
        )  # fmt: skip


def _check_variation(
    ticker: str, returns: FloatArray, excess: FloatArray, factors: FloatArray, model: FactorModel
) -> None:
    if min(np.ptp(returns), np.ptp(excess)) <= NO_RESIDUAL:
        raise InputError(
            f"return of {ticker}", got="the same value on every date", allowed="a return that varies",
            fix="Look at its prices on the Data tab: a series without change is no price.",
        )  # fmt: skip
    design = np.column_stack([np.ones(len(factors)), factors])
    scaled = design / np.linalg.norm(design, axis=0).clip(1e-300)
    if np.linalg.matrix_rank(scaled, tol=COLLINEAR**0.5) < design.shape[1]:
        raise InputError(
            f"factors of {model.label}", got="one that the others determine in this window",
            allowed="factors none of which is a combination of the others",
            fix="Choose another window or a smaller model; the other models are shown.",
        )  # fmt: skip
