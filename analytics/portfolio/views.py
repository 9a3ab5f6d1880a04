"""The analyst's views as text, a line each: "AAPL 12 % (60 %)" or "MSFT > GOOGL 3 % (50 %)"."""

import re
from typing import Final

from analytics.errors import InputError
from analytics.portfolio.market_data import MAX_VIEW, View

CONFIDENCE: Final = 0.5  # of a view that does not say
NAME: Final = r"[A-Z0-9^][A-Z0-9.^-]*"
LINE: Final = re.compile(
    rf"(?P<first>{NAME})(?:\s*>\s*(?P<second>{NAME}))?(?:\s+BY\s+|\s*[=:]\s*|\s+)"
    r"(?P<value>[-+−]?\d+(?:\.\d+)?)\s*%?\s*(?:\(\s*(?P<confidence>\d+(?:\.\d+)?)\s*%?\s*\))?"
)
ALLOWED: Final = "a line each, as AAPL 12 % (60 %) or MSFT > GOOGL 3 % (50 %); the brackets hold the confidence"


def parse_views(text: str) -> tuple[View, ...]:
    """Return the views that a text states, one a line; a view without brackets has a confidence of 50 %.

    "AAPL 12 %" expects 12 % a year of AAPL in total, "MSFT > GOOGL 3 %" expects MSFT to return 3 points a year
    more than GOOGL. Raises InputError on a line of another form.
    """
    return tuple(_view(line.strip()) for line in text.splitlines() if line.strip())


def _view(line: str) -> View:
    found = LINE.fullmatch(line.upper())
    if found is None:
        raise InputError("view", got=line[:60], allowed=ALLOWED)
    value = float(found["value"].replace("−", "-")) / 100
    confidence = float(found["confidence"]) / 100 if found["confidence"] else CONFIDENCE
    if abs(value) > MAX_VIEW or confidence > 1:
        raise InputError("view", got=line[:60], allowed="up to ±100 % a year and a confidence of up to 100 %")
    assets = {found["first"]: 1.0} | ({found["second"]: -1.0} if found["second"] else {})
    if found["second"] == found["first"]:
        raise InputError("view", got=line[:60], allowed="two different tickers")
    return View(assets, value, confidence)
