"""Regressions turned into the columns of the stored tables, batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import PERIODS_PER_YEAR, FloatArray
from analytics.factor_models._adjusted_betas import blume_beta, up_down_betas
from analytics.factor_models._breaks import TRIM, cusum, largest_chow
from analytics.factor_models._diagnostics import diagnose
from analytics.factor_models._expected_return import Premiums, factor_premiums, required_return
from analytics.factor_models._model import FactorModel
from analytics.factor_models._regression import NO_RESIDUAL, IntArray, Regression, Spans, regress
from analytics.factor_models._samples import FitRows, Sample

KEY_COLUMNS: Final = ("ticker", "model", "frequency", "window_months", "as_of")
FIT_COLUMNS: Final = (
    *KEY_COLUMNS, "sample_start", "sample_end", "n_obs",
    "alpha", "alpha_se", "alpha_t", "alpha_p", "alpha_q", "alpha_low", "alpha_high", "alpha_se_ols",
    "r_squared", "adjusted_r_squared", "bic", "residual_vol", "durbin_watson", "jarque_bera_p", "breusch_pagan_p",
    "expected_return", "expected_return_se", "realised_return", "realised_return_se",
    "beta_vasicek", "beta_blume", "beta_up", "beta_up_se", "beta_down", "beta_down_se", "break_p", "break_date",
    "chow_p", "chow_date",
)  # fmt: skip
LOADING_COLUMNS: Final = (*KEY_COLUMNS, "factor", "beta", "std_err", "t_stat", "p_value", "low", "high", "std_err_ols")
CELLS: Final = 250_000  # regressions × dates solved at once: what fits in a processor's cache

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Task:
    """One model at one frequency; history: all stored returns of its factors."""

    model: FactorModel
    frequency: str
    history: pd.DataFrame
    publication_lag_days: int
    with_breaks: bool
    _premiums: dict[pd.Timestamp, Premiums] = field(default_factory=dict)

    @property
    def periods(self) -> int:
        return PERIODS_PER_YEAR[self.frequency]

    def premiums(self, date: pd.Timestamp) -> Premiums:
        """The annual premiums as they were known on a date."""
        if date not in self._premiums:
            known = self.history.loc[:date].to_numpy(dtype=float)
            self._premiums[date] = factor_premiums(known, periods_per_year=self.periods)
        return self._premiums[date]

    def as_of(self, dates: pd.DatetimeIndex) -> npt.NDArray[np.object_]:
        """The first calendar month ends on which samples that end on these dates could be known, ISO.

        Factor returns are published by the month, those of its sessions too.
        """
        covered = dates.to_period("M").to_timestamp(how="end").normalize()
        published = pd.DatetimeIndex(covered + pd.Timedelta(days=self.publication_lag_days))
        return _iso(published.to_period("M").to_timestamp(how="end"))


class FitTables:
    """The rows found so far."""

    def __init__(self) -> None:
        self._fits: list[Columns] = []
        self._loadings: list[Columns] = []

    def add(self, task: Task, sample: Sample, window: int, rows: FitRows) -> None:
        """Fit the given spans of a sample and keep the rows."""
        iso, as_of = _iso(sample.dates), task.as_of(sample.dates)
        for low, high, column, spans in _batches(rows):
            returns = sample.returns[low:high, column]
            excess, factors = returns - sample.risk_free[low:high, None], sample.factor_returns[low:high]
            excess[:, _unmoved(returns, spans)] = np.nan  # a price that never moves is no return to explain
            regression = regress(excess, factors, spans)
            last = spans.stop + low - 1
            key: dict[str, Any] = {
                "ticker": sample.tickers[column], "model": task.model.key, "frequency": task.frequency,
                "window_months": window, "as_of": as_of[last],
            }  # fmt: skip
            sampled = {"sample_start": iso[spans.start + low], "sample_end": iso[last], "n_obs": regression.n_obs}
            found = _quality(regression, task.periods) | _returns(task, sample, regression, returns, last)
            found |= _market_betas(task, regression, excess, factors) | _breaks(task, regression, iso[low:high])
            self._fits.append(_filled(key | sampled | found, len(column)))
            self._loadings.append(_loadings(task, regression, key))

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the fits and the loadings, in order of ticker, model, window and as-of date."""
        return _frame(self._fits, FIT_COLUMNS), _frame(self._loadings, LOADING_COLUMNS)


def _batches(rows: FitRows) -> Iterator[tuple[int, int, IntArray, Spans]]:
    """Yield the dates low ≤ date < high that some of the fits need, their columns, and their spans within these dates."""
    start, stop, at = rows.spans.start, rows.spans.stop, 0
    while at < len(rows.column):
        lowest = np.minimum.accumulate(start[at:])
        width = stop[at:] - lowest  # the fits are in order of their last date
        fitting = np.flatnonzero(width * np.arange(1, len(width) + 1) <= CELLS)
        take = slice(at, at + (int(fitting[-1]) + 1 if len(fitting) else 1))
        low, high = int(start[take].min()), int(stop[take].max())
        yield low, high, rows.column[take], Spans(start[take] - low, stop[take] - low)
        at = take.stop


def _unmoved(returns: FloatArray, spans: Spans) -> npt.NDArray[np.bool_]:
    """Whether a regression's total return is the same on every date."""
    inside = spans.mask(len(returns)).T > 0
    highest, lowest = np.where(inside, returns, -np.inf).max(axis=0), np.where(inside, returns, np.inf).min(axis=0)
    return np.asarray(highest - lowest <= NO_RESIDUAL)


