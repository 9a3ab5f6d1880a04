from collections.abc import Callable
from typing import Any

import pytest
from analyst import Analyst
from dash import Dash

from dashapp import rate_limit
from dashapp.data import POOL_KEY, RATE_KEY
from dashapp.rate_limit import RateLimit, RateLimitError
from pipeline.backtests import BacktestRequest


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the limit sees; set clock[0]."""
    now = [1_000.0]
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: now[0])
    return now


def admitted(limit: RateLimit, owner: str, times: int) -> int:
    count = 0
    for _ in range(times):
        try:
            limit.admit(owner)
        except RateLimitError:
            break
        count += 1
    return count


def test_one_browser_gets_half_and_all_together_the_whole(clock: list[float]) -> None:
    limit = RateLimit(10)
    assert admitted(limit, "a", 20) == 5
    assert admitted(limit, "b", 3) == 3
    assert admitted(limit, "c", 20) == 2  # ten in all
    assert admitted(limit, "a", 1) == 0


def test_a_minute_later_there_is_room_again(clock: list[float]) -> None:
    limit = RateLimit(4)
    assert admitted(limit, "a", 9) == 2
    clock[0] += 59.9
    with pytest.raises(RateLimitError, match=r"2 backtests .* from this browser, which is the limit. Try again in 0 s"):
        limit.admit("a")
    clock[0] += 0.1
    assert admitted(limit, "a", 9) == 2


def test_what_was_refused_does_not_count(clock: list[float]) -> None:
    limit = RateLimit(4)
    admitted(limit, "a", 2)
    for _ in range(50):
        assert admitted(limit, "a", 1) == 0
    clock[0] += 60
    assert admitted(limit, "a", 1) == 1


def test_submitting_too_often_starts_nothing_and_says_so(
    app: Dash, serve: Callable[..., Any], simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = serve(db=simulated.db)
    monkeypatch.setitem(app.server.config, RATE_KEY, RateLimit(4))
    analyst, other = Analyst(app, made), Analyst(app, made)
    requests = [BacktestRequest.of(tickers=["SIM001"], parameters={"threshold": votes}) for votes in (2, 3, 4)]
    for request in requests[:2]:
        analyst.submit(request)
    with pytest.raises(RateLimitError, match="2 backtests were submitted within a minute from this browser"):
        analyst.submit(requests[2])
    assert len(app.server.config[POOL_KEY].pending) == 2
    assert other.submit(requests[2])
    app.server.config[POOL_KEY].pending.clear()
