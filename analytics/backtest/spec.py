"""What a backtest is asked: strategy, capital, costs, rules and dates, checked before any data is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, LONG_ONLY, RULES, Costs, Rules
from analytics.conventions import INITIAL_CAPITAL
from analytics.errors import InputError
from analytics.parameters import resolve
from analytics.registry import lookup
from analytics.validate import date_range

MAX_CAPITAL = 1e12  # USD; beyond it rounding eats the cents
ENGINES = {"kernel": "Plumbline", "vectorbt": "vectorbt"}


@dataclass(frozen=True)
class BacktestSpec:
    """One backtest in canonical form; start and end are ISO dates, None for the first and last date there is.

    Raises InputError (dates, capital, a parameter out of bounds) and UnknownKeyError (strategy, parameter).
    """

    strategy: str = "technical_vote"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    initial_capital: float = INITIAL_CAPITAL
    costs: Costs = field(default_factory=Costs)
    rules: Rules = field(default_factory=Rules)
    engine: str = "kernel"
    start: str | None = None
    end: str | None = None

    def __post_init__(self) -> None:
        """Check every field and fill in the default parameters."""
        declared = lookup(STRATEGIES, self.strategy, "strategy").parameters
        allowed = f"an amount in USD from 1 to {MAX_CAPITAL:,.0f}"
        capital = _number("initial_capital", self.initial_capital, allowed)
        if not 1.0 <= capital <= MAX_CAPITAL:
            raise InputError("initial_capital", got=capital, allowed=allowed)
        date_range(self.start, self.end)
        lookup(ENGINES, self.engine, "engine")
        if self.engine == "vectorbt":
            _check_vectorbt(self.costs, self.rules)
        object.__setattr__(self, "parameters", resolve(declared, self.parameters))
        STRATEGIES[self.strategy].check(**self.parameters)
        object.__setattr__(self, "initial_capital", capital)


def _check_vectorbt(costs: Costs, rules: Rules) -> None:
    """Raise InputError where costs or rules are asked for that vectorbt does not know."""
    asked = {name: getattr(costs, name) for name in ("impact_coefficient", "participation_cap")}
    asked |= {name: getattr(rules, name) for name in ("drawdown_halt", "cash_interest")}
    if rules.direction != LONG_ONLY:
        asked["borrow_rate"] = costs.borrow_rate
    if rules.stop_loss:
        asked["trailing_stop"] = rules.trailing_stop
    labels = {item.name: item.label.lower() for item in (*COSTS, *RULES)}
    unknown = ", ".join(labels[name] for name, value in asked.items() if value)
    if unknown:
        raise InputError(
            "engine", got=f"vectorbt with {unknown}", allowed="vectorbt without these (a stop loss or a trailing stop, not both), or the engine of Plumbline",
            fix="Set them to 0 or switch them off, or choose the other engine.",
        )  # fmt: skip


def _number(name: str, value: Any, allowed: str) -> float:
    if isinstance(value, bool):
        raise InputError(name, got=value, allowed=allowed)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(name, got=value, allowed=allowed) from None
