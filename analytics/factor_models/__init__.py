"""Factor models of excess returns: alpha, loadings and required return, each with its uncertainty."""

from analytics.factor_models._attribution import model_parts, return_contributions, variance_contributions
from analytics.factor_models._dimson import DimsonBetas, dimson_betas
from analytics.factor_models._expected_return import PREMIUM_CHOICES, Premiums, chosen_premiums, required_return
from analytics.factor_models._fits import fit_factor_models, month_end_fits
from analytics.factor_models._joint_test import JointTest, grs_test
from analytics.factor_models._model import FactorModel
from analytics.factor_models._outlook import OUTLOOK_LABELS, composite_score, fundamental_outlook
from analytics.factor_models._peers import nearest_loadings
from analytics.factor_models._registry import FACTOR_MODELS
from analytics.factor_models._rolling import rolling_betas
from analytics.factor_models._ticker_fit import TickerFit, fit_ticker

__all__ = [
    "FACTOR_MODELS", "OUTLOOK_LABELS", "PREMIUM_CHOICES", "DimsonBetas", "FactorModel", "JointTest", "Premiums", "TickerFit",
    "chosen_premiums", "composite_score", "dimson_betas", "fit_factor_models", "fit_ticker", "fundamental_outlook",
    "grs_test", "model_parts", "month_end_fits", "nearest_loadings", "required_return", "return_contributions", "rolling_betas",
    "variance_contributions",
]  # fmt: skip
