"""Yahoo Finance: the Nasdaq-100, benchmark and sector funds, indices, yields, fundamentals; French's factors."""

import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from pipeline.errors import SourceError
from pipeline.sources import _french_download, _sessions, _yahoo_batch, _yahoo_frames, _yahoo_universe
from pipeline.sources._frames import NetworkRow, check_tickers, fetch_log, split_yields, stack
from pipeline.sources._source import PRICE_COLUMNS, FetchRequest, Report, Source, SourceData
from pipeline.sources._yahoo_answers import KeptAnswers
from pipeline.sources._yahoo_batch import Answers
from pipeline.sources._yahoo_process import Limits, Question

FIRST_DATE = "2000-01-01"  # of a first fetch without a start: five market cycles
OVERLAP_WEEKDAYS = 12  # ten sessions and the two holidays that may lie among them
CANARY, CANARY_DAYS = "SPY", 30
FUNDAMENTALS = "company fundamentals"  # their one row in the fetch log
FRENCH_SECONDS = 300.0  # the factor files are awaited no longer than this after the prices

_Factors = tuple[pd.DataFrame, list[NetworkRow]]


def fetch(request: FetchRequest, report: Report) -> SourceData:
    """Download what is missing since `last_dates` and an overlap; raises SourceError where nothing came.

    Raises InputError, before anything is asked, where a ticker cannot be one. An empty answer says nothing about
    the company. Fundamentals or factor files that fail are logged and spoil nothing else. prices: USD, close
    adjusted for splits, adj_close for dividends too; only days that were over.
    """
    begin, now = time.monotonic(), datetime.now(UTC)
    tickers = check_tickers(request.tickers) if request.tickers else _yahoo_universe.followed(request.last_dates)
    today = now.astimezone(ZoneInfo(_sessions.NEW_YORK)).date()
    french = None if request.prices_only else _factors_in_background(request.settings.french_url, today)
    conversation = _Conversation(request, now, today)
    answers = conversation.prices(tickers, report)
    good = {ticker: answer for ticker, answer in answers.items() if answer["status"] == "ok"}
    if not good:
        causes = "; ".join(sorted({answer["message"] for answer in answers.values()})[:3])
        log = fetch_log(_row(ticker, answer, 0) for ticker, answer in answers.items())
        raise SourceError(f"nothing could be fetched: {causes}. The store is unchanged.", fetch_log=log)
    if french is None:
        return _data(answers, good, {}, today.isoformat())
    infos = conversation.infos(_companies(request, good, today), time.monotonic() - begin, report)
    report(1.0, "reading Kenneth French's factors")
    factors, french_log = _awaited(french)
    data = _data(answers, good, infos, today.isoformat())
    log = fetch_log([*data.fetch_log.itertuples(index=False, name=None), *_info_row(infos), *french_log])
    return replace(data, factors=factors, fetch_log=log)


class _Conversation:
    """What this fetch asks of Yahoo: prices first, fundamentals in the time that is left."""

    def __init__(self, request: FetchRequest, now: datetime, today: date) -> None:
        self._request, self._limits = request, Limits.of(request.settings)
        self._folder = Path(request.settings.cache_dir) / "yahoo"
        self._end = (today + timedelta(days=1)).isoformat()  # not wanted any more
        self._kept = KeptAnswers(self._folder / "answers", _sessions.last_finished(_sessions.NEW_YORK, now))

    def prices(self, tickers: Iterable[str], report: Report) -> Answers:
        """Return an answer per ticker."""
        request = self._request
        starts = {ticker: _start(ticker, request.last_dates, request.start) for ticker in tickers}
        questions = [self._price_question(ticker, start) for ticker, start in starts.items()]
        first = str(np.busday_offset(self._end, -CANARY_DAYS, roll="backward"))
        return self._ask(questions, self._price_question(CANARY, first), "prices", report)

    def infos(self, tickers: Iterable[str], elapsed: float, report: Report) -> Answers:
        """Return an answer per ticker with its fundamentals. One refusal too many, or the budget, ends it."""
        questions = [self._info_question(ticker) for ticker in tickers]
        left = self._limits.budget_seconds - elapsed
        if left <= 0:
            return {}
        limits = replace(self._limits, budget_seconds=left)
        return self._ask(questions, self._info_question(CANARY), FUNDAMENTALS, report, limits)

    def _price_question(self, ticker: str, start: str) -> Question:
        return {"kind": "prices", "ticker": ticker, "start": start, "end": self._end}

    def _info_question(self, ticker: str) -> Question:
        return {"kind": "info", "ticker": ticker, "fields": list(_yahoo_frames.INFO_FIELDS)}

    def _ask(
        self, questions: list[Question], canary: Question, what: str, report: Report, limits: Limits | None = None
    ) -> Answers:
        """Answers kept from an update that was stopped, and for the rest Yahoo's."""
        answers, by_ticker = {}, {question["ticker"]: question for question in questions}
        for ticker, question in by_ticker.items():
            if not self._request.resume:
                self._kept.drop(question)
            elif kept := self._kept.load(question):
                answers[ticker] = kept | {"attempts": 0, "message": "kept from the update that was stopped"}
        report(len(answers) / max(1, len(by_ticker)), f"asking Yahoo for {what} of {len(by_ticker)} tickers")

        def note(ticker: str, answer: dict[str, Any]) -> None:
            answers[ticker] = answer
            if answer["status"] == "ok":
                self._kept.save(by_ticker[ticker], answer)
            report(len(answers) / len(by_ticker), f"{what}: {len(answers)} of {len(by_ticker)} tickers")

        missing = [question for ticker, question in by_ticker.items() if ticker not in answers]
        if missing:
            answers |= _yahoo_batch.download(
                missing, canary, limits or self._limits, self._folder, note=note, patient=what != FUNDAMENTALS
            )
        return answers


