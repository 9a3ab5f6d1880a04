"""The token bucket and the circuit breaker, without processes: who may ask when, and when it is over."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from pipeline.sources._yahoo_pace import LIMIT, Pace


class Site:
    """Answers with one status after another, and counts."""

    def __init__(self, *statuses: str, probes: tuple[str, ...] = ()) -> None:
        self.statuses, self.probes = list(statuses), list(probes)
        self.asked = self.probed = self.flying = self.most = 0

    async def ask(self) -> str:
        self.flying += 1
        self.most = max(self.most, self.flying)
        await asyncio.sleep(0)
        self.flying -= 1
        self.asked += 1
        return self.statuses[min(self.asked, len(self.statuses)) - 1]

    async def probe(self) -> str:
        self.probed += 1
        return self.probes[min(self.probed, len(self.probes)) - 1]


def drive(site: Site, pace: Callable[[], Pace], *, workers: int, questions: int) -> Pace:
    """Let several workers put questions at once until they are used up or the site is given up."""

    async def work(shared: Pace, left: list[int]) -> None:
        while left and await shared.turn(site.probe):
            if left:
                left.pop()
                shared.landed(await site.ask())
            else:
                shared.landed()

    async def run() -> Pace:
        shared, left = pace(), list(range(questions))
        await asyncio.gather(*(work(shared, left) for _ in range(workers)))
        return shared

    return asyncio.run(run())


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The silences, which then take no time."""
    seconds: list[float] = []
    real: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def sleep(length: float) -> None:
        if length:
            seconds.append(length)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seconds


def test_t3_no_more_than_three_refusals_in_a_row_however_many_ask_at_once(slept: list[float]) -> None:
    site = Site("rate_limited", probes=("rate_limited",))
    pace = drive(site, lambda: Pace(1e9, 30.0), workers=7, questions=50)
    assert site.asked == LIMIT
    assert pace.gave_up == "rate_limited"


def test_t3_silence_doubles_above_its_floor_with_jitter_and_ends_after_three_probes(slept: list[float]) -> None:
    random.seed(1)
    site = Site("rate_limited", probes=("rate_limited",))
    drive(site, lambda: Pace(1e9, 30.0), workers=1, questions=9)
    silences = [length for length in slept if length >= 1]
    assert site.probed == len(silences) == 3
    for length, floor in zip(silences, (30, 60, 120), strict=True):
        assert floor <= length <= 1.3 * floor
    assert len({length / floor for length, floor in zip(silences, (30, 60, 120), strict=True)}) == 3  # not in step


def test_t1_an_outage_is_tried_again_sooner_than_a_refusal(slept: list[float]) -> None:
    drive(Site("net_error", probes=("net_error",)), lambda: Pace(1e9, 30.0), workers=3, questions=9)
    assert sum(length for length in slept if length >= 1) <= 30  # of the 60 s that a dead network may cost


def test_one_probe_that_answers_closes_the_breaker(slept: list[float]) -> None:
    site = Site(*["rate_limited"] * 3, "ok", probes=("rate_limited", "ok"))
    pace = drive(site, lambda: Pace(1e9, 30.0), workers=3, questions=20)
    assert (site.asked, site.probed, pace.gave_up) == (20, 2, "")


def test_refusals_that_are_not_in_a_row_do_not_open_it(slept: list[float]) -> None:
    site = Site(*["error", "net_error", "ok"] * 5)
    drive(site, lambda: Pace(1e9, 30.0), workers=1, questions=15)
    assert (site.asked, site.probed) == (15, 0)


def test_a_probe_without_bars_is_no_recovery(slept: list[float]) -> None:
    site = Site("timeout", probes=("empty",))
    assert drive(site, lambda: Pace(1e9, 30.0), workers=2, questions=9).gave_up == "error"


def test_without_rounds_three_failures_end_it_at_once(slept: list[float]) -> None:
    site = Site("rate_limited", probes=("ok",))
    pace = drive(site, lambda: Pace(1e9, 30.0, rounds=0), workers=2, questions=9)
    assert (pace.gave_up, site.probed) == ("rate_limited", 0)


def test_tokens_bound_the_rate_of_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]

    async def sleep(length: float) -> None:
        clock[0] += length

    monkeypatch.setattr(asyncio, "sleep", sleep)

    async def run() -> list[float]:
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock[0])
        pace, given = Pace(2.0, 1.0), []
        for _ in range(13):
            await pace.token()
            given.append(clock[0] - 100.0)
        return given

    assert asyncio.run(run()) == pytest.approx([0, 0, 0, *(0.5 * number for number in range(1, 11))])
