"""Carhart's four-factor model: the three factors of Fama and French, and momentum."""

from analytics.factor_models._model import FactorModel

MODEL = FactorModel(
    key="carhart4",
    label="Carhart 4",
    description="Market, size and value, and the winners of the past year over its losers.",
    factors=("mkt_rf", "smb", "hml", "mom"),
    reference="Carhart (1997), On persistence in mutual fund performance",
)