def _start(ticker: str, last_dates: Mapping[str, str], start: str | None) -> str:
    """The first date wanted: an overlap before the newest stored date, so that rewritten history shows."""
    if ticker not in last_dates:
        return start or FIRST_DATE
    return str(np.busday_offset(last_dates[ticker], -OVERLAP_WEEKDAYS, roll="backward"))


def _companies(request: FetchRequest, good: Answers, today: date) -> list[str]:
    """The stocks whose fundamentals are unknown, or older than the setting says."""
    oldest = (today - timedelta(days=request.settings.fundamentals_days)).isoformat()
    described = _yahoo_universe.described().set_index("ticker")["kind"]
    return [
        ticker for ticker, answer in good.items()
        if described.get(ticker, _yahoo_frames.kind(answer)) == "stock"
        and request.fundamentals_as_of.get(ticker, "") <= oldest
    ]  # fmt: skip


def _data(answers: Answers, good: Answers, infos: Answers, as_of: str) -> SourceData:
    """Everything but the factors."""
    frames = {ticker: _yahoo_frames.prices(ticker, answer) for ticker, answer in good.items()}
    fetched = stack(frames.values(), PRICE_COLUMNS).sort_values(["ticker", "date"], ignore_index=True)
    prices, rates, rejects = split_yields(fetched)
    known = {ticker: answer for ticker, answer in infos.items() if answer["status"] == "ok"}
    return SourceData(
        instruments=_yahoo_frames.instruments(
            _yahoo_universe.described(), good, {ticker: answer["info"] for ticker, answer in known.items()}
        ),
        prices=prices,
        rates=rates,
        actions=_yahoo_frames.actions(good),
        members=_yahoo_universe.members(),
        changes=_yahoo_universe.changes(),
        fundamentals=_yahoo_frames.fundamentals(
            (ticker, answer["info"], as_of, answer["fetched_at"]) for ticker, answer in known.items()
        ),
        rejects=rejects,
        fetch_log=fetch_log(_row(ticker, answer, len(frames.get(ticker, ()))) for ticker, answer in answers.items()),
    )


def _row(ticker: str, answer: dict[str, Any], rows: int) -> NetworkRow:
    return ticker, answer["status"], rows, answer["message"], answer["attempts"], answer["fetched_at"]


def _info_row(infos: Answers) -> list[NetworkRow]:
    """One row for all companies: what failed is asked again by the next update."""
    if not infos:
        return []
    failed = [answer for answer in infos.values() if answer["status"] != "ok"]
    message = f"{len(infos) - len(failed)} of {len(infos)} companies" + (f"; {failed[0]['message']}" if failed else "")
    attempts = sum(answer["attempts"] for answer in infos.values())
    newest = max((answer["fetched_at"] for answer in infos.values() if answer["fetched_at"]), default=None)
    status = failed[0]["status"] if failed else "ok"
    return [(FUNDAMENTALS, status, len(infos) - len(failed), message, attempts, newest)]


def _factors_in_background(url: str, today: date) -> "Future[_Factors]":
    """Download the factor files in a daemon thread: an update that is stopped does not wait for it."""
    future: Future[_Factors] = Future()

    def work() -> None:
        try:
            future.set_result(_french_download.download(url, today))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def _awaited(french: "Future[_Factors]") -> _Factors:
    try:
        return french.result(FRENCH_SECONDS)
    except TimeoutError:
        message = f"not there {FRENCH_SECONDS:g} s after the prices"
        return SourceData().factors, [(name, "timeout", 0, message, 1, None) for name in _french_download.FILES]


SOURCE = Source(
    key="yahoo",
    label="Yahoo Finance",
    description=(
        "Daily bars, dividends, splits and fundamentals of the Nasdaq-100, benchmark and sector funds, indices and "
        "Treasury yields from Yahoo Finance, and Kenneth French's factors. Personal use only; companies that failed "
        "before they were first fetched are missing, so past results flatter (survivorship)."
    ),
    fetch=fetch,
    incremental=True,
    sessions_only=True,
    required=(CANARY, "^IRX"),
    tolerated=0.05,
)
