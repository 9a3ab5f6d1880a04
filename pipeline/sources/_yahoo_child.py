"""The only process that talks to Yahoo: a batch as JSON on standard input, a JSON line per ticker comes back.

Run as `python -m pipeline.sources._yahoo_child` by `_yahoo_batch`, which kills it at a deadline: yfinance's
own timeout does not bound a download. A fresh process per batch also starts with a fresh response cache, in
which yfinance would keep an error and answer with it for ever.
"""

import json
import math
import os
import sys
from typing import Any
from urllib.parse import urlsplit, urlunsplit

FIELDS = {
    "Open": "open", "High": "high", "Low": "low", "Close": "close",
    "Adj Close": "adj_close", "Volume": "volume",
}  # fmt: skip
ACTIONS = {"Dividends": "dividend", "Stock Splits": "split"}
BASE_URL = "PLUMBLINE_YAHOO_URL"  # tests set it: every request then goes to this address instead


def main() -> None:
    """Download each ticker of the batch and print it as soon as it is there."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not mix with the answer
    batch = json.load(sys.stdin)
    import yfinance  # here: the parent process must never load it

    yfinance.set_tz_cache_location(batch["cache_dir"])
    yfinance.config.debug.hide_exceptions = False  # or an outage looks like an empty answer
    session = _session()
    for ticker in batch["tickers"]:
        answer = _download(yfinance.Ticker(ticker["ticker"], session=session), ticker["start"], batch["end"])
        print(json.dumps({"ticker": ticker["ticker"], **answer}), file=out, flush=True)


def _download(ticker: Any, start: str, end: str) -> dict[str, Any]:
    """Return status, message, and where there is one the history; `end` is exclusive."""
    from yfinance.exceptions import YFPricesMissingError, YFTzMissingError

    try:
        history = ticker.history(start=start, end=end, auto_adjust=False, actions=True, repair=False)
        meta = ticker.history_metadata
    except (YFPricesMissingError, YFTzMissingError) as error:
        return {"status": "empty", "message": f"Yahoo has no answer for it: {error}"}
    except Exception as error:  # of any library under yfinance; it is this ticker's alone
        return {"status": "error", "message": f"{type(error).__name__}: {error}"}
    if history.empty:
        return {"status": "empty", "message": "Yahoo sent no rows"}
    return {"status": "ok", "message": "", **_table(history), "meta": _meta(meta)}


def _table(history: Any) -> dict[str, Any]:
    dates = [stamp.date().isoformat() for stamp in history.index]  # the index is in the exchange's time zone
    columns = {field: [_number(value) for value in history[name]] for name, field in FIELDS.items()}
    actions = [
        (day, kind, float(value))
        for name, kind in ACTIONS.items()
        if name in history
        for day, value in zip(dates, history[name], strict=True)
        if value > 0
    ]
    return {"prices": {"date": dates, **columns}, "actions": actions}


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def _meta(meta: Any) -> dict[str, str | None]:
    return {name: meta.get(name) for name in ("longName", "shortName", "instrumentType", "currency", "exchangeName")}


def _session() -> Any:
    from curl_cffi import requests

    address = os.environ.get(BASE_URL)
    if not address:
        return requests.Session(impersonate="chrome")
    base = urlsplit(address)

    class Redirected(requests.Session):
        """A session that sends every request to one address."""

        def request(self, method: Any, url: str, **options: Any) -> Any:  # type: ignore[override]
            target = urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc)
            return super().request(method, urlunsplit(target), **options)

    return Redirected()


if __name__ == "__main__":
    main()
