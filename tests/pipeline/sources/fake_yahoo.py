"""A Yahoo and a French library on 127.0.0.1: chart and quoteSummary JSON of the recorded shape, and every fault."""

import io
import json
import os
import socket
import struct
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from config import load_settings

OURS = os.environ.setdefault("TESTS_OF", str(os.getpid()))  # inherited by every process that a test starts
NEW_YORK = ZoneInfo("America/New_York")
CHART, SUMMARY = "/v8/finance/chart/", "/v10/finance/quoteSummary/"
NOT_FOUND = {
    "chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}
}

Fault = Callable[
    [str, str, int], str
]  # what (chart, info, crumb, cookie, file), ticker or name, how often asked → fault


def bars(first: str, count: int) -> list[dict]:
    """Weekday bars opening at 09:30 New York, the close rising by 1 a day from 100."""
    day, found = datetime.fromisoformat(first).replace(hour=9, minute=30, tzinfo=NEW_YORK), []
    while len(found) < count:
        if day.weekday() < 5:
            close = 100.0 + len(found)
            prices = {"open": close - 0.5, "high": close + 1, "low": close - 1, "close": close}
            found.append(
                prices | {"timestamp": int(day.timestamp()), "adjclose": close * 0.9, "volume": 1000 + len(found)}
            )
        day += timedelta(days=1)
    return found


def chart(ticker: str, rows: list[dict], start: float, end: float, kind: str = "EQUITY") -> dict:
    """The answer of /v8/finance/chart: a dividend on the second bar and a split on the third."""
    kept = [row for row in rows if start <= row["timestamp"] < end]
    events: dict[str, dict] = {"dividends": {}, "splits": {}}
    if len(rows) > 2:
        paid, split = rows[1]["timestamp"], rows[2]["timestamp"]
        events["dividends"][str(paid)] = {"amount": 0.25, "date": paid}
        events["splits"][str(split)] = {"date": split, "numerator": 4.0, "denominator": 1.0, "splitRatio": "4:1"}
    meta = {
        "currency": "USD", "symbol": ticker, "exchangeName": "NMS", "fullExchangeName": "NasdaqGS",
        "instrumentType": kind, "firstTradeDate": rows[0]["timestamp"],
        "regularMarketTime": rows[-1]["timestamp"],
        "gmtoffset": -18000, "timezone": "EST", "exchangeTimezoneName": "America/New_York",
        "regularMarketPrice": rows[-1]["close"], "longName": f"{ticker} Incorporated", "shortName": ticker,
        "priceHint": 2, "dataGranularity": "1d", "range": "",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }  # fmt: skip
    quote = {field: [row[field] for row in kept] for field in ("open", "high", "low", "close", "volume")}
    result = {
        "meta": meta, "timestamp": [row["timestamp"] for row in kept], "events": events,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": [row["adjclose"] for row in kept]}]},
    }  # fmt: skip
    return {"chart": {"result": [result], "error": None}}


class FakeSite:
    """What the server answers, and what it was asked."""

    def __init__(self) -> None:
        self.charts: dict[str, list[dict]] = {}
        self.kinds: dict[str, str] = {}
        self.infos: dict[str, dict] = {}
        self.empty: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.fault: Fault = lambda _what, _name, _count: ""
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.asked: list[tuple[str, str, dict]] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.release = threading.Event()
        self.lock = threading.Lock()

    def count(self, what: str) -> int:
        """How many requests of one kind came."""
        return sum(asked[0] == what for asked in self.asked)

    def note(self, path: str, query: dict) -> tuple[str, str, str]:
        """Return what is asked for, of whom, and the fault that is planned for it."""
        what, name = _kind(path)
        with self.lock:
            self.asked.append((what, name, query))
            self.counts[what, name] += 1
            return what, name, self.fault(what, name, self.counts[what, name])

    def answer(self, what: str, name: str, query: dict) -> tuple[int, bytes]:
        """Return the status and the body where there is no fault."""
        if what == "chart":
            return self._chart(name, query)
        if what == "info":
            return 200, json.dumps({"quoteSummary": {"result": [self.infos.get(name, {})], "error": None}}).encode()
        if what == "crumb":
            return 200, b"crumb123"
        if what == "quote":
            return 200, json.dumps({"quoteResponse": {"result": [{"symbol": name}], "error": None}}).encode()
        return (200, self.files[name]) if name in self.files else (404, b"not here")

    def _chart(self, ticker: str, query: dict) -> tuple[int, bytes]:
        if ticker not in self.charts:
            return 404, json.dumps(NOT_FOUND).encode()
        start, end = float(query.get("period1", [0])[0]), float(query.get("period2", [4e9])[0])
        start = end if ticker in self.empty else start
        return 200, json.dumps(
            chart(ticker, self.charts[ticker], start, end, self.kinds.get(ticker, "EQUITY"))
        ).encode()


