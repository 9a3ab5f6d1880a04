"""Every ticker, model and window: the rows of the stored tables factor_model_fits and factor_loadings."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analytics.conventions import FACTOR_WINDOWS, PUBLICATION_LAG_DAYS
from analytics.errors import InputError
from analytics.factor_models._adjusted_betas import vasicek_beta
from analytics.factor_models._fit_tables import FitTables, Task
from analytics.factor_models._model import FactorModel
from analytics.factor_models._registry import FACTOR_MODELS
from analytics.factor_models._samples import check_window, dated, fits_of_every_date, latest_fits, samples
from analytics.inference import benjamini_hochberg
from analytics.registry import lookup


def fit_factor_models(
    returns: pd.DataFrame,
    factor_returns: pd.DataFrame,
    *,
    frequency: str = "M",
    models: Iterable[str] | None = None,
    windows: Iterable[int] = FACTOR_WINDOWS,
    publication_lag_days: int = PUBLICATION_LAG_DAYS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the latest fits and their factor loadings, a row per ticker, model and window (and factor).

    returns: dates × tickers, and factor_returns: dates × (mkt_rf, smb, hml, …, rf), fractions per period, NaN
    where unknown; month ends at frequency "M", sessions at "D". models: keys, all of them where None.
    windows: calendar months before the ticker's own last observation, 0 for the full history. No row where a
    ticker has too few observations (24 months, 252 sessions) or the source lacks a factor. Raises
    UnknownKeyError on a model, InputError on a frequency, a window or dates. NaN when: the factors are
    collinear in the sample, or what the column divides by is 0.
    """
    tables = _tables(
        returns, factor_returns, frequency=frequency, models=FACTOR_MODELS if models is None else models,
        windows=windows, publication_lag_days=publication_lag_days, every=False, since=None,
    )  # fmt: skip
    fits, loadings = tables.frames()
    return _across_tickers(fits, loadings), loadings


def month_end_fits(
    returns: pd.DataFrame,
    factor_returns: pd.DataFrame,
    *,
    models: Iterable[str] = ("capm", "ff3", "ff5"),
    windows: Iterable[int] = (0, 60),
    publication_lag_days: int = PUBLICATION_LAG_DAYS,
    since: pd.Timestamp | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the fits that end with every month of every ticker, and their loadings, as they could be known then.

    Arguments, errors and columns as in fit_factor_models, monthly; since: only samples that end after it. A
    fit depends on nothing after its sample_end and on no other ticker: alpha_q and beta_vasicek, which need
    them, and the breaks are NaN. Of two samples with one as-of date the later is kept.
    """
    tables = _tables(
        returns, factor_returns, frequency="M", models=models,
        windows=windows, publication_lag_days=publication_lag_days, every=True, since=since,
    )  # fmt: skip
    return tables.frames()


def _tables(
    returns: pd.DataFrame, factor_returns: pd.DataFrame, *, frequency: str, models: Iterable[str],
    windows: Iterable[int], publication_lag_days: int, every: bool, since: pd.Timestamp | None,
) -> FitTables:  # fmt: skip
    chosen: list[FactorModel] = [lookup(FACTOR_MODELS, key, "model") for key in models]
    sizes = [check_window(window) for window in windows]
    own = dated("returns", returns, frequency)
    factors = dated("factor_returns", factor_returns, frequency)
    if "rf" not in factors:
        raise InputError("factor_returns", got=list(factors), allowed="a column rf, the risk-free rate")
    tables = FitTables()
    for model in chosen:
        if not set(model.factors) <= set(factors):
            continue
        task = Task(model, frequency, factors[list(model.factors)], publication_lag_days, with_breaks=not every)
        for sample in samples(own, task.history, factors["rf"]):
            for window in sizes:
                if every:
                    as_of = task.as_of(sample.dates)
                    rows = fits_of_every_date(sample, window, frequency, as_of=as_of, since=since)
                else:
                    rows = latest_fits(sample, window, frequency)
                tables.add(task, sample, window, rows)
    return tables


def _across_tickers(fits: pd.DataFrame, loadings: pd.DataFrame) -> pd.DataFrame:
    """Fill what needs the other tickers with the same model and window: alpha_q, and beta_vasicek of the CAPM.

    The cross-section of betas is all samples that end together; that of the alphas is all that were tested.
    """
    capm = fits["model"] == "capm"
    market = loadings[loadings["model"] == "capm"]  # one loading per fit, in the same order
    sampled = fits.loc[capm, "window_months"].astype(str) + " " + fits.loc[capm, "sample_end"].astype(str)
    found = vasicek_beta(market["beta"], market["std_err_ols"], sampled.set_axis(market.index))
    values = np.full(len(fits), np.nan)
    values[capm.to_numpy(dtype=bool)] = found.to_numpy(dtype=float)
    tested = fits["alpha_p"].astype(float).groupby([fits["model"], fits["window_months"]])
    return fits.assign(alpha_q=tested.transform(benjamini_hochberg), beta_vasicek=values)
