"""What a browser sends is checked here before anything uses it: its type, and that it is one of what is allowed.

A control of ours never sends anything else, but a URL, a kept value of an older version or another program may.
"""

import re
import sys
from collections.abc import Collection, Mapping
from typing import Any

from analytics.errors import InputError, UnknownKeyError
from analytics.parameters import Parameter
from analytics.registry import lookup

TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.=^-]{0,14}")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
NAME = re.compile(r"[0-9A-Za-z-]{1,64}")  # of a job or a result
RANGES = ("1m", "3m", "6m", "1y", "2y", "5y", "max")
SHOWN = 40  # characters of a refused value that a message repeats
MANY = 1_000  # more of anything than a form offers


def shown(value: Any) -> str:
    """Return a refused value as a message may repeat it: the beginning of a text, else only its kind."""
    if isinstance(value, str):
        return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
    if value is None or isinstance(value, (bool, int, float)):
        return str(value)[:SHOWN]
    return f"a {type(value).__name__}"


def is_ticker(value: Any) -> bool:
    """Whether a value is written as a ticker is."""
    return isinstance(value, str) and TICKER.fullmatch(value) is not None


def ticker(value: Any) -> str:
    """Return a value that is written as a ticker is; raises InputError."""
    if not is_ticker(value):
        raise InputError("ticker", got=shown(value), allowed="1 to 15 of A-Z, 0-9 and . = ^ -")
    return str(value)


def clicked_ticker(rows: Any) -> str:
    """Return the ticker of a table's selected row, "" where none is; raises InputError."""
    if not rows:
        return ""
    clicked = rows[0] if isinstance(rows, list) else rows
    return ticker(clicked.get("ticker") if isinstance(clicked, dict) else clicked)


def tickers(value: Any) -> list[str]:
    """Return a list of tickers, None being none; raises InputError."""
    return [ticker(item) for item in _list("tickers", value)]


def view(value: Any) -> tuple[str | None, str]:
    """Return (ticker, range) of the view Store; raises InputError. The ticker is not yet known to exist."""
    given = value if isinstance(value, Mapping) else {}
    return given.get("ticker"), choice("range", given.get("range"), RANGES)


def choice(field: str, value: Any, allowed: Collection[str]) -> str:
    """Return a value that is one of those allowed; raises UnknownKeyError."""
    if not isinstance(value, str) or value not in allowed:
        raise UnknownKeyError(field, shown(value), allowed)
    return value


def choices(field: str, value: Any, registry: Mapping[str, Any]) -> list[Any]:
    """Return the entries of a registry that a list of keys names, each once, None being none; raises InputError."""
    keys = dict.fromkeys(shown(key) for key in _list(field, value))
    return [lookup(registry, key, field) for key in keys]


def whole(field: str, value: Any, *, low: int, high: int) -> int:
    """Return a whole number within bounds; raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(field, got=shown(value), allowed=f"a whole number from {low} to {high}")
    return value


def number(field: str, value: Any) -> int | float:
    """Return a finite number; raises InputError."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not -sys.float_info.max <= value <= sys.float_info.max
    ):
        got = "nothing" if value in (None, "") else shown(value)
        raise InputError(field, got=got, allowed="a number", fix="Fill in the field.")
    return value


def date(field: str, value: Any) -> str | None:
    """Return a date as it is typed, None where the field is empty; raises InputError."""
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not DATE.fullmatch(value):
        raise InputError(field, got=shown(value), allowed="a date as YYYY-MM-DD")
    return value


def parameter(declared: Parameter, value: Any) -> Any:
    """Return a strategy's parameter in the type that its declaration can check; raises InputError."""
    if declared.choices:
        return [choice(declared.name, item, declared.choices) for item in _list(declared.name, value)]
    if declared.parse is not None:
        if value is not None and not isinstance(value, str):
            raise InputError(declared.name, got=shown(value), allowed="a text")
        return value or ""
    if declared.one_of:
        return choice(declared.name, value, declared.one_of)
    if isinstance(declared.default, bool):
        if not isinstance(value, bool):
            raise InputError(declared.name, got=shown(value), allowed="true or false")
        return value
    found = number(declared.name, value)
    return found / 100 if declared.percent else found


def texts(field: str, value: Any, strategy: str) -> dict[str, str]:
    """Return the {parameter: text} that an address gives one strategy, nothing where it is for another; raises InputError."""
    if not isinstance(value, Mapping) or value.get("strategy") != strategy:
        return {}
    given = value.get("parameters")
    if not isinstance(given, Mapping) or not all(isinstance(text, str) for text in given.values()):
        raise InputError(field, got=shown(given), allowed="texts by name")
    return dict(given)


def name(field: str, value: Any) -> str:
    """Return the name of a job or a result; raises InputError."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise InputError(field, got=shown(value), allowed="up to 64 letters and digits")
    return value


def names(field: str, value: Any, *, most: int) -> tuple[str, ...]:
    """Return up to `most` names of results, each once, None being none; raises InputError."""
    found = tuple(dict.fromkeys(name(field, item) for item in _list(field, value)))
    if len(found) > most:
        raise InputError(field, got=f"{len(found)} of them", allowed=f"up to {most}", fix="Take some away.")
    return found


def text(field: str, value: Any, *, most: int) -> str:
    """Return a text of up to `most` characters without blanks at its ends, None being ""; raises InputError."""
    if value is not None and (not isinstance(value, str) or len(value) > most):
        raise InputError(field, got=shown(value), allowed=f"up to {most} characters")
    return (value or "").strip()


def _list(field: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MANY:
        raise InputError(field, got=shown(value), allowed=f"a list of up to {MANY:,}")
    return value