def _quality(regression: Regression, periods: int) -> dict[str, Any]:
    """The annual intercept with its interval, the quality of the fit and of its residuals."""
    found = diagnose(regression)
    return {
        "alpha": periods * regression.coefficients[0],
        "alpha_se": periods * regression.std_err[0],
        "alpha_t": regression.t_stat[0],
        "alpha_p": regression.p_value[0],
        "alpha_q": np.nan,
        "alpha_low": periods * regression.low[0],
        "alpha_high": periods * regression.high[0],
        "alpha_se_ols": periods * regression.std_err_ols[0],
        "r_squared": regression.r_squared,
        "adjusted_r_squared": regression.adjusted_r_squared,
        "bic": regression.bic,
        "residual_vol": np.sqrt(periods) * regression.residual_vol,
        "durbin_watson": found.durbin_watson,
        "jarque_bera_p": found.jarque_bera_p,
        "breusch_pagan_p": found.breusch_pagan_p,
    }


def _returns(
    task: Task, sample: Sample, regression: Regression, returns: FloatArray, last: IntArray
) -> dict[str, FloatArray]:
    """The return that the model requires, and the one that came, each with its error."""
    required, required_se = np.empty(len(last)), np.empty(len(last))
    for position in np.unique(last):
        rows = last == position
        required[rows], required_se[rows] = required_return(
            regression.coefficients[1:, rows], regression.covariance[rows, 1:, 1:],
            task.premiums(sample.dates[position]), risk_free_rate=task.periods * float(sample.risk_free[position]),
        )  # fmt: skip
    realised = regress(returns, np.empty((len(returns), 0)), regression.spans)
    return {
        "expected_return": required,
        "expected_return_se": required_se,
        "realised_return": task.periods * realised.coefficients[0],
        "realised_return_se": task.periods * realised.std_err[0],
    }


def _market_betas(task: Task, regression: Regression, excess: FloatArray, factors: FloatArray) -> dict[str, Any]:
    """Adjusted, up and down betas, of the CAPM alone."""
    names = ("beta_blume", "beta_up", "beta_up_se", "beta_down", "beta_down_se")
    if task.model.key != "capm":
        return {"beta_vasicek": np.nan} | dict.fromkeys(names, np.nan)
    sides = up_down_betas(excess, factors[:, 0], regression.spans)
    values = (blume_beta(regression.coefficients[1]), sides.up, sides.up_se, sides.down, sides.down_se)
    return {"beta_vasicek": np.nan} | dict(zip(names, values, strict=True))


def _breaks(task: Task, regression: Regression, iso: npt.NDArray[np.object_]) -> dict[str, Any]:
    """How likely the largest |CUSUM| and the largest Chow statistic of the betas are without a break, and their dates.

    The Chow statistic takes the variance for constant: that of sessions is not, so it is for months alone.
    """
    n_fits = len(regression.residuals)
    names = (("break_p", "break_date"), ("chow_p", "chow_date"))
    p_values, dates = np.full((2, n_fits), np.nan), np.full((2, n_fits), None, dtype=object)
    if task.with_breaks:
        spans, noisy = regression.spans, np.isfinite(regression.bic)
        for start, stop in set(zip(spans.start[noisy].tolist(), spans.stop[noisy].tolist(), strict=True)):
            rows = np.flatnonzero(noisy & (spans.start == start) & (spans.stop == stop))
            residuals = regression.residuals[rows, start:stop].T
            p_values[0, rows], position = cusum(residuals)
            dates[0, rows] = iso[start + np.asarray(position, dtype=np.intp)]
            if task.frequency == "M" and TRIM * (stop - start) > regression.design.shape[1]:
                _, position, p_values[1, rows] = largest_chow(
                    residuals, regression.design[start:stop], betas_alone=True
                )
                dates[1, rows] = iso[start + position]
    return {p: p_values[i] for i, (p, _) in enumerate(names)} | {date: dates[i] for i, (_, date) in enumerate(names)}


def _loadings(task: Task, regression: Regression, key: dict[str, Any]) -> Columns:
    n_fits, n_factors = len(regression.n_obs), len(task.model.factors)
    repeated = {
        name: np.repeat(value, n_factors) if isinstance(value, np.ndarray) else value for name, value in key.items()
    }
    values = {
        "factor": np.tile(np.array(task.model.factors, dtype=object), n_fits),
        "beta": regression.coefficients[1:].T.ravel(),
        "std_err": regression.std_err[1:].T.ravel(),
        "t_stat": regression.t_stat[1:].T.ravel(),
        "p_value": regression.p_value[1:].T.ravel(),
        "low": regression.low[1:].T.ravel(),
        "high": regression.high[1:].T.ravel(),
        "std_err_ols": regression.std_err_ols[1:].T.ravel(),
    }
    return _filled(repeated | values, n_fits * n_factors)


def _filled(columns: dict[str, Any], length: int) -> Columns:
    """Every column as an array of that length."""
    return {
        name: value if isinstance(value, np.ndarray)
        else np.full(length, value, dtype=object if isinstance(value, str) else None)
        for name, value in columns.items()
    }  # fmt: skip


def _frame(parts: list[Columns], columns: tuple[str, ...]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(columns=list(columns))
    frame = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in columns})
    for name in ("break_date", "chow_date"):
        if name in frame:  # as text also where no fit has one
            frame[name] = frame[name].astype("str")
    return frame.sort_values(["ticker", "model", "window_months", "as_of"], kind="stable", ignore_index=True)


def _iso(dates: pd.DatetimeIndex) -> npt.NDArray[np.object_]:
    return np.asarray(dates.strftime("%Y-%m-%d"), dtype=object)
