"""One download with scripted processes: what is asked again, what counts as unknown, and what the budget ends."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipeline.sources import _yahoo_batch
from pipeline.sources._source import FETCH_STATUSES
from pipeline.sources._yahoo_process import Limits

LIMITS = Limits(
    processes=3, batch=10, batch_seconds=9, ticker_seconds=9, budget_seconds=9, rate=1e6, backoff_seconds=0.001
)
CANARY = {"kind": "prices", "ticker": "SPY", "start": "2024-01-02"}
Script = Callable[[str, int], str]  # ticker, how often it was asked → status


class ScriptedAsker:
    """Stands for the download processes; notes who was asked, and by which process."""

    script: Script = staticmethod(lambda _ticker, _count: "ok")
    counts: ClassVar[Counter[str]] = Counter()
    processes: ClassVar[list["ScriptedAsker"]] = []

    def __init__(self, _limits: Limits, _cache_dir: Path) -> None:
        self.tickers: list[str] = []
        self.closed = False
        ScriptedAsker.processes.append(self)

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        ticker = question["ticker"]
        self.tickers.append(ticker)
        ScriptedAsker.counts[ticker] += 1
        await asyncio.sleep(0)
        status = ScriptedAsker.script(ticker, ScriptedAsker.counts[ticker])
        if status == "hang":
            await asyncio.sleep(60)
        return {"status": status, "message": status}

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, dict[str, Any]]]:
    """Download tickers by a script."""
    monkeypatch.setattr(_yahoo_batch, "Asker", ScriptedAsker)
    ScriptedAsker.counts, ScriptedAsker.processes = Counter(), []

    def download(tickers: list[str], script: Script, limits: Limits = LIMITS, **options: Any) -> dict[str, Any]:
        monkeypatch.setattr(ScriptedAsker, "script", staticmethod(script))
        questions = [CANARY | {"ticker": ticker} for ticker in tickers]
        answers = _yahoo_batch.download(questions, CANARY, limits, tmp_path, **options)
        assert set(answers) == set(tickers)
        assert {answer["status"] for answer in answers.values()} <= set(FETCH_STATUSES)
        assert all(process.closed for process in ScriptedAsker.processes)
        return answers

    return download


def of(answers: dict[str, Any], key: str = "status") -> dict[str, Any]:
    return {ticker: answer[key] for ticker, answer in answers.items()}


def test_t4_what_fails_is_asked_again_in_the_same_update_by_another_process(ask: Callable[..., Any]) -> None:
    script = {"A": "error", "B": "net_error", "C": "timeout"}
    answers = ask(["SPY", "A", "B", "C"], lambda ticker, count: script.get(ticker, "ok") if count == 1 else "ok")
    assert set(of(answers).values()) == {"ok"}
    assert of(answers, "attempts") == {"SPY": 1, "A": 2, "B": 2, "C": 2}
    for ticker in script:
        assert sum(ticker in process.tickers for process in ScriptedAsker.processes) == 2, "its cache keeps errors"


def test_t5_one_bad_ticker_of_fifty_costs_no_other(ask: Callable[..., Any]) -> None:
    tickers = ["SPY", *(f"T{number}" for number in range(49))]
    answers = ask(tickers, lambda ticker, _count: "error" if ticker == "T7" else "ok")
    assert Counter(of(answers).values()) == {"ok": 49, "error": 1}
    assert answers["T7"]["attempts"] == 3
    assert answers["T7"]["fetched_at"].endswith("Z")


def test_t9_unknown_is_believed_only_while_the_canary_is_known(ask: Callable[..., Any]) -> None:
    known = ask(["GONE", "AAA"], lambda ticker, _count: "not_found" if ticker == "GONE" else "ok")
    assert of(known) == {"GONE": "not_found", "AAA": "ok"}
    assert known["GONE"]["attempts"] == 1
    assert ScriptedAsker.counts["SPY"] == 1
    broken = ask(["GONE", "AAA"], lambda _ticker, _count: "not_found")
    assert of(broken) == {"GONE": "error", "AAA": "error"}
    assert "SPY" in broken["GONE"]["message"]


def test_t9_one_canary_vouches_for_many(ask: Callable[..., Any]) -> None:
    ask(["SPY", *(f"GONE{number}" for number in range(20))], lambda ticker, _: "ok" if ticker == "SPY" else "not_found")
    assert ScriptedAsker.counts["SPY"] == 1


def test_t3_all_refused_is_rate_limited_and_asks_six_times_for_fifty(ask: Callable[..., Any]) -> None:
    tickers = ["SPY", *(f"T{number}" for number in range(49))]
    answers = ask(tickers, lambda _ticker, _count: "rate_limited")
    assert set(of(answers).values()) == {"rate_limited"}
    assert sum(ScriptedAsker.counts.values()) == 6
    assert sum("not asked" in answer["message"] for answer in answers.values()) == 47


def test_t3_who_was_refused_is_asked_again_after_the_silence(ask: Callable[..., Any]) -> None:
    refused = iter(["ok", "rate_limited", "rate_limited", "rate_limited"])
    answers = ask([f"T{number}" for number in range(12)], lambda _ticker, _count: next(refused, "ok"))
    assert set(of(answers).values()) == {"ok"}


def test_a_ticker_that_alone_is_refused_is_given_up(ask: Callable[..., Any]) -> None:
    answers = ask(["SPY", "AAA", "BBB"], lambda ticker, _count: "rate_limited" if ticker == "BBB" else "ok")
    assert of(answers) == {"SPY": "ok", "AAA": "ok", "BBB": "rate_limited"}
    assert ScriptedAsker.counts["BBB"] == 3


def test_t2_the_budget_ends_it_and_says_what_was_not_asked(ask: Callable[..., Any]) -> None:
    limits, begin = Limits(**(vars(LIMITS) | {"budget_seconds": 0.2, "processes": 1})), time.monotonic()
    answers = ask(
        ["SPY", "BAD", "HANGS", "C"], lambda ticker, _count: {"HANGS": "hang", "BAD": "error"}.get(ticker, "ok"), limits
    )
    assert time.monotonic() - begin < 30  # what hangs would hang for 60
    assert of(answers) == {"SPY": "ok", "BAD": "error", "HANGS": "timeout", "C": "not_asked"}
    assert of(answers, "attempts") == {"SPY": 1, "BAD": 1, "HANGS": 1, "C": 0}


def test_what_may_fail_is_asked_once(ask: Callable[..., Any]) -> None:
    answers = ask([f"T{number}" for number in range(9)], lambda _ticker, _count: "error", patient=False)
    assert set(of(answers).values()) == {"error"}
    assert sum(ScriptedAsker.counts.values()) == 3


def test_every_answer_is_noted_as_it_comes(ask: Callable[..., Any]) -> None:
    noted: list[str] = []
    ask(["SPY", "A", "B"], lambda _ticker, _count: "ok", note=lambda ticker, _answer: noted.append(ticker))
    assert sorted(noted) == ["A", "B", "SPY"]
