"""The constraint editor of the Frontier tab: a limit is moved, and frontier and chosen portfolio follow."""

from typing import Any

from bench.measure import Benchmark, Clock, Row
from bench.stores import built, scratch

TICKERS, YEARS, MOVES = 100, 6, 60
AIM = 0.150  # p95, both answers one after the other


def run() -> list[Row]:
    from bench.browser import Browser

    with scratch() as folder:
        browser = Browser(built(folder, "simulated", simulated_tickers=TICKERS, simulated_years=YEARS))
        return [_row(browser, name, change) for name, change in KINDS.items()]


def _cap(number: int) -> dict[str, Any]:
    return {"max_weight": 5 + number / 4}


def _sectors(number: int) -> dict[str, Any]:
    return {
        "max_weight": 10,
        "min_cash": 2,
        "sectors": {"Information Technology": [0, 10 + number / 4], "Health Care": [5, 40]},
    }


def _turnover(number: int) -> dict[str, Any]:
    return {"max_weight": 10, "held": "equal", "max_turnover": 20 + number / 2}


def _conflict(number: int) -> dict[str, Any]:
    return {"max_weight": 0.1 + number / 100}


def _positions(number: int) -> dict[str, Any]:
    return {"max_weight": 15 + number / 4, "max_positions": 12}


KINDS = {
    "a cap on every ticker": _cap, "caps, sectors and cash": _sectors, "a turnover budget": _turnover,
    "limits in conflict": _conflict, "at most 12 positions": _positions,
}  # fmt: skip


def _row(browser: Any, name: str, change: Any) -> Row:
    clock = Clock()
    for number in range(-3, MOVES):
        values = {
            "frontier-request.data": change(number + 3), "frontier-point.data": 25, "frontier-pick.value": "frontier",
            "shell-theme-name.data": "light",
        }  # fmt: skip
        body = clock.take("ours" if number >= 0 else "warm-up", lambda: _ask(browser, values))  # noqa: B023  called at once
        if b"Efficient frontier within the limits" not in body or b"Weights and risk" not in body:
            raise RuntimeError(f"no frontier: {body[:300]!r}")
    return Row(f"Frontier tab, {TICKERS} assets, {name}", clock.of("ours"), aim=AIM, judged="p95",
               note="a request not asked before: the chart's answer and the chosen portfolio's, one after the other." if change is _cap else "")  # fmt: skip


def _ask(browser: Any, values: dict[str, Any]) -> bytes:
    return b"".join(
        browser.send(output, changed="frontier-request.data", values=values)
        for output in ("frontier-content.children", "frontier-chosen.children")
    )


BENCHMARK = Benchmark("frontier_tab", "move a limit on the Frontier tab", run)
