"""What a factor model is: the factors that a ticker's excess return is regressed on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FactorModel:
    """One linear factor model; `factors` are columns of the factor returns, in regression order."""

    key: str
    label: str
    description: str
    factors: tuple[str, ...]
    reference: str