def _kind(path: str) -> tuple[str, str]:
    name = unquote(path.rsplit("/", 1)[1])
    for prefix, what in ((CHART, "chart"), (SUMMARY, "info"), ("/v7/finance/quote", "quote")):
        if path.startswith(prefix):
            return what, name
    if path.endswith("/getcrumb"):
        return "crumb", ""
    return ("file", name) if name else ("cookie", "")


@contextmanager
def serve(site: FakeSite) -> Iterator[str]:
    """Serve `site` on a free port of 127.0.0.1 and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            what, name, fault = site.note(parts.path, query)
            with suppress(BrokenPipeError, ConnectionResetError):  # the process that asked was killed
                self.send(what, name, query, fault)

        def send(self, what: str, name: str, query: dict, fault: str) -> None:
            if fault == "hang":
                site.release.wait(60)
                return
            if fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            status, body = site.answer(what, name, query)
            length = len(body)
            if fault.isdigit():
                status, body = int(fault), b"Too Many Requests" if fault == "429" else b"sorry"
            elif fault in ("html", "empty"):
                body = b"<html>Please log in to this hotel</html>" if fault == "html" else b""
            elif fault in ("truncated", "cut"):  # JSON that ends early, or a body shorter than announced
                body = body[: len(body) // 2]
            self.send_response_only(status)
            self.send_header("Date", format_datetime(site.clock(), usegmt=True))
            self.send_header("Set-Cookie", "A3=d=x; Domain=.yahoo.com; Path=/; Max-Age=31557600")
            self.send_header("Content-Length", str(length if fault == "cut" else len(body)))
            self.end_headers()
            self.wfile.write(body)

        def finish(self) -> None:
            with suppress(OSError):  # the connection was reset
                super().finish()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        site.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> int:
    """A port of 127.0.0.1 that refuses connections."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def downloads() -> set[int]:
    """The ids of the download processes alive, of this test process alone: others run their own tests beside it."""
    return {
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if b"pipeline.yahoo_child" in _bytes(path)
        and f"TESTS_OF={OURS}".encode() in _bytes(path.with_name("environ")).split(b"\0")
    }


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended while we looked
        return b""


def zipped(name: str, content: bytes) -> bytes:
    """Return a zip file that holds one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def at(day: str) -> float:
    """Seconds since 1970 of midnight UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def site_of(*tickers: str) -> FakeSite:
    """A site that knows these tickers and SPY, twenty bars each."""
    site = FakeSite()
    site.charts = {ticker: bars("2024-01-02", 20) for ticker in ("SPY", *tickers)}
    site.kinds = {"SPY": "ETF"}
    return site


def quick(address: str, cache: Path, **overrides: Any) -> Any:
    """Settings of a fetch from `address` that wastes no time."""
    wanted = {"yahoo_backoff_seconds": 0.02, "yahoo_rate": 1000.0, "yahoo_processes": 1, "yahoo_batch": 50}
    return load_settings({}, cache_dir=cache, **({"french_url": address} | wanted | overrides))
