"""Downloads from Yahoo in processes of their own: each has a deadline and is killed with all it started."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from config import ROOT

GIVE_UP_AFTER = 2  # batches in a row of which nothing at all came back: Yahoo or the network is down
MESSAGE_LENGTH = 300

Answer = dict[str, Any]  # ticker, status, message; prices, actions and meta where the status is ok


def download(
    starts: Mapping[str, str], end: str, *, size: int, seconds: float, cache_dir: Path
) -> Iterator[list[Answer]]:
    """Yield the answers of one batch after another, one answer per ticker.

    starts: the first date wanted per ticker, ISO; end: the first date not wanted; size: tickers per process;
    seconds: deadline of a process, after which what it had answered still counts. status is ok, empty (Yahoo
    sent nothing, which says nothing about the company) or error.
    """
    tickers, silent = list(starts), 0
    for first in range(0, len(tickers), size):
        batch = tickers[first : first + size]
        if silent >= GIVE_UP_AFTER:
            yield [_failed(ticker, f"not asked: {silent} batches before it failed whole") for ticker in batch]
            continue
        answers = _run({ticker: starts[ticker] for ticker in batch}, end, seconds, _private(cache_dir))
        silent = silent + 1 if all(answer["status"] == "error" for answer in answers) else 0
        yield answers


def _run(starts: Mapping[str, str], end: str, seconds: float, cache_dir: Path) -> list[Answer]:
    wanted = [{"ticker": ticker, "start": start} for ticker, start in starts.items()]
    question = json.dumps({"tickers": wanted, "end": end, "cache_dir": str(cache_dir)})
    child = subprocess.Popen(
        [sys.executable, "-m", "pipeline.sources._yahoo_child"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,  # a process group of its own, so that all of it can be killed
    )  # fmt: skip
    try:
        printed, errors = child.communicate(question, timeout=seconds)
        reason = f"the download process ended early: {errors.strip()[-MESSAGE_LENGTH:]}"
    except subprocess.TimeoutExpired:
        _kill(child)
        printed, _ = child.communicate()
        reason = f"no answer within {seconds:g} s"
    except BaseException:
        _kill(child)
        raise
    found = _answers(printed)
    return [found.get(ticker) or _failed(ticker, reason) for ticker in starts]


def _kill(child: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):  # it ended by itself in the meantime
        os.killpg(child.pid, signal.SIGKILL)


def _answers(printed: str) -> dict[str, Answer]:
    """The answers by ticker; a line cut short by the deadline is no answer."""
    found = {}
    for line in printed.splitlines():
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        found[answer["ticker"]] = {**answer, "message": answer["message"][:MESSAGE_LENGTH]}
    return found


def _failed(ticker: str, message: str) -> Answer:
    return {"ticker": ticker, "status": "error", "message": message}


def _private(folder: Path) -> Path:
    """A folder that no other user can write to: yfinance keeps pickled cookies in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder
