"""The download of Kenneth French's files: how far they reach, a second attempt, and a library that is away."""

from collections.abc import Callable, Iterator
from datetime import date
from email.message import Message
from urllib.error import HTTPError, URLError

import pytest
from fake_yahoo import FakeSite, closed_port, serve, zipped

from pipeline.sources import _french_download
from pipeline.sources._french_download import ATTEMPTS, FILES, download

MONTHLY = b"made by X\n\n,Mkt-RF,SMB,HML,RF\n202608, 1, 1, 1, 1\n202609, 2.96, -2.56, -2.43, 0.22\n"
DAILY = b"made by X\n\n,Mom\n20260930, 0.56\n"
TODAY = date(2026, 11, 20)
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_french_download, "PAUSE", 0.0)


@pytest.fixture
def library() -> Iterator[tuple[FakeSite, str]]:
    site = FakeSite()
    site.files = {name: zipped("x.CSV", DAILY if "daily" in name else MONTHLY) for name in FILES}
    with serve(site) as address:
        yield site, address


def test_the_log_says_how_far_each_file_reaches(library: tuple[FakeSite, str]) -> None:
    factors, log = download(library[1], TODAY)
    assert [row[1] for row in log] == ["ok"] * 6
    assert {row[3] for row in log} == {"to 2026-09-30, 51 days before this fetch"}
    assert [row[4] for row in log] == [1] * 6
    assert all(str(row[5]).endswith("Z") for row in log)
    assert factors["date"].max() == "2026-09-30"


@pytest.mark.parametrize("fault", ["500", "html", "reset", "cut"])
def test_t4_a_file_that_fails_once_is_asked_again(fault: str, library: tuple[FakeSite, str]) -> None:
    site, address = library
    site.fault = lambda _what, name, count: fault if (name, count) == (FILES[2], 1) else ""
    log = download(address, TODAY)[1]
    assert [row[1] for row in log] == ["ok"] * 6
    assert [row[4] for row in log] == [1, 1, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("fault", "status"), [("500", "error"), ("404", "error"), ("429", "rate_limited"), ("html", "error")]
)
def test_one_file_that_stays_away_spoils_no_other(fault: str, status: str, library: tuple[FakeSite, str]) -> None:
    site, address = library
    site.fault = lambda _what, name, _count: fault if name == FILES[2] else ""
    log = download(address, TODAY)[1]
    assert [row[1] for row in log] == ["ok", "ok", status, "ok", "ok", "ok"]
    assert site.counts["file", FILES[2]] == ATTEMPTS


def test_t1_a_library_that_is_away_is_asked_for_one_file() -> None:
    factors, log = download(f"http://127.0.0.1:{closed_port()}", TODAY)
    assert factors.empty
    assert [row[1] for row in log] == ["net_error"] * 6
    assert [row[4] for row in log] == [ATTEMPTS, 0, 0, 0, 0, 0]


def test_t2_silence_ends_after_the_time_limit(library: tuple[FakeSite, str], monkeypatch: pytest.MonkeyPatch) -> None:
    site, address = library
    site.fault = lambda *_: "hang"
    monkeypatch.setattr(_french_download, "TIMEOUT", 0.05)
    assert [row[1] for row in download(address, TODAY)[1]] == ["timeout"] * 6


@pytest.mark.parametrize(
    ("limit", "value", "status", "message"),
    [("SIZE_LIMIT", 50, "error", "more than 50 bytes: not"), ("FILE_SECONDS", -1.0, "timeout", "not there after")],
)
def test_size_and_time_of_a_file_are_bounded(
    limit: str, value: float, status: str, message: str, library: tuple[FakeSite, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_french_download, limit, value)
    log = download(library[1], TODAY)[1]
    assert (log[0][1], message in log[0][3]) == (status, True)


def test_a_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zipped("x.CSV", b"0" * 5000)
    monkeypatch.setattr(_french_download, "SIZE_LIMIT", 1000)
    monkeypatch.setattr(_french_download, "_get", lambda _address: packed)
    assert "more than 1,000 bytes unzipped" in download("http://x", TODAY)[1][0][3]


def test_an_address_that_is_none_is_refused() -> None:
    factors, log = download("file:///etc", TODAY)
    assert factors.empty
    assert "not a web address" in log[0][3]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HTTPError("x", 429, "slow down", Message(), None), "rate_limited"),
        (HTTPError("x", 503, "down", Message(), None), "error"),
        (URLError(TimeoutError("timed out")), "timeout"),
        (TimeoutError("the read timed out"), "timeout"),
        (URLError(OSError("no host")), "net_error"),
        (ValueError("not a table"), "error"),
    ],
)
def test_faults_have_their_status(error: Exception, status: str) -> None:
    if isinstance(error, HTTPError):
        error.close()
    assert _french_download._status(error) == status


def test_a_pause_lies_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep: Callable[[float], None] = pauses.append
    monkeypatch.setattr(_french_download, "PAUSE", 2.0)
    monkeypatch.setattr(_french_download.time, "sleep", sleep)
    download(f"http://127.0.0.1:{closed_port()}", TODAY)
    assert len(pauses) == 2
    assert 2.0 <= pauses[0] <= 3.0
    assert pauses[1] == 0
