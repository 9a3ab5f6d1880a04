"""What a stored backtest was asked and what it assumes, in sentences."""

from collections.abc import Mapping
from typing import Any

from analytics.backtest.spec import ENGINES
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.conventions import TRADING_DAYS
from analytics.indicators import VOTES
from analytics.parameters import Parameter
from dashapp.format import UNKNOWN, is_known, number, unbroken, usd

NAMED = 8  # tickers that a sentence names
MOST_WORDS = 40  # entries of a list that are spelt out
CHOICE_LABELS = {
    "max_sharpe": "maximum Sharpe ratio", "min_variance": "minimum variance", "sharpe_ratio": "Sharpe ratio", "rsi": "RSI",
    "bollinger": "Bollinger bands",
}  # fmt: skip
FACTS = {  # how a result was made, in words; what is not named is shown by its own name
    "result": "Result", "computed": "Computed", "data run": "Data run", "code": "Code", "parameters": "Asked", "engine": "Engine",
    "price_basis": "Prices", "cash_interest": "Cash earns", "position_limit": "At most in one ticker", "sessions": "Sessions",
    "history_sessions": "Sessions of history before the test", "orders": "Orders decided",
    "orders_pending": "Orders at the end, due after it", "orders_unfilled": "Orders without a fill (no cash left, too small, or trading had ended)",
    "fills": "Fills", "filled_at_close": "Filled at the close for want of an open", "volume_unknown": "Traded without a known volume",
    "open_at_end": "Open at the end", "delisted": "Delisted while held", "halted_on": "Halted on", "liquidated_on": "Liquidated on",
    "risk_free_carried_sessions": "Sessions with the last known risk-free rate", "risk_free_unknown_sessions": "Sessions without a risk-free rate",
    "price_dates": "Prices of", "costs": "Costs in total, $",
}  # fmt: skip
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
        f"{lowered(item.label)} {setting(item, params[item.name])}"
        for item in (strategy.parameters if strategy else ()) if item.name in params and params[item.name] != ""
    ]  # fmt: skip
    settings = ", ".join([*chosen, f"capital {usd(params.get('initial_capital'), digits=0)}"])
    return f"{strategy_label(result)} on {listed(result['tickers'])}, {result['start_date']} to {result['end_date']}: {settings}."


def assumed(result: dict[str, Any]) -> str:
    """Return what is assumed of costs, rules and fills; of a result of an earlier version, what it states."""
    params, audit = result["params"], result["audit"]
    engine = ENGINES.get(params.get("engine"), audit.get("engine", ""))
    closes = audit.get("filled_at_close")
    of = "every ticker" if {*(closes or ())} >= {*result["tickers"]} else listed(closes or [])
    late = f", at the close on bars of {of} that have no open" if closes else ""
    fills = f"Decided at a close, filled at the next open{late}, in total-return prices; engine {engine}."
    return unbroken(" ".join(part for part in (_costs(result), _rules(params, audit), fills) if part))


def notes(result: dict[str, Any], *, stale: bool) -> list[str]:
    """Return what the reader should know before believing the numbers."""
    audit, found = result["audit"], []
    if 0 < (sessions := audit.get("sessions") or 0) < TRADING_DAYS:
        found.append(f"The test is shorter than a year, {sessions} sessions: what is said per year is extrapolated.")
    if len(result["tickers"]) > 1 and "gates" not in audit:
        found.append("These tickers are today's: those that failed since are not among them, which flatters the past.")
    if stale:
        found.append("Computed on an earlier data run; run it again to use the published one.")
    if carried := audit.get("risk_free_carried_sessions"):
        found.append(f"The risk-free rate is the last known one, carried over {carried:,} sessions.")
    if unknown := audit.get("risk_free_unknown_sessions"):
        found.append(f"The risk-free rate is unknown on {unknown:,} sessions: cash earned nothing there.")
    if gone := audit.get("delisted"):
        found.append(f"Prices ended while held: {listed(gone)}, settled at the last close.")
    if day := audit.get("halted_on"):
        found.append(f"The drawdown halt ended trading on {day}.")
    if day := audit.get("liquidated_on"):
        found.append(f"The account was lost and liquidated on {day}.")
    return found


def setting(item: Parameter, value: Any) -> str:
    """Return the value of a parameter as its control shows it: percent, and choices by their labels."""
    if isinstance(value, list | tuple):
        return _joined([VOTES[key].vote.label if key in VOTES else choice_label(key) for key in value])
    if item.one_of:
        return choice_label(value)
    if item.percent:
        return share(value)
    return words(value)


def choice_label(key: Any) -> str:
    """Return a key as a label: max_sharpe → maximum Sharpe ratio."""
    return CHOICE_LABELS.get(key, str(key).replace("_", " "))


def lowered(label: str) -> str:
    """Return a label within a sentence: an acronym keeps its capitals."""
    return label if label[:2].isupper() or label.startswith("Kelly") else label[:1].lower() + label[1:]


