"""Factor models of monthly excess returns: alpha, loadings and required return, each with its uncertainty."""

from analytics.factor_models._fits import fit_factor_models
from analytics.factor_models._model import FactorModel
from analytics.factor_models._registry import FACTOR_MODELS

__all__ = ["FACTOR_MODELS", "FactorModel", "fit_factor_models"]
