"""Answers kept for a resume: used where they are sound, young and asked the same way, and never otherwise."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from fake_yahoo import quick

from pipeline.sources import SOURCES, FetchRequest, SourceData, _french_download, _yahoo_batch, no_report
from pipeline.sources._yahoo_answers import MAX_AGE, KeptAnswers

QUESTION = {"kind": "prices", "ticker": "AAA", "start": "2024-01-02", "end": "2024-02-01"}
GOOD: dict[str, Any] = {
    "status": "ok", "message": "", "attempts": 1, "fetched_at": "2024-02-01T23:00:00.000Z", "sent_at": None,
    "prices": {"date": ["2024-01-31"]} | {name: [1.0] for name in ("open", "high", "low", "close", "adj_close", "volume")},
    "actions": [], "meta": dict.fromkeys(("longName", "shortName", "currency", "exchangeName", "exchangeTimezoneName"))
    | {"instrumentType": "ETF"},
}  # fmt: skip
ANSWER = {"status": "ok", "message": "", "prices": {"close": [1.5, None]}}


def kept(folder: Path, day: str = "2024-01-31") -> KeptAnswers:
    return KeptAnswers(folder / "answers", day)


def the_file(folder: Path) -> Path:
    (path,) = (folder / "answers").iterdir()
    return path


def test_an_answer_comes_back_to_the_same_question_alone(tmp_path: Path) -> None:
    kept(tmp_path).save(QUESTION, ANSWER)
    assert kept(tmp_path).load(QUESTION) == ANSWER
    assert kept(tmp_path).load(QUESTION | {"start": "2024-01-03"}) is None
    assert kept(tmp_path).load(QUESTION | {"ticker": "AAB"}) is None


def test_a_session_that_ended_meanwhile_makes_it_old(tmp_path: Path) -> None:
    kept(tmp_path, day="2024-01-30").save(QUESTION, ANSWER)
    assert kept(tmp_path, day="2024-01-31").load(QUESTION) is None


def test_age_makes_it_old(tmp_path: Path) -> None:
    answers = kept(tmp_path)
    answers.save(QUESTION, ANSWER)
    long_ago = time.time() - MAX_AGE - 1
    os.utime(the_file(tmp_path), (long_ago, long_ago))
    assert answers.load(QUESTION) is None
    kept(tmp_path)
    assert not list((tmp_path / "answers").iterdir()), "old answers pile up"


def test_one_answer_is_dropped_alone(tmp_path: Path) -> None:
    answers, other = kept(tmp_path), QUESTION | {"ticker": "BBB"}
    for question in (QUESTION, other):
        answers.save(question, ANSWER)
    answers.drop(QUESTION)
    answers.drop(QUESTION)
    assert answers.load(QUESTION) is None
    assert answers.load(other) == ANSWER


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\xff\xfe\x00", b"abc\n{}"])
def test_a_damaged_answer_is_asked_again(damage: bytes, tmp_path: Path) -> None:
    kept(tmp_path).save(QUESTION, ANSWER)
    the_file(tmp_path).write_bytes(damage)
    assert kept(tmp_path).load(QUESTION) is None


def test_a_flipped_digit_and_a_lost_end_are_noticed(tmp_path: Path) -> None:
    kept(tmp_path).save(QUESTION, ANSWER)
    whole = the_file(tmp_path).read_bytes()
    for changed in (whole.replace(b"1.5", b"1.6"), whole[:-10]):
        the_file(tmp_path).write_bytes(changed)
        assert kept(tmp_path).load(QUESTION) is None


def test_a_disk_that_is_full_stops_nothing(tmp_path: Path) -> None:
    answers = kept(tmp_path)
    answers._folder.rmdir()
    answers.save(QUESTION, ANSWER)
    assert answers.load(QUESTION) is None


def test_a_fetch_keeps_what_is_good_and_resume_asks_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    bad = {"status": "timeout", "message": "late", "attempts": 3, "fetched_at": None}

    def download(questions: list[dict], *_: Any, note: Any, **__: Any) -> dict[str, Any]:
        asked.append([question["ticker"] for question in questions])
        answers = {ticker: bad if ticker == "BBB" and len(asked) == 1 else GOOD for ticker in asked[-1]}
        for ticker, answer in answers.items():
            note(ticker, answer)
        return answers

    monkeypatch.setattr(_yahoo_batch, "download", download)
    monkeypatch.setattr(_french_download, "download", lambda *_: (SourceData().factors, []))
    settings = quick("file:///nowhere", tmp_path)
    for resume in (False, True, False):
        SOURCES["yahoo"].fetch(FetchRequest(tickers=("SPY", "BBB"), settings=settings, resume=resume), no_report)
    assert asked == [["SPY", "BBB"], ["BBB"], ["SPY", "BBB"]]


def test_a_fetch_of_prices_alone_asks_for_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stock = GOOD | {"meta": GOOD["meta"] | {"instrumentType": "EQUITY"}}
    asked: list[str] = []

    def download(questions: list[dict], *_: Any, **__: Any) -> dict[str, Any]:
        asked.extend(question["kind"] for question in questions)
        return {question["ticker"]: stock for question in questions}

    monkeypatch.setattr(_yahoo_batch, "download", download)
    monkeypatch.setattr(_french_download, "download", lambda *_: pytest.fail("factors were asked for"))
    request = FetchRequest(tickers=("AAA",), settings=quick("http://x", tmp_path), prices_only=True)
    assert len(SOURCES["yahoo"].fetch(request, no_report).prices) == 1
    assert asked == ["prices"]