def facts(result: dict[str, Any]) -> dict[str, str]:
    """Return how a result was made, {label: words}: it can be made again from these, to the same bytes."""
    about = {
        "result": result["result_id"],
        "computed": result["test_date"],
        "data run": result["data_run_id"],
        "code": result["code_version"],
        "parameters": "",
    }
    seen = {name: value for name, value in result["audit"].items() if name not in ("gates", "intervals", "verdict")}
    said = {name: _fact(name, value) for name, value in {**about, **seen}.items()}
    said["parameters"] = _all_settings(result)
    return {FACTS.get(name, name.replace("_", " ").capitalize()): text for name, text in said.items()}


def _fact(name: str, value: Any) -> str:
    if name == "position_limit":
        return share(value)
    if name == "computed":
        return str(value)[:19].replace("T", " ") + " UTC"
    if name == "price_dates" and isinstance(value, dict):
        return _joined([f"{ticker} {' to '.join(map(str, span))}" for ticker, span in value.items()])
    if isinstance(value, list):
        return listed(value) or "none"
    return words(value)


def _all_settings(result: dict[str, Any]) -> str:
    """Every parameter, cost and rule by its label; what is not declared any more by its name."""
    strategy = STRATEGIES.get(result["strategy_name"])
    declared = {item.name: item for item in (*(strategy.parameters if strategy else ()), *COSTS, *RULES)}
    rules = {item.name for item in RULES}
    parts = [
        f"{_label(name, declared)} {_setting(name, value, declared)}"
        for name, value in result["params"].items() if value != "" and not (name in rules and value in (0, None))
    ]  # fmt: skip
    unused = [
        _label(name, declared) for name, value in result["params"].items() if name in rules and value in (0, None)
    ]
    return "; ".join(parts) + (f"; not set: {', '.join(unused)}" if unused else "")


def _label(name: str, declared: Mapping[str, Parameter]) -> str:
    return lowered(declared[name].label) if name in declared else name.replace("_", " ")


def _setting(name: str, value: Any, declared: Mapping[str, Parameter]) -> str:
    if name == "engine":
        return ENGINES.get(value, str(value))
    return setting(declared[name], value) if name in declared else words(value)


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
    if isinstance(value, int | float):
        return plain_number(value)
    return "none" if value is None else str(value)


def share(value: Any) -> str:
    """Return a setting that is a fraction as percent, with the digits that were set: 0.0005 → 0.05 %."""
    return f"{value * 100:.4g} %" if is_known(value) else UNKNOWN


def plain_number(value: float) -> str:
    """Return a setting or a count: thousands separated, no digit that is not there."""
    return f"{value:,.6g}".replace("-", "−") if abs(value) < 1e6 else f"{value:,.0f}".replace("-", "−")


def _joined(items: list[str]) -> str:
    more = len(items) - MOST_WORDS
    return (", ".join(items[:MOST_WORDS]) or "none") + (f" and {more} more" if more > 0 else "")


def _costs(result: dict[str, Any]) -> str:
    params = result["params"]
    parts = [f"commission {_rate(params, 'fee_rate')}"]
    if params.get("fixed_fee"):
        parts.append(f"{usd(params['fixed_fee'])} a fill")
    parts += [
        f"{label} {_rate(params, name)}"
        for name, label in (("half_spread", "half-spread"), ("slippage_rate", "slippage"))
        if name in params
    ]
    by_volume = _by_volume(result)
    if params.get("borrow_rate") and params.get("direction") == "long_short":
        by_volume.append(f"borrow fee {_rate(params, 'borrow_rate')} a year")
    return f"Costs, each way: {', '.join([*parts, *by_volume])}."


def _by_volume(result: dict[str, Any]) -> list[str]:
    """What depends on the volume, as it was done: nothing of it where no volume is known."""
    params, missing = result["params"], result["audit"].get("volume_unknown") or []
    parts = []
    if params.get("impact_coefficient"):
        exponent = number(params.get("impact_exponent"), digits=1)
        parts.append(f"impact {_rate(params, 'impact_coefficient')} × (order / average daily volume)^{exponent}")
    if params.get("participation_cap"):
        parts.append(f"at most {share(params['participation_cap'])} of the daily volume a session")
    if not parts or not missing:
        return parts
    if {*missing} >= {*result["tickers"]} and not result["metrics"].get("total_impact"):
        return ["neither impact nor a cap on the size of an order, since no volume is known"]
    return [*parts, f"not on the orders of {listed(missing)} whose volume is unknown"]


def _rules(params: dict[str, Any], audit: dict[str, Any]) -> str:
    if "direction" not in params:
        return "Long only; cash earns nothing."
    parts = ["Long and short" if params["direction"] == "long_short" else "Long only"]
    limit = audit.get("position_limit") or params.get("max_position")
    if limit:
        parts.append(f"at most {share(limit)} of the account per ticker when bought")
    parts += [text.format(share(params[name])) for name, text in _STOPS.items() if params.get(name)]
    parts.append("cash earns the risk-free rate" if params.get("cash_interest") else "cash earns nothing")
    return f"{'; '.join(parts)}."


def _rate(params: dict[str, Any], name: str) -> str:
    return share(params.get(name))
