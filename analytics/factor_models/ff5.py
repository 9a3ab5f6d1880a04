"""Fama-French five-factor model: market, size, value, profitability and investment."""

from analytics.factor_models._model import FactorModel

MODEL = FactorModel(
    key="ff5",
    label="Fama-French 5",
    description="Market, size and value, profitable companies over unprofitable ones, and cautious investors over eager ones.",
    factors=("mkt_rf", "smb5", "hml", "rmw", "cma"),
    reference="Fama and French (2015), A five-factor asset pricing model",
)
