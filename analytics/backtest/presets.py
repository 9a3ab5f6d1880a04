"""Starting points of a backtest: a name for a set of assumptions that go together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from analytics.backtest.terms import COSTS, LONG_SHORT


@dataclass(frozen=True)
class Preset:
    """What it sets of strategy, parameters, costs and rules; everything else of these stands at its default.

    strategy: None leaves the strategy and its parameters as they are.
    """

    label: str
    description: str
    strategy: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    costs: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)


_INSTITUTION: Final = {"fee_rate": 0.00005, "half_spread": 0.0001, "slippage_rate": 0.0001}
_RETAIL: Final = {"fee_rate": 0.0, "fixed_fee": 1.0, "half_spread": 0.0005, "slippage_rate": 0.0005}
_GUARDED: Final = {"stop_loss": 0.1, "trailing_stop": 0.15, "drawdown_halt": 0.3, "target_volatility": 0.15}

PRESETS: Final[Mapping[str, Preset]] = {
    "defaults": Preset("Defaults", "Every cost and every rule at its default."),
    "before_costs": Preset(
        "Before costs", "No commission, spread, slippage, impact, cap or borrow fee: what the signals alone are worth.",
        costs={item.name: 0.0 for item in COSTS if item.name != "impact_exponent"},
    ),
    "institution": Preset("Institution", "Half a basis point of commission, tight spreads; impact as by default.", costs=_INSTITUTION),
    "retail": Preset("Retail account", "One dollar an order and spreads five times as wide.", costs=_RETAIL),
    "guarded": Preset(
        "Guarded", "Stop at 10 %, trailing stop at 15 %, all trading ends at a drawdown of 30 %, 15 % target volatility.", rules=_GUARDED,
    ),
    "long_short": Preset("Long and short", "Sell signals sell short.", rules={"direction": LONG_SHORT}),
    "golden_cross": Preset(
        "Golden cross", "In while the 50-day average is above the 200-day one.", "technical_vote", {"threshold": 1, "votes": ("sma",)},
    ),
    "trend": Preset(
        "Trend", "Three of the four trend indicators must agree.", "technical_vote",
        {"threshold": 3, "votes": ("sma", "ema", "macd", "adx")},
    ),
    "contrarian": Preset(
        "Contrarian", "Two of the three oscillators must be oversold, or overbought to sell.", "technical_vote",
        {"threshold": 2, "votes": ("rsi", "bollinger", "stochastic")},
    ),
    "oversold": Preset(
        "Oversold", "Buys below the lower Bollinger band where the RSI is below 30 too.", "mean_reversion", {"signal": "both"},
    ),
}  # fmt: skip
