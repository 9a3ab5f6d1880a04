"""A Yahoo and a French library on 127.0.0.1: chart JSON of the recorded shape, a cookie, a crumb, faults."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


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
    events = {"dividends": {}, "splits": {}}
    if len(rows) > 2:
        paid, split = rows[1]["timestamp"], rows[2]["timestamp"]
        events["dividends"][str(paid)] = {"amount": 0.25, "date": paid}
        events["splits"][str(split)] = {
            "date": split,
            "numerator": 4.0,
            "denominator": 1.0,
            "splitRatio": "4:1",
        }
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


NOT_FOUND = {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found"}}}


class FakeSite:
    """What the server answers, and what it was asked."""

    def __init__(self) -> None:
        self.charts: dict[str, list[dict]] = {}
        self.kinds: dict[str, str] = {}
        self.empty: set[str] = set()
        self.hangs: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, dict]] = []
        self.release = threading.Event()
        self.address = ""

    def answer(self, path: str, query: dict) -> tuple[int, bytes]:
        """Return the status and the body for one request."""
        if path.startswith("/v8/finance/chart/"):
            return self._chart(path.rsplit("/", 1)[1].replace("%5E", "^"), query)
        if path.endswith("/getcrumb"):
            return 200, b"crumb123"
        name = path.rsplit("/", 1)[1]
        return (200, self.files[name]) if name in self.files else (404, b"not here")

    def _chart(self, ticker: str, query: dict) -> tuple[int, bytes]:
        self.asked.append((ticker, query))
        if ticker in self.hangs:
            self.release.wait(60)
        if ticker not in self.charts:
            return 404, json.dumps(NOT_FOUND).encode()
        start, end = float(query.get("period1", [0])[0]), float(query.get("period2", [4e9])[0])
        rows = self.charts[ticker]
        if ticker in self.empty and "period1" in query:
            start = end
        return 200, json.dumps(chart(ticker, rows, start, end, self.kinds.get(ticker, "EQUITY"))).encode()


@contextmanager
def serve(site: FakeSite) -> Iterator[str]:
    """Serve `site` on a free port of 127.0.0.1 and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body = site.answer(parts.path, parse_qs(parts.query))
            try:
                self.send_response(status)
                self.send_header("Set-Cookie", "A3=d=x; Domain=.yahoo.com; Path=/; Max-Age=31557600")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the child was killed at its deadline

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        site.address = f"http://127.0.0.1:{server.server_port}"
        yield site.address
    finally:
        site.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def zipped(name: str, content: bytes) -> bytes:
    """Return a zip file that holds one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def at(day: str) -> float:
    """Seconds since 1970 of midnight UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
