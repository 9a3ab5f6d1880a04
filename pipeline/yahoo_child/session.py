"""How the download process speaks HTTP: what yfinance would ask again, or ask besides, is stopped here."""

import os
from typing import Any
from urllib.parse import urlsplit, urlunsplit

BASE_URL = "PLUMBLINE_YAHOO_URL"  # tests set it: every request then goes to this address instead
CHART, CRUMB, EXTRA = "/v8/finance/chart/", "/getcrumb", "/fundamentals-timeseries/"
DATA = (CHART, "/v10/finance/quoteSummary/", "/v7/finance/quote")
LOGIN_WANTED = (401, 403)
FAULTS = {
    429: ("rate_limited", "Yahoo refuses: too many requests (HTTP 429)"),
    404: ("not_found", "Yahoo does not know it (HTTP 404)"),
    400: ("empty", "Yahoo has no data for these dates (HTTP 400)"),
    422: ("empty", "Yahoo has no data for these dates (HTTP 422)"),
}


class Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Yahoo answered with an HTTP status that ends the question; `status` is that of the fetch log."""

    def __init__(self, code: int) -> None:
        self.status, message = FAULTS.get(code, ("error", f"Yahoo answered with HTTP {code}"))
        super().__init__(message)


class Unwanted(Exception):  # noqa: N818 - a request that is not made
    """yfinance is about to ask for something that nobody wants."""


def open_session() -> Any:
    """Return the session that yfinance is to use; each question is one request where Yahoo answers at all.

    By itself yfinance repeats a request that was refused, with another cookie, and asks for a crumb before each
    price. Prices need neither: while `plain` holds, only charts are asked for. Where Yahoo wants a login after all
    (401, 403), `plain` ends and yfinance does it its own way. `last_chart` is the last chart that came.
    """
    from curl_cffi import requests
    from yfinance.exceptions import YFRateLimitError

    base = urlsplit(os.environ.get(BASE_URL, ""))

    class Watched(requests.Session):
        """A session that ends a question at the first refusal."""

        plain = True
        last_chart: Any = None

        def request(self, method: Any, url: str, **options: Any) -> Any:  # type: ignore[override]
            place = urlsplit(url)
            if EXTRA in place.path:
                raise Unwanted(place.path)
            if self.plain and not place.path.startswith(CHART):
                raise YFRateLimitError  # which yfinance takes for "go on without a crumb"
            target = place._replace(scheme=base.scheme, netloc=base.netloc) if base.netloc else place
            response = super().request(method, urlunsplit(target), **options)
            if response.status_code in LOGIN_WANTED and self.plain:
                self.plain = False
                return response
            if response.status_code == 429 or (
                response.status_code >= 400 and (place.path.startswith(DATA) or place.path.endswith(CRUMB))
            ):
                raise Refused(response.status_code)
            if place.path.startswith(CHART):
                self.last_chart = response
            return response

    return Watched(impersonate="chrome")
