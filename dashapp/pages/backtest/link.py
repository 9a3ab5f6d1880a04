"""A question as an address: the link that opens a stored result's question again, and what an address asks for."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from analytics.backtest.spec import ENGINES, MAX_CAPITAL
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.conventions import INITIAL_CAPITAL
from analytics.errors import InputError, PlumblineError, UnknownKeyError
from analytics.validate import iso_date

FORM = ("ticker", "tickers", "start", "end", "initial_capital", "engine", "range")  # what a link says beside parameters


def link_to(result: Mapping[str, Any]) -> str:
    """Return the address that asks the question of a stored result again; what stands at its default is left out.

    That of the tab alone where the strategy is no more.
    """
    if result["strategy_name"] not in STRATEGIES:
        return "/backtest"
    params, tickers = result["params"], result["tickers"]
    declared = (*STRATEGIES[result["strategy_name"]].parameters, *COSTS, *RULES)
    chosen = {item.name: _text(params[item.name]) for item in declared if item.name in params}
    usual = {item.name: _text(item.check(item.default)) for item in declared}
    asked = {"ticker": tickers[0], "strategy": result["strategy_name"]}
    asked |= {name: text for name, text in chosen.items() if text != usual[name]}
    asked |= {"tickers": ",".join(tickers), "start": result["start_date"], "end": result["end_date"]}
    if params.get("initial_capital", INITIAL_CAPITAL) != INITIAL_CAPITAL:
        asked["initial_capital"] = _text(params["initial_capital"])
    if params.get("engine", "kernel") != "kernel":
        asked["engine"] = params["engine"]
    return "/backtest?" + urlencode(asked, safe="^,=")


def asked_date(query: Mapping[str, str], name: str) -> str | None:
    """Return the date that an address names, None where it names none that can be read."""
    try:
        return iso_date(name, query.get(name))
    except PlumblineError:
        return None


def asked_tickers(query: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """Return the tickers that an address names, without those that the store does not hold."""
    wanted = query.get("tickers", "").upper().split(",")
    return [ticker for ticker in known if ticker in wanted]


def asked_capital(query: Mapping[str, str]) -> float:
    """Return the capital that an address names, the default where it names none that may be."""
    text = query.get("initial_capital", "")
    return float(text) if _is_capital(text) else INITIAL_CAPITAL


def asked_engine(query: Mapping[str, str]) -> str:
    """Return the engine that an address names, the default where it names none that there is."""
    return query.get("engine", "") if query.get("engine", "") in ENGINES else "kernel"


def unread(strategy: str | None, query: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Return why what an address asks for is passed over, a sentence each; none where all of it is understood.

    strategy: as the address names it, None where it asks nothing. known: the tickers of the store; none: not known.
    """
    if strategy is None:
        asked = sorted({*query} & {*FORM} - {"ticker", "range"})
        return [f"A link that sets {', '.join(asked)} must name the strategy too."] if asked else []
    chosen = STRATEGIES.get(strategy)
    declared = {item.name: item for item in (*(chosen.parameters if chosen else ()), *COSTS, *RULES)}
    told = [] if chosen else [str(UnknownKeyError("strategy", strategy, STRATEGIES))]
    for name, text in query.items():
        try:
            if name in declared:
                declared[name].check(text)
            elif name in FORM:
                _check_of_form(name, text, known)
            elif chosen is not None:
                raise UnknownKeyError("part of the link", name, [*declared, *FORM])
        except PlumblineError as error:
            told.append(str(error))
    first, last = (asked_date(query, name) for name in ("start", "end"))
    if first and last and first > last:
        told.append(str(InputError("start", got=first, allowed=f"a date up to the end, {last}")))
    return told


def once(given: Mapping[str, Any]) -> dict[str, str]:
    """Return an address with one text for each name: of a name that stands there twice, the last."""
    return {name: str(value[-1] if isinstance(value, list) and value else value) for name, value in given.items()}


def _check_of_form(name: str, text: str, known: Collection[str]) -> None:
    """Raise where a part of an address that is of no parameter cannot be used."""
    if name in ("start", "end"):
        iso_date(name, text)
    elif name == "engine" and text not in ENGINES:
        raise UnknownKeyError("engine", text, ENGINES)
    elif name == "initial_capital" and not _is_capital(text):
        raise InputError("initial_capital", got=text, allowed=f"a number from 1 to {MAX_CAPITAL:,.0f}")
    elif name == "tickers" and known:
        lacking = [item for item in text.upper().split(",") if item and item not in known]
        if lacking:
            raise UnknownKeyError("ticker", lacking[0] if len(lacking) == 1 else ", ".join(lacking), known)


def _is_capital(text: str) -> bool:
    try:
        return 1.0 <= float(text) <= MAX_CAPITAL
    except ValueError:
        return False


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(sorted(value))
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
