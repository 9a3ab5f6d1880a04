"""Capital asset pricing model: the market alone."""

from analytics.factor_models._model import FactorModel

MODEL = FactorModel(
    key="capm",
    label="CAPM",
    description="How strongly the ticker moves with the market, and what it earned beyond that.",
    factors=("mkt_rf",),
    reference="Sharpe (1964), Capital asset prices; Lintner (1965)",
)
