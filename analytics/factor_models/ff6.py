"""Fama-French five-factor model with momentum."""

from analytics.factor_models._model import FactorModel

MODEL = FactorModel(
    key="ff6",
    label="FF5 + momentum",
    description="The five factors of Fama and French, and the winners of the past year over its losers.",
    factors=("mkt_rf", "smb5", "hml", "rmw", "cma", "mom"),
    reference="Fama and French (2018), Choosing factors",
)
