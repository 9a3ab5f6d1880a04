"""The columns of the two tables of fits, and the words for what an alpha is worth."""

import pandas as pd

from analytics.conventions import CONFIDENCE
from dashapp.components import column, number_column, p_value_column, percent_column

SIGNIFICANT = 1 - CONFIDENCE
HOLDS, UNCORRECTED, NONE = "holds", "only before correction", "no evidence"

TONES = {
    "tone-up": f"params.data.verdict === '{HOLDS}' && params.data.alpha > 0", "tone-down": f"params.data.verdict === '{HOLDS}' && params.data.alpha < 0",
}  # fmt: skip
VERDICT_RULES = TONES | {"fw-semibold": f"params.value !== '{NONE}'"}

OF_TICKER = [
    column("fit", "Model", width=146, pinned="left"), column("window", "Window", width=105), column("returns", "Returns", width=84),
    percent_column("alpha", "Alpha", width=86, tip="Annual; coloured only where q ≤ 0.05", cellClassRules=TONES), percent_column("alpha_se", "Alpha SE", width=84, tip="Newey-West standard error"),
    percent_column("alpha_se_ols", "SE, OLS", width=84, tip="The ordinary standard error, right only for residuals that are independent and of one variance"),
    number_column("alpha_t", "t", width=70), p_value_column("alpha_p", "p"),
    p_value_column("alpha_q", "q", tip="After Benjamini and Hochberg over all tickers with the same model, window and frequency"),
    percent_column("alpha_low", "Low", width=80, tip="95 % interval"), percent_column("alpha_high", "High", width=80, tip="95 % interval"),
    column("verdict", "Survives", width=190, tip="Holds: q ≤ 0.05. Only before correction: p ≤ 0.05, but not after counting how many tickers were tested",
           cellClassRules=VERDICT_RULES),
    number_column("adjusted_r_squared", "Adj. R²", width=84), number_column("bic", "BIC", digits=1, width=90, tip="Lower is better among fits of the same sample"),
    number_column("n_obs", "n", digits=0, width=74), column("sample_start", "From", width=100), column("sample_end", "To", width=100),
    column("as_of", "Known from", width=104),
]  # fmt: skip

OF_LOADINGS = [
    column("model", "Model", width=146, pinned="left"), column("factor", "Factor", minWidth=110), number_column("beta", "Beta", digits=3, width=84),
    number_column("std_err", "SE", digits=3, width=80, tip="Newey-West"), number_column("t_stat", "t", width=76), p_value_column("p_value", "p"),
    number_column("low", "Low", digits=3, width=84, tip="95 % interval"), number_column("high", "High", digits=3, width=84, tip="95 % interval"),
    number_column("std_err_ols", "SE, OLS", digits=3, width=92),
]  # fmt: skip

OF_UNIVERSE = [
    column("ticker", "Ticker", width=80, pinned="left", cellClass="fw-semibold"), column("name", "Name", minWidth=130, tooltipField="name"),
    column("kind", "Kind", width=66), column("sector", "Sector", minWidth=110, tooltipField="sector"),
    percent_column("alpha", "Alpha", width=86, tip="Annual; coloured only where q ≤ 0.05", cellClassRules=TONES), percent_column("alpha_se", "Alpha SE", width=84, tip="Newey-West"),
    number_column("alpha_t", "t", width=70), p_value_column("alpha_p", "p"),
    p_value_column("alpha_q", "q", tip="After Benjamini and Hochberg over all tickers"),
    column("verdict", "Survives", width=190, cellClassRules=VERDICT_RULES),
    number_column("beta", "Market beta", width=90), number_column("beta_se", "Beta SE", width=84), number_column("r_squared", "R²", width=70),
    percent_column("expected_return", "Required", width=94, tip="Annual, with the factors' means to date"), percent_column("expected_return_se", "Required SE", width=94),
    percent_column("realised_return", "Realised", width=94, tip="Annual mean of total returns over the same sample"),
    number_column("n_obs", "n", digits=0, width=70), column("sample_end", "To", width=100),
]  # fmt: skip


def verdict(p_value: float, q_value: float) -> str:
    """Return what the p value and its q value say of an alpha; a dash where they are unknown."""
    if pd.isna(p_value):
        return "–"
    return HOLDS if q_value <= SIGNIFICANT else UNCORRECTED if p_value <= SIGNIFICANT else NONE
