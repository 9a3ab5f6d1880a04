"""Fama-French three-factor model: market, size and value."""

from analytics.factor_models._model import FactorModel

MODEL = FactorModel(
    key="ff3",
    label="Fama-French 3",
    description="The market, small companies over large ones, and cheap companies over expensive ones.",
    factors=("mkt_rf", "smb", "hml"),
    reference="Fama and French (1993), Common risk factors in the returns on stocks and bonds",
)
