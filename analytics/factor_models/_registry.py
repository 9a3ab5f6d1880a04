"""The factor models, one file each: a module exports MODEL and needs no edit elsewhere."""

import sys

from analytics.factor_models._model import FactorModel
from analytics.registry import collect

FACTOR_MODELS = collect(sys.modules["analytics.factor_models"], "MODEL", FactorModel)
