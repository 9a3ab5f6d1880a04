"""Yahoo's faults through real download processes: no network, silence, refusals, and a fetch that is killed."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from fake_yahoo import FakeSite, closed_port, downloads, quick, site_of

from config import ROOT
from pipeline.errors import SourceError
from pipeline.sources import SOURCES, FetchRequest, SourceData, no_report

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
Serve = Callable[[FakeSite], str]
ELEVEN = tuple(f"T{number:02}" for number in range(11))


def fetch(settings: object, *tickers: str, resume: bool = False, fundamentals: bool = False) -> SourceData:
    known = {} if fundamentals else dict.fromkeys(tickers, "2999-12-31")
    request = FetchRequest(
        tickers=tickers, settings=settings, resume=resume, start="2024-01-03", fundamentals_as_of=known
    )
    return SOURCES["yahoo"].fetch(request, no_report)


def log_of(error: SourceError) -> pd.DataFrame:
    assert isinstance(error.fetch_log, pd.DataFrame)
    return error.fetch_log.set_index("ticker")


@pytest.mark.parametrize("fault", ["refused", "no such host"])
def test_t1_network_down_is_a_net_error_of_every_ticker(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"http://127.0.0.1:{closed_port()}" if fault == "refused" else "http://plumbline.invalid"
    monkeypatch.setenv("PLUMBLINE_YAHOO_URL", address)
    begin = time.monotonic()
    with pytest.raises(SourceError, match=r"nothing could be fetched: .*The store is unchanged\.") as caught:
        fetch(quick("http://127.0.0.1:1", tmp_path), "SPY", "AAA", "BBB", "CCC", "DDD")
    assert time.monotonic() - begin < 60
    log = log_of(caught.value)
    assert log["status"].to_dict() == dict.fromkeys(["AAA", "BBB", "CCC", "DDD", "SPY"], "net_error")
    assert log["attempts"].sum() == 3
    assert not log["message"].str.contains("delisted").any()


def test_t2_a_black_hole_is_killed_at_its_deadline_and_leaves_no_process(served: Serve, tmp_path: Path) -> None:
    site = site_of("AAA")
    site.fault = lambda *_: "hang"
    settings = quick(served(site), tmp_path, yahoo_processes=3, yahoo_ticker_seconds=0.5, yahoo_budget_seconds=4.5)
    before, begin = downloads(), time.monotonic()
    with pytest.raises(SourceError) as caught:
        fetch(settings, "SPY", "AAA", *ELEVEN)
    assert time.monotonic() - begin < 50  # the budget, and the time a busy machine takes to notice
    log = log_of(caught.value)
    assert set(log["status"]) <= {"timeout", "not_asked"}, log["message"].to_dict()
    assert (log["status"] == "timeout").sum() >= 3
    assert downloads() <= before


def test_t3_all_refused_costs_six_requests_for_fifty_tickers(served: Serve, tmp_path: Path) -> None:
    site = site_of()
    site.fault = lambda *_: "429"
    tickers = ("SPY", *(f"T{number}" for number in range(49)))
    with pytest.raises(SourceError) as caught:
        fetch(quick(served(site), tmp_path, french_url="http://127.0.0.1:1"), *tickers)
    assert set(log_of(caught.value)["status"]) == {"rate_limited"}
    assert len(site.asked) == 6 <= 2 * len(tickers)


def test_t3_refused_after_five_is_resumed_later_and_asks_for_the_rest_alone(served: Serve, tmp_path: Path) -> None:
    site = site_of(*ELEVEN)
    site.fault = lambda what, *_: "429" if what == "chart" and site.count("chart") > 5 else ""
    settings = quick(served(site), tmp_path)
    first = fetch(settings, "SPY", *ELEVEN).fetch_log.set_index("ticker")["status"]
    assert first[["SPY", *ELEVEN[:4]]].tolist() == ["ok"] * 5
    assert set(first[list(ELEVEN[4:])]) == {"rate_limited"}
    assert site.count("crumb") == site.count("cookie") == 0
    site.fault = lambda *_: ""
    site.asked.clear()
    data = fetch(settings, "SPY", *ELEVEN, resume=True)
    log = data.fetch_log.set_index("ticker").loc[["SPY", *ELEVEN]]
    assert set(log["status"]) == {"ok"}
    assert sorted(ticker for what, ticker, _ in site.asked if what == "chart") == list(ELEVEN[4:])
    assert log["attempts"].tolist() == [0] * 5 + [1] * 7
    assert log["message"].iloc[0] == "kept from the update that was stopped"
    assert data.prices["ticker"].value_counts().to_dict() == dict.fromkeys(["SPY", *ELEVEN], 19)


def test_t3_a_refused_crumb_costs_the_fundamentals_and_no_price(served: Serve, tmp_path: Path) -> None:
    site = site_of(*ELEVEN)
    site.fault = lambda what, *_: "429" if what == "crumb" else ""
    data = fetch(quick(served(site), tmp_path), "SPY", *ELEVEN, fundamentals=True)
    log = data.fetch_log.set_index("ticker")
    assert set(log.loc[["SPY", *ELEVEN], "status"]) == {"ok"}
    assert log.loc["company fundamentals", "status"] == "rate_limited"
    assert data.fundamentals.empty
    assert (site.count("chart"), site.count("crumb"), site.count("info")) == (12, 3, 0)
    assert site.count("chart") + site.count("crumb") + site.count("cookie") <= 2 * 12


def test_a_fetch_that_is_killed_leaves_no_process_and_is_resumed(served: Serve, tmp_path: Path) -> None:
    site = site_of("AAA", "BBB", "CCC")
    site.fault = lambda what, ticker, count: "hang" if (what, ticker, count) == ("chart", "CCC", 1) else ""
    address, before = served(site), downloads()
    script = f"""
        import sys; sys.path[:0] = ["{Path(__file__).parent}", "{ROOT}"]
        from pathlib import Path
        from fake_yahoo import quick
        from pipeline.sources import SOURCES, FetchRequest, no_report
        settings = quick("{address}", Path("{tmp_path}"))
        request = FetchRequest(tickers=("SPY", "AAA", "BBB", "CCC"), settings=settings, start="2024-01-03")
        SOURCES["yahoo"].fetch(request, no_report)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT)
    wait_for(lambda: site.counts["chart", "CCC"] == 1)
    assert downloads() - before
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: downloads() <= before, 6)  # by itself it would go on for ten
    site.asked.clear()
    data = fetch(quick(address, tmp_path), "SPY", "AAA", "BBB", "CCC", resume=True)
    assert [ticker for what, ticker, _ in site.asked if what == "chart"] == ["CCC"]
    assert set(data.prices["ticker"]) == {"SPY", "AAA", "BBB", "CCC"}


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)
