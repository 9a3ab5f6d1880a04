"""What statsmodels says about one ticker, model and window: the peer of every stored column, one fit at a time."""

from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.stats.diagnostic import breaks_cusumolsresid, het_breuschpagan
from statsmodels.stats.stattools import durbin_watson, jarque_bera

PERIODS = {"M": 12, "D": 252}


def own_sample(total: pd.Series, factors: pd.DataFrame, names: list[str], window: int, frequency: str) -> pd.DataFrame:
    """The dates on which the ticker, the factors and the risk-free rate are known, within the window."""
    sample = factors[[*names, "rf"]].join(total.rename("total"), how="inner").dropna()
    if window:
        offset = pd.offsets.MonthEnd(window) if frequency == "M" else pd.DateOffset(months=window)
        sample = sample[sample.index > sample.index[-1] - offset]
    return sample


def hac(response: Any, design: Any) -> Any:
    lags = int(np.floor(4 * (len(response) / 100) ** (2 / 9)))
    return sm.OLS(response, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True)


def reference_fit(sample: pd.DataFrame, names: list[str], frequency: str) -> tuple[dict[str, float], pd.DataFrame]:
    """The stored columns of a sample, and the loadings by factor."""
    periods, excess = PERIODS[frequency], sample["total"] - sample["rf"]
    design = sm.add_constant(sample[names])
    plain, robust = sm.OLS(excess, design).fit(), hac(excess, design)
    low, high = robust.conf_int().T.to_numpy()
    realised = hac(sample["total"].to_numpy(), np.ones(len(sample)))
    residuals = plain.resid.to_numpy()
    fit = {
        "n_obs": robust.nobs, "alpha": periods * robust.params["const"], "alpha_se": periods * robust.bse["const"],
        "alpha_t": robust.tvalues["const"], "alpha_p": robust.pvalues["const"],
        "alpha_low": periods * low[0], "alpha_high": periods * high[0], "alpha_se_ols": periods * plain.bse["const"],
        "r_squared": plain.rsquared, "adjusted_r_squared": plain.rsquared_adj, "bic": plain.bic,
        "residual_vol": np.sqrt(periods * plain.mse_resid), "durbin_watson": durbin_watson(residuals),
        "jarque_bera_p": jarque_bera(residuals)[1], "breusch_pagan_p": het_breuschpagan(residuals, design)[1],
        "realised_return": periods * realised.params[0], "realised_return_se": periods * realised.bse[0],
        "break_p": breaks_cusumolsresid(residuals)[1],
    }  # fmt: skip
    if names == ["mkt_rf"]:
        fit |= _sides(excess, sample["mkt_rf"]) | {"beta_blume": 2 / 3 * plain.params["mkt_rf"] + 1 / 3}
    loadings = pd.DataFrame({
        "beta": robust.params, "std_err": robust.bse, "t_stat": robust.tvalues, "p_value": robust.pvalues,
        "low": low, "high": high, "std_err_ols": plain.bse,
    }).drop("const")  # fmt: skip
    return fit, loadings


def _sides(excess: pd.Series, market: pd.Series) -> dict[str, float]:
    """Betas of two separate regressions; errors of one with a design of our own making."""
    rising = market > 0
    if min(rising.sum(), (~rising).sum()) < 12:
        return dict.fromkeys(("beta_up", "beta_down", "beta_up_se", "beta_down_se"), np.nan)
    found = {
        name: sm.OLS(excess[side], sm.add_constant(market[side])).fit().params["mkt_rf"]
        for name, side in (("beta_up", rising), ("beta_down", ~rising))
    }
    design = np.column_stack([rising, ~rising, market.where(rising, 0), market.where(~rising, 0)]).astype(float)
    errors = hac(excess.to_numpy(), design).bse
    return found | {"beta_up_se": errors[2], "beta_down_se": errors[3]}


def assert_fits_equal(
    fits: pd.DataFrame, loadings: pd.DataFrame, returns: pd.DataFrame, factors: pd.DataFrame, *, tolerance: float
) -> int:
    """Compare every row with statsmodels on data up to the row's own sample end; return how many were compared."""
    from analytics.factor_models import FACTOR_MODELS

    key = ["ticker", "model", "window_months", "as_of"]
    by_fit = dict(list(loadings.groupby(key)))
    for row in fits.to_dict("records"):
        names, where = list(FACTOR_MODELS[row["model"]].factors), tuple(row[name] for name in key)
        known = returns[row["ticker"]].loc[: row["sample_end"]]
        sample = own_sample(known, factors, names, row["window_months"], row["frequency"])
        assert row["sample_start"] == str(sample.index[0].date()), where
        assert row["sample_end"] == str(sample.index[-1].date()), where
        fit, expected = reference_fit(sample, names, row["frequency"])
        if np.isnan(row["break_p"]):
            del fit["break_p"]
        for column, value in fit.items():
            np.testing.assert_allclose(row[column], value, rtol=tolerance, atol=tolerance, err_msg=f"{where} {column}")
        table = by_fit[where].set_index("factor")[list(expected.columns)]
        pd.testing.assert_frame_equal(table, expected, rtol=tolerance, atol=tolerance, check_names=False)
    return len(fits)
