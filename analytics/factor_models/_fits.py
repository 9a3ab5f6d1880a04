"""Every ticker, model and window: the rows of the stored tables factor_model_fits and factor_loadings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.conventions import FACTOR_WINDOWS, MIN_FACTOR_MONTHS, MONTHS, PUBLICATION_LAG_DAYS, FloatArray
from analytics.errors import InputError
from analytics.factor_models._expected_return import factor_premiums, required_return
from analytics.factor_models._registry import FACTOR_MODELS
from analytics.factor_models._regression import Regression, regress
from analytics.registry import lookup

KEY_COLUMNS: Final = ("ticker", "model", "frequency", "window_months", "as_of")
FIT_COLUMNS: Final = (
    *KEY_COLUMNS, "sample_start", "sample_end", "n_obs",
    "alpha", "alpha_se", "alpha_t", "alpha_low", "alpha_high", "r_squared",
    "residual_vol", "expected_return", "expected_return_se",
)  # fmt: skip
LOADING_COLUMNS: Final = (*KEY_COLUMNS, "factor", "beta", "std_err", "t_stat", "p_value", "std_err_ols")


@dataclass(frozen=True)
class _Sample:
    """Tickers that are observed in exactly the same months, so that one solve serves them all."""

    tickers: tuple[str, ...]
    months: pd.DatetimeIndex
    excess_returns: FloatArray
    factor_returns: FloatArray


def fit_factor_models(
    monthly_returns: pd.DataFrame,
    factor_returns: pd.DataFrame,
    *,
    models: Iterable[str] | None = None,
    windows: Iterable[int] = FACTOR_WINDOWS,
    publication_lag_days: int = PUBLICATION_LAG_DAYS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the fits and the factor loadings, a row per ticker, model and window (and factor).

    monthly_returns: month ends × tickers, and factor_returns: month ends × (mkt_rf, smb, hml, …, rf),
    fractions per month, NaN where unknown. models: keys, all of them where None. windows: months, 0 for the
    full history. No row where a ticker has fewer than MIN_FACTOR_MONTHS observations or the source lacks a
    factor. Raises UnknownKeyError on a model, InputError on a window or dates that are not month ends.
    """
    chosen = [lookup(FACTOR_MODELS, key, "model") for key in (FACTOR_MODELS if models is None else models)]
    sizes = [_check_window(window) for window in windows]
    returns = _month_ends("monthly_returns", monthly_returns)
    factors = _month_ends("factor_returns", factor_returns)
    if "rf" not in factors:
        raise InputError("factor_returns", got=list(factors), allowed="a column rf, the risk-free rate")
    fits: list[dict[str, Any]] = []
    loadings: list[dict[str, Any]] = []
    for model in chosen:
        if not set(model.factors) <= set(factors):
            continue
        history, risk_free = factors[list(model.factors)], factors["rf"]
        for window in sizes:
            for sample in _samples(returns, history, risk_free, window):
                key = {
                    "model": model.key,
                    "frequency": "M",
                    "window_months": window,
                    "as_of": _as_of(sample.months[-1], publication_lag_days),
                }
                for fit, betas in _fit(sample, history, risk_free):
                    fits.append(key | fit)
                    loadings += [key | beta for beta in betas]
    return _table(fits, FIT_COLUMNS), _table(loadings, LOADING_COLUMNS)


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    return frame.sort_values(["ticker", "model", "window_months"], kind="stable", ignore_index=True)


def _check_window(window: int) -> int:
    if window != 0 and window < MIN_FACTOR_MONTHS:
        raise InputError("windows", got=window, allowed=f"0 (full history) or at least {MIN_FACTOR_MONTHS} months")
    return window


def _month_ends(field: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame in order of date; refuses anything but distinct month ends, lest months be misaligned."""
    index = pd.DatetimeIndex(frame.index)
    if not index.is_month_end.all() or index.has_duplicates:
        raise InputError(field, got="other dates", allowed="each calendar month end once", fix="Use month-end dates.")
    return frame.set_axis(index).sort_index()


def _samples(
    returns: pd.DataFrame, factor_returns: pd.DataFrame, risk_free: pd.Series, window: int
) -> Iterator[_Sample]:
    """Yield the samples of one window, a group of tickers with the same months each."""
    aligned = factor_returns.reindex(returns.index).to_numpy(dtype=float)
    rates = risk_free.reindex(returns.index).to_numpy(dtype=float)
    excess = returns.to_numpy(dtype=float) - rates[:, None]
    observed = np.isfinite(excess) & np.isfinite(aligned).all(axis=1)[:, None]
    if not observed.any():
        return
    if window:  # the same calendar months for every ticker
        last = returns.index[observed.any(axis=1)][-1]
        observed &= np.asarray(returns.index > last - pd.offsets.MonthEnd(window))[:, None]
    masks, group = np.unique(observed, axis=1, return_inverse=True)
    for column, mask in enumerate(masks.T):
        if mask.sum() >= MIN_FACTOR_MONTHS:
            members = np.flatnonzero(group == column)
            yield _Sample(
                tuple(returns.columns[members]),
                returns.index[mask],
                excess[np.ix_(mask, members)],
                aligned[mask],
            )


def _fit(
    sample: _Sample, history: pd.DataFrame, risk_free: pd.Series
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield per ticker its fit and its loadings."""
    regression = regress(sample.excess_returns, sample.factor_returns)
    end = sample.months[-1]
    required, required_se = required_return(
        regression.coefficients[1:],
        regression.covariance[:, 1:, 1:],
        factor_premiums(history.loc[:end].to_numpy(dtype=float)),
        risk_free_rate=MONTHS * float(risk_free.loc[end]),
    )
    dates = {"sample_start": _iso(sample.months[0]), "sample_end": _iso(end), "n_obs": regression.n_obs}
    for column, ticker in enumerate(sample.tickers):
        fit = {"ticker": ticker} | dates | _alpha(regression, column)
        fit |= {"expected_return": required[column], "expected_return_se": required_se[column]}
        yield (
            fit,
            [
                {"ticker": ticker, "factor": factor} | _loading(regression, row, column)
                for row, factor in enumerate(history.columns, start=1)
            ],
        )


def _alpha(regression: Regression, column: int) -> dict[str, float]:
    """The annual intercept with its interval, and the quality of the fit."""
    return {
        "alpha": MONTHS * regression.coefficients[0, column],
        "alpha_se": MONTHS * regression.std_err[0, column],
        "alpha_t": regression.t_stat[0, column],
        "alpha_low": MONTHS * regression.low[0, column],
        "alpha_high": MONTHS * regression.high[0, column],
        "r_squared": regression.r_squared[column],
        "residual_vol": np.sqrt(MONTHS) * regression.residual_vol[column],
    }


def _loading(regression: Regression, row: int, column: int) -> dict[str, float]:
    return {
        "beta": regression.coefficients[row, column],
        "std_err": regression.std_err[row, column],
        "t_stat": regression.t_stat[row, column],
        "p_value": regression.p_value[row, column],
        "std_err_ols": regression.std_err_ols[row, column],
    }


def _as_of(sample_end: pd.Timestamp, publication_lag_days: int) -> str:
    """The first calendar month end on which the fit could be known."""
    return _iso(pd.offsets.MonthEnd().rollforward(sample_end + pd.Timedelta(days=publication_lag_days)))


def _iso(date: pd.Timestamp) -> str:
    return str(date.date())
