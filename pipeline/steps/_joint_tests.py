"""Whether all alphas of the universe are zero together: the GRS test of every monthly model and window."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import MONTHS
from analytics.errors import InputError
from analytics.factor_models import FACTOR_MODELS, FactorModel, grs_test
from pipeline.queries import instruments as instrument_queries
from pipeline.steps._factor_inputs import Inputs
from pipeline.steps._step import Context

UNIVERSE = "stocks"
WINDOWS = (0, 120, 60)  # months, 0 for the full history
COLUMNS = (
    "universe", "model", "frequency", "window_months", "as_of", "sample_start", "sample_end", "n_obs", "n_tickers",
    "statistic", "p_value", "mean_abs_alpha", "message",
)  # fmt: skip


def joint_tests(context: Context, monthly: Inputs) -> pd.DataFrame:
    """Return a row per model and window, in the order of the key: the test, or the message why there is none."""
    stocks = [name for name in instrument_queries.stock_tickers(context.reader) if name in monthly.returns]
    rows = [
        _row(monthly, stocks, model, window, context.settings.publication_lag_days)
        for model in FACTOR_MODELS.values() for window in WINDOWS
        if set(model.factors) <= set(monthly.factors) and monthly.factors[list(model.factors)].notna().all(axis=1).any()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["model", "window_months"], ignore_index=True)


def _row(monthly: Inputs, stocks: list[str], model: FactorModel, window: int, lag: int) -> dict[str, Any]:
    factors = monthly.factors[[*model.factors, "rf"]].dropna()
    excess = monthly.returns[stocks].reindex(factors.index).sub(factors["rf"], axis=0).dropna(how="all")
    excess = excess.loc[:, excess.iloc[-1:].notna().all()]  # a halted stock would end the common sample
    if window:
        excess = excess.iloc[-window:].dropna(axis="columns")
    common = excess.dropna()
    end = (common if len(common) else factors).index[-1]
    as_of = pd.offsets.MonthEnd().rollforward(end + pd.Timedelta(days=lag))
    row = {
        "universe": UNIVERSE, "model": model.key, "frequency": "M", "window_months": window, "as_of": str(as_of.date()),
        "sample_start": str(common.index[0].date()) if len(common) else None, "sample_end": str(end.date()),
        "n_obs": len(common), "n_tickers": common.shape[1], "statistic": np.nan, "p_value": np.nan, "mean_abs_alpha": np.nan,
        "message": _left_out(stocks, common, window),
    }  # fmt: skip
    try:
        found = grs_test(common.to_numpy(float), factors.loc[common.index, list(model.factors)].to_numpy(float))
    except InputError as error:
        return row | {"message": str(error)}
    return row | {
        "statistic": found.statistic, "p_value": found.p_value, "mean_abs_alpha": MONTHS * found.mean_abs_alpha,
    }  # fmt: skip


def _left_out(stocks: list[str], common: pd.DataFrame, window: int) -> str:
    missing = sorted(set(stocks) - set(common.columns))
    why = "not complete over the window" if window else "not known to the end of the sample"
    return f"without {', '.join(missing)}: {why}" if missing else ""
