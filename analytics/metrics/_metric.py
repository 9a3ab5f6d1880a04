"""What a metric declares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from analytics.metrics._performance import Performance


@dataclass(frozen=True)
class Metric:
    """One number: its definition, how it is read and func(performance) -> float, NaN where undefined.

    level: what it is a number of: the account's returns ("period"), the same beside the benchmark's, the round
    trips ("trade") or what trading cost. A value of unit "date" is days since 1970-01-01.
    """

    key: str
    label: str
    level: Literal["period", "benchmark", "trade", "cost"]
    formula: str
    unit: Literal["fraction", "ratio", "count", "days", "date", "usd"]
    better: Literal["higher", "lower", "neither"]
    func: Callable[[Performance], float]
    reference: str
    description: str  # one sentence for the info tip
