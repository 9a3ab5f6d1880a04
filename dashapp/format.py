"""Numbers as text: one format per unit, and a dash for what is unknown."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from numbers import Real
from typing import Any

UNKNOWN = "–"
FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s/:,;()'\"]+/)+")
ACRONYMS = {
    "sma", "ema", "macd", "rsi", "adx", "di", "atr", "cci", "mfi", "obv", "roc", "cmf", "trix", "vwap", "vwma", "bb",
}  # fmt: skip
MAX_DIGITS = 6  # after the point: smaller is noise


def is_known(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, Real) and math.isfinite(value)


def percent(value: Any, *, digits: int = 1, sign: bool = False) -> str:
    """Return a fraction as percent: 0.123 → 12.3 %. A small one gets more digits, so that it is not shown as 0."""
    return f"{number(value * 100, digits=digits, sign=sign)} %" if is_known(value) else UNKNOWN


def unbroken(text: str) -> str:
    """Return a text whose percentages stay on one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def number(value: Any, *, digits: int = 2, sign: bool = False) -> str:
    """Return a number with thousands separators; a small one gets more digits, so that it is not shown as 0."""
    if not is_known(value):
        return UNKNOWN
    if 0 < abs(value) < 0.1**digits:
        digits = min(MAX_DIGITS, 1 - math.floor(math.log10(abs(value))))
    rounded = round(float(value), digits) or 0.0  # −0 is 0
    return _minus(f"{rounded:{'+' if sign else ''},.{digits}f}")


def usd(value: Any, *, digits: int = 2) -> str:
    """Return an amount of US dollars: 1234.5 → $1,234.50."""
    if not is_known(value):
        return UNKNOWN
    return f"{'−' if value < 0 else ''}${abs(value):,.{digits}f}"


def day(value: Any) -> str:
    """Return days since 1970-01-01 as a date: 19723 → 2024-01-01."""
    return (date(1970, 1, 1) + timedelta(days=int(value))).isoformat() if is_known(value) else UNKNOWN


def by_unit(value: Any, unit: str) -> str:
    """Return a metric's value in the format of its unit."""
    if unit == "fraction":
        return percent(value, digits=2)
    if unit == "usd":
        return usd(value)
    if unit == "date":
        return day(value)
    if unit in ("count", "days"):
        return number(value, digits=0 if is_known(value) and float(value).is_integer() else 1)
    return number(value, digits=3)


def without_folders(text: str) -> str:
    """Return a message without the folders of this machine: /srv/plumbline/data.db → data.db."""
    return FOLDERS.sub("", text)


def column_label(name: str) -> str:
    """Return a stored column's name as a label: sma_50 → SMA 50, plus_di_14 → +DI 14, bb_upper → BB upper."""
    words = name.replace("plus_di", "+di").replace("minus_di", "−di").split("_")
    shown = [word.upper() if word.lstrip("+−") in ACRONYMS or len(word) == 1 else word for word in words]
    return " ".join([shown[0][:1].upper() + shown[0][1:], *shown[1:]])


def age(timestamp: str | None, *, now: datetime | None = None) -> str:
    """Return how long ago a UTC timestamp was, in the largest unit that fits."""
    if not timestamp:
        return UNKNOWN
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(timestamp)).total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: 75 → 1 min 15 s."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _minus(text: str) -> str:
    return text.replace("-", "−")
