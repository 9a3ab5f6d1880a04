"""What a stored backtest was asked and what it assumes, in sentences."""

from typing import Any

from analytics.backtest.spec import ENGINES
from analytics.backtest.strategies import STRATEGIES
from dashapp.format import number, percent, unbroken, usd

NAMED = 8  # tickers that a sentence names
MOST_WORDS = 40  # entries of a list that are spelt out
_STOPS = {
    "stop_loss": "stop loss {}", "take_profit": "take profit {}", "trailing_stop": "trailing stop {}",
    "drawdown_halt": "trading ends after a fall of {}", "target_volatility": "scaled to a volatility of {} a year",
    "max_value_at_risk": "scaled to a value at risk of {} a session", "kelly_fraction": "{} of the Kelly bet",
}  # fmt: skip


def strategy_label(result: dict[str, Any]) -> str:
    """Return the name of the strategy; its key where it is one that is no more."""
    strategy = STRATEGIES.get(result["strategy_name"])
    return strategy.label if strategy else str(result["strategy_name"])


def asked(result: dict[str, Any]) -> str:
    """Return what was asked: strategy, tickers, dates, parameters and capital."""
    params, strategy = result["params"], STRATEGIES.get(result["strategy_name"])
    chosen = [
        f"{item.label.lower()} {words(params[item.name])}"
        for item in (strategy.parameters if strategy else ()) if item.name in params and params[item.name] != ""
    ]  # fmt: skip
    settings = ", ".join([*chosen, f"capital {usd(params.get('initial_capital'), digits=0)}"])
    return f"{strategy_label(result)} on {listed(result['tickers'])}, {result['start_date']} to {result['end_date']}: {settings}."


def assumed(result: dict[str, Any]) -> str:
    """Return what is assumed of costs, rules and fills; of a result of an earlier version, what it states."""
    params, audit = result["params"], result["audit"]
    engine = ENGINES.get(params.get("engine"), audit.get("engine", ""))
    fills = f"Decided at a close, filled at the next open, in total-return prices; engine {engine}."
    return unbroken(" ".join(part for part in (_costs(params), _rules(params, audit), fills) if part))


def notes(result: dict[str, Any], *, stale: bool) -> list[str]:
    """Return what the reader should know before believing the numbers."""
    audit, found = result["audit"], []
    if len(result["tickers"]) > 1 and "gates" not in audit:
        found.append("These tickers are today's: those that failed since are not among them, which flatters the past.")
    if stale:
        found.append("Computed on an earlier data run; run it again to use the published one.")
    if carried := audit.get("risk_free_carried_sessions"):
        found.append(f"The risk-free rate is the last known one, carried over {carried:,} sessions.")
    if unknown := audit.get("risk_free_unknown_sessions"):
        found.append(f"The risk-free rate is unknown on {unknown:,} sessions: cash earned nothing there.")
    if missing := audit.get("volume_unknown"):
        found.append(
            f"No volume is known for some orders of {listed(missing)}: the flat costs alone were charged there, without impact or cap."
        )
    if closes := audit.get("filled_at_close"):
        found.append(f"Some bars of {listed(closes)} have no open: filled at their close.")
    if gone := audit.get("delisted"):
        found.append(f"Prices ended while held: {listed(gone)}, settled at the last close.")
    if day := audit.get("halted_on"):
        found.append(f"The drawdown halt ended trading on {day}.")
    if day := audit.get("liquidated_on"):
        found.append(f"The account was lost and liquidated on {day}.")
    return found


def listed(tickers: list[str]) -> str:
    """Return the first tickers of a list and how many more there are."""
    more = len(tickers) - NAMED
    return ", ".join(map(str, tickers[:NAMED])) + (f" and {more} more" if more > 0 else "")


def words(value: Any) -> str:
    """Return a stored value as words: lists and mappings spelt out, of long ones the beginning."""
    if isinstance(value, dict):
        return _joined([f"{key} {words(item)}" for key, item in value.items()])
    if isinstance(value, list):
        return _joined([words(item) for item in value])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _joined(items: list[str]) -> str:
    more = len(items) - MOST_WORDS
    return (", ".join(items[:MOST_WORDS]) or "none") + (f" and {more} more" if more > 0 else "")


def _costs(params: dict[str, Any]) -> str:
    parts = [f"commission {_rate(params, 'fee_rate')}"]
    if params.get("fixed_fee"):
        parts.append(f"{usd(params['fixed_fee'])} a fill")
    parts += [
        f"{label} {_rate(params, name)}"
        for name, label in (("half_spread", "half-spread"), ("slippage_rate", "slippage"))
        if name in params
    ]
    if params.get("impact_coefficient"):
        parts.append(
            f"impact {_rate(params, 'impact_coefficient')} × (order / average daily volume)^{number(params.get('impact_exponent'), digits=1)}"
        )
    if params.get("participation_cap"):
        parts.append(f"at most {percent(params['participation_cap'], digits=0)} of the daily volume a session")
    if params.get("borrow_rate") and params.get("direction") == "long_short":
        parts.append(f"borrow fee {_rate(params, 'borrow_rate')} a year")
    return f"Costs, each way: {', '.join(parts)}."


def _rules(params: dict[str, Any], audit: dict[str, Any]) -> str:
    if "direction" not in params:
        return "Long only; cash earns nothing."
    parts = ["Long and short" if params["direction"] == "long_short" else "Long only"]
    limit = audit.get("position_limit") or params.get("max_position")
    if limit:
        parts.append(f"at most {percent(limit, digits=0)} of the account per ticker when bought")
    parts += [text.format(percent(params[name], digits=1)) for name, text in _STOPS.items() if params.get(name)]
    parts.append("cash earns the risk-free rate" if params.get("cash_interest") else "cash earns nothing")
    return f"{'; '.join(parts)}."


def _rate(params: dict[str, Any], name: str) -> str:
    return percent(params.get(name), digits=2)
