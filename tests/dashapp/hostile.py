"""What no page of ours sends."""

from typing import Any

INJECTIONS = (
    "AAPL' OR '1'='1", "'; DROP TABLE prices; --", "1 UNION SELECT sql FROM sqlite_master", "SIM001\"; ATTACH 'x' AS y; --",
    "%27%20OR%201=1", "(SELECT 1)", "ticker) OR (1=1", "' || (SELECT 1) || '",
)  # fmt: skip
TEXTS = (
    *INJECTIONS, "x" * 5_000, "SIM001\r\nX-Injected: 1", "SIM001\n", "../../../etc/passwd", "AAPL?range=max#",
    "\u0421SCO", "\uff21\uff21\uff30\uff2c", "SIM001\u200b", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "{{7*7}}",
    "__class__", "", " ", "null",
)  # fmt: skip
NUMBERS = (-1, 10**18, 2.5, True)
SHAPES: tuple[Any, ...] = (
    None, [], {}, [None, [], 3], {"ticker": ["SIM001"], "range": {}}, {"ticker": {"a": 1}, "range": "2y"},
    {"ticker": "SIM001", "range": "1y; DROP TABLE prices"}, {"job_id": ["a"]}, {"result_id": {"$ne": 1}}, {"job_id": "../x"},
    [{"ticker": "SIM001' --"}], [[["deep"]]], ["x"] * 2_000,
)  # fmt: skip
BEYOND_JSON = (float("nan"), float("inf"), 10**4000, "\ud800", "SIM\x00001")  # refused before Dash sees them
# What every input of every callback is given; the tickers are given every text besides.
VALUES: tuple[Any, ...] = (
    *INJECTIONS[:2], "x" * 5_000, "SIM001\r\nX-Injected: 1", "../../../etc/passwd", "<img src=x onerror=alert(1)>", "",
    *NUMBERS, *SHAPES, *BEYOND_JSON,
)  # fmt: skip

LEAKS = ("Traceback", 'File "', "site-packages", "sqlite3", "SELECT ", "/home/", "/root/", "werkzeug", "line 1 column")
