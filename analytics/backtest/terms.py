"""What a backtest assumes of trading: its costs and its rules of risk, declared once for checks, controls and help."""

from dataclasses import dataclass, fields
from typing import Any, Final

from analytics import conventions as default
from analytics.parameters import Parameter, resolve

LONG_ONLY, LONG_SHORT = "long_only", "long_short"

COSTS: Final = (
    Parameter(
        "fee_rate", "Commission", default.FEE_RATE, "fraction of the traded value, each way", minimum=0, maximum=0.5, percent=True
    ),
    Parameter("fixed_fee", "Fixed commission", 0.0, "USD per fill, on top", minimum=0, maximum=10_000),
    Parameter(
        "half_spread", "Half-spread", default.HALF_SPREAD, "fraction of the price, half of bid to ask, each way",
        minimum=0, maximum=0.4, percent=True,
    ),
    Parameter(
        "slippage_rate", "Slippage", default.SLIPPAGE_RATE, "fraction of the price, always against the trader",
        minimum=0, maximum=0.4, percent=True,
    ),
    Parameter(
        "impact_coefficient", "Market impact", default.IMPACT_COEFFICIENT,
        "fraction of the price by which an order as large as an average day's trading moves it; 0: none",
        minimum=0, maximum=1, percent=True,
    ),
    Parameter(
        "impact_exponent", "Impact exponent", default.IMPACT_EXPONENT,
        "how impact grows with the order's share of the daily volume; 0.5 is the square-root law", minimum=0.1, maximum=2,
    ),
    Parameter(
        "participation_cap", "Participation cap", default.PARTICIPATION_CAP,
        "largest share of the average daily dollar volume traded in a session; the rest waits; 0: no cap",
        minimum=0, maximum=1, percent=True,
    ),
    Parameter(
        "borrow_rate", "Borrow fee", default.BORROW_RATE, "yearly fraction of the value sold short", minimum=0, maximum=2, percent=True
    ),
)  # fmt: skip

RULES: Final = (
    Parameter(
        "direction", "Direction", LONG_ONLY, "whether sell signals only close, or also sell short",
        one_of=(LONG_ONLY, LONG_SHORT),
    ),
    Parameter(
        "max_position", "Position limit", 0.0,
        "largest share of the account per ticker when it is bought; 0: the larger of 20 % and an equal share",
        minimum=0, maximum=1, percent=True,
    ),
    Parameter("stop_loss", "Stop loss", 0.0, "loss from the entry price that closes a position; 0: none", minimum=0, maximum=0.99, percent=True),
    Parameter("take_profit", "Take profit", 0.0, "gain from the entry price that closes it; 0: none", minimum=0, maximum=100, percent=True),
    Parameter("trailing_stop", "Trailing stop", 0.0, "fall from the best price since entry that closes it; 0: none", minimum=0, maximum=0.99, percent=True),
    Parameter("drawdown_halt", "Drawdown halt", 0.0, "fall of the account from its peak that ends all trading; 0: none", minimum=0, maximum=0.99, percent=True),
    Parameter(
        "target_volatility", "Target volatility", 0.0,
        "yearly; the account holds less while its positions have been more volatile over 63 sessions; 0: off", minimum=0, maximum=5, percent=True,
    ),
    Parameter(
        "max_value_at_risk", "Largest value at risk", 0.0,
        "of a session at 95 %; the account holds less while its positions have risked more over 252 sessions; 0: off",
        minimum=0, maximum=1, percent=True,
    ),
    Parameter(
        "kelly_fraction", "Kelly fraction", 0.0,
        "share of the Kelly bet, mean over variance of the positions' excess returns over 252 sessions; 0: off", minimum=0, maximum=1, percent=True,
    ),
    Parameter("cash_interest", "Interest on cash", default=True, help="cash earns the dated risk-free rate"),
)  # fmt: skip


@dataclass(frozen=True)
class Costs:
    """What trading costs, each by its declaration in COSTS. Raises InputError on a value out of bounds."""

    fee_rate: float = default.FEE_RATE
    fixed_fee: float = 0.0
    half_spread: float = default.HALF_SPREAD
    slippage_rate: float = default.SLIPPAGE_RATE
    impact_coefficient: float = default.IMPACT_COEFFICIENT
    impact_exponent: float = default.IMPACT_EXPONENT
    participation_cap: float = default.PARTICIPATION_CAP
    borrow_rate: float = default.BORROW_RATE

    def __post_init__(self) -> None:
        """Check every field and store it in canonical form."""
        _check(self, COSTS)


FREE: Final = {item.name: 0.0 for item in COSTS if item.name != "impact_exponent"}  # trading that costs nothing


@dataclass(frozen=True)
class Rules:
    """The rules of risk, each by its declaration in RULES; 0 is off. Raises InputError on a value out of bounds."""

    direction: str = LONG_ONLY
    max_position: float = 0.0
    stop_loss: float = 0.0
    take_profit: float = 0.0
    trailing_stop: float = 0.0
    drawdown_halt: float = 0.0
    target_volatility: float = 0.0
    max_value_at_risk: float = 0.0
    kelly_fraction: float = 0.0
    cash_interest: bool = True

    def __post_init__(self) -> None:
        """Check every field and store it in canonical form."""
        _check(self, RULES)

    def position_limit(self, n_tickers: int) -> float:
        """Return the largest weight of a ticker: as set, else the larger of 20 % and an equal share."""
        return self.max_position or max(default.MAX_POSITION, 1.0 / n_tickers)


def _check(terms: Costs | Rules, declared: tuple[Parameter, ...]) -> None:
    given: dict[str, Any] = {item.name: getattr(terms, item.name) for item in fields(terms)}
    for name, value in resolve(declared, given).items():
        object.__setattr__(terms, name, value)
