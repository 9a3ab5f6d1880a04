"""The only process that talks to Yahoo: questions as JSON lines on standard input, a JSON line answers each.

Run as `python -m pipeline.yahoo_child` by `pipeline.sources._yahoo_process`, which kills it at a deadline: yfinance's
own timeout does not bound a download. A fresh process also starts with a fresh response cache, in which yfinance would
keep an error and answer with it for ever. The first line it is given names the cache folder, the first line it
prints says that it is ready.
"""

import json
import logging
import math
import os
import queue
import sys
import threading
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.yahoo_child.session import Refused, Unwanted, open_session

FIELDS = {
    "Open": "open", "High": "high", "Low": "low", "Close": "close",
    "Adj Close": "adj_close", "Volume": "volume",
}  # fmt: skip
ACTIONS = {"Dividends": "dividend", "Stock Splits": "split"}
META = ("longName", "shortName", "instrumentType", "currency", "exchangeName", "exchangeTimezoneName")
# Only turns the first and the last date asked for into seconds; with it yfinance need not ask for the zone first.
ZONE = "America/New_York"


def main() -> None:
    """Answer each question as soon as it comes, until the questions end."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not mix with the answers
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    cache_dir = json.loads(lines.get())["cache_dir"]
    import yfinance  # here: the parent process must never load it

    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    yfinance.set_tz_cache_location(cache_dir)
    yfinance.config.debug.hide_exceptions = False  # or an outage looks like an empty answer
    session = open_session()
    print(json.dumps({"ready": True}), file=out, flush=True)
    while True:
        print(json.dumps(_answer(json.loads(lines.get()), session)), file=out, flush=True)


def _read(lines: "queue.Queue[str]") -> None:
    """Pass questions on; when the asker is gone, killed or not, stop at once, even inside a download."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _answer(question: dict[str, Any], session: Any) -> dict[str, Any]:
    """Return status, message and, where the status is ok, what was asked for."""
    import yfinance

    ticker = yfinance.Ticker(question["ticker"], session=session)
    try:
        if question["kind"] == "info":
            session.plain = False
            return {"status": "ok", "message": "", "info": _info(ticker, question["fields"])}
        return _history(ticker, question, session)
    except Exception as error:  # of any library under yfinance; it is this ticker's alone
        status, message = _fault(error)
        return {"status": status, "message": message}


def _fault(error: Exception) -> tuple[str, str]:
    from curl_cffi.requests import exceptions
    from yfinance.exceptions import YFPricesMissingError, YFRateLimitError

    text = f"{type(error).__name__}: {error}"
    if isinstance(error, Refused):
        return error.status, str(error)
    if isinstance(error, YFPricesMissingError):
        return "empty", "Yahoo sent no rows"
    if isinstance(error, YFRateLimitError):
        return "rate_limited", "Yahoo refuses: too many requests"
    if isinstance(error, ValueError | exceptions.InvalidJSONError):  # before the next: curl_cffi's JSON error is both
        return "error", f"not an answer that can be read: {text}"
    if isinstance(error, exceptions.Timeout):
        return "timeout", text
    if isinstance(error, exceptions.RequestException):
        return "net_error", text
    return "error", text


def _history(ticker: Any, question: dict[str, Any], session: Any) -> dict[str, Any]:
    """The bars from `start` to before `end`, with dividends, splits and what Yahoo says about the ticker."""
    ticker._tz = ZONE
    history = ticker.history(
        start=question["start"], end=question["end"], auto_adjust=False, actions=True, repair=False
    )
    meta, response = ticker.history_metadata, session.last_chart
    if history.empty:
        return {"status": "empty", "message": "Yahoo sent no rows"}
    return {
        "status": "ok", "message": "", **_table(history, _unknown_volumes(response)),
        "meta": {name: meta.get(name) for name in META}, "sent_at": _sent_at(response),
    }  # fmt: skip


def _table(history: Any, unknown: set[str]) -> dict[str, Any]:
    dates = [stamp.date().isoformat() for stamp in history.index]  # the index is in the exchange's time zone
    columns = {field: [_number(value) for value in history[name]] for name, field in FIELDS.items()}
    columns["volume"] = [None if day in unknown else value for day, value in zip(dates, columns["volume"], strict=True)]
    actions = [
        (day, kind, float(value))
        for name, kind in ACTIONS.items()
        if name in history
        for day, value in zip(dates, history[name], strict=True)
        if value > 0
    ]
    return {"prices": {"date": dates, **columns}, "actions": actions}


def _unknown_volumes(response: Any) -> set[str]:
    """The dates of which Yahoo did not say the volume; yfinance makes them 0."""
    import pandas

    chart = response.json()["chart"]["result"][0]
    volumes = chart["indicators"]["quote"][0]["volume"]
    stamps = [stamp for stamp, volume in zip(chart["timestamp"], volumes, strict=True) if volume is None]
    zone = ZoneInfo(chart["meta"]["exchangeTimezoneName"])
    return {stamp.date().isoformat() for stamp in pandas.to_datetime(stamps, unit="s", utc=True).tz_convert(zone)}


def _sent_at(response: Any) -> str | None:
    """When Yahoo's own clock says it answered, in UTC; None where it does not say."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).isoformat()
    except (KeyError, TypeError, ValueError):
        return None


def _info(ticker: Any, fields: list[str]) -> dict[str, Any]:
    """The fields that are known: finite numbers, and text that is not empty."""
    try:
        info = ticker.info
    except Unwanted:
        info = ticker.info  # what was read before the request that we do not want
    return {name: value for name in fields if (value := _known(info.get(name))) is not None}


def _known(value: Any) -> float | str | None:
    if isinstance(value, str) and value:
        return value
    return _number(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


if __name__ == "__main__":
    main()
