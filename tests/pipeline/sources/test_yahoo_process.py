"""Download processes under their deadlines, with a stand-in that starts at once and misbehaves on demand."""

import asyncio
import os
import stat
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config import load_settings
from pipeline.sources import _yahoo_process
from pipeline.sources._yahoo_process import Asker, Limits

LIMITS = Limits(
    processes=1, batch=3, batch_seconds=20, ticker_seconds=20, budget_seconds=60, rate=1e6, backoff_seconds=0.001
)
STAND_IN = """
    #!{python} -S
    import json, os, subprocess, sys, time
    for number, line in enumerate(sys.stdin):
        word = json.loads(line).get("ticker", "")
        if word == "SLEEPS":
            time.sleep(60)
        if word == "DIES":
            sys.exit("a fault in a library")
        if word == "HALF":
            sys.stdout.write('{{"status": "ok", "mess')
            sys.exit()
        if word == "LONG":
            print("x" * 200_000, flush=True)
        if word == "STARTS":
            subprocess.Popen(["sleep", "60"])
        print(json.dumps({{"status": "ok", "message": f"{{os.getpid()}} {{number}}"}}), flush=True)
"""
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Put questions to stand-ins, one after another."""
    program = tmp_path / "stand-in"
    program.write_text(textwrap.dedent(STAND_IN).lstrip().format(python=sys.executable))
    program.chmod(stat.S_IRWXU)
    monkeypatch.setattr(_yahoo_process.sys, "executable", str(program))

    def put(*tickers: str, **limits: Any) -> list[dict[str, Any]]:
        async def run() -> list[dict[str, Any]]:
            asker = Asker(Limits(**(vars(LIMITS) | limits)), tmp_path)
            try:
                return [await asker.ask({"kind": "prices", "ticker": ticker}) for ticker in tickers]
            finally:
                await asker.close()

        return asyncio.run(run())

    return put


def alive(answer: dict[str, Any]) -> bool:
    """Whether the process of an answer, or one of its group, is still there."""
    try:
        os.killpg(int(answer["message"].split()[0]), 0)
    except ProcessLookupError:
        return False
    return True


def gone(answer: dict[str, Any]) -> bool:
    ends = time.monotonic() + 30  # who was killed waits for the system to bury it
    while alive(answer) and time.monotonic() < ends:
        time.sleep(0.01)
    return not alive(answer)


def test_a_process_answers_a_batch_and_makes_way(ask: Ask) -> None:
    answers = ask("A", "B", "C", "D")
    process = [answer["message"].split()[0] for answer in answers]
    assert process[0] == process[1] == process[2] != process[3]
    assert all(gone(answer) for answer in answers)


def test_t2_a_ticker_that_takes_too_long_is_killed_and_the_next_has_a_new_process(ask: Ask) -> None:
    begin = time.monotonic()
    before, late, after = ask("A", "SLEEPS", "B", ticker_seconds=1.5)
    assert (late["status"], late["message"]) == ("timeout", "no answer within 1.5 s")
    assert time.monotonic() - begin < 50  # it would sleep for 60
    assert gone(before)
    assert after["status"] == "ok"
    assert after["message"].split()[0] != before["message"].split()[0]


def test_t2_a_process_that_lives_too_long_is_killed(ask: Ask) -> None:
    begin = time.monotonic()
    assert ask("SLEEPS", batch_seconds=0.5)[0]["status"] == "timeout"
    assert time.monotonic() - begin < 50  # it would sleep for 60


def test_t2_what_a_process_started_goes_with_it(ask: Ask) -> None:
    begin = time.monotonic()
    (answer,) = ask("STARTS")
    assert gone(answer)
    assert time.monotonic() - begin < 50, "it lived on until it ended by itself"


@pytest.mark.parametrize(("word", "message"), [("DIES", "a fault in a library"), ("HALF", "")])
def test_a_process_that_dies_is_an_error_with_its_last_words(word: str, message: str, ask: Ask) -> None:
    dead, after = ask(word, "A")
    assert dead["status"] == "error"
    assert dead["message"].startswith("the download process ended early: ")
    assert message in dead["message"]
    assert after["status"] == "ok"


def test_an_endless_answer_is_refused(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_yahoo_process, "LINE_LIMIT", 10_000)
    assert [answer["status"] for answer in ask("LONG", "A")] == ["error", "ok"]


def test_a_program_that_does_not_start_is_an_error(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_yahoo_process.sys, "executable", "/bin/false")
    assert [answer["status"] for answer in ask("A", "B")] == ["error", "error"]


def test_limits_come_from_the_settings() -> None:
    assert Limits.of(load_settings({}, yahoo_processes=2)) == Limits(2, 10, 120.0, 30.0, 600.0, 2.0, 30.0)
