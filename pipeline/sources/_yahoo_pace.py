"""When Yahoo may be asked next: a token bucket and a circuit breaker that all download processes share."""

import asyncio
import random
from collections.abc import Awaitable, Callable

LIMIT = 3  # failures in a row after which asking stops; those under way count, as they may fail too
ROUNDS = 3  # times that a silence is tried before Yahoo is given up
ANSWERED = ("ok", "empty", "not_found")
JITTER = 1.3  # a silence lasts up to this much longer than it must

Probe = Callable[[], Awaitable[str]]  # asks one ticker that surely exists and returns the status


class Pace:
    """Hands out turns. After LIMIT failures in a row it keeps silent, then lets one probe decide how it goes on."""

    def __init__(self, rate: float, backoff_seconds: float, *, rounds: int = ROUNDS) -> None:
        self.gave_up = ""  # the status that the last failure had, once Yahoo has been given up
        self._interval, self._backoff, self._rounds = 1 / rate, backoff_seconds, rounds
        self._due = 0.0  # when the next token is there
        self._flying, self._failures, self._last = 0, 0, ""
        self._line, self._landed = asyncio.Lock(), asyncio.Event()

    async def turn(self, probe: Probe) -> bool:
        """Wait until a question may be put; every True is to be followed by `landed`. False: Yahoo was given up."""
        async with self._line:
            while self._flying + self._failures >= LIMIT and not self.gave_up:
                if self._flying:
                    self._landed.clear()
                    await self._landed.wait()
                else:
                    await self._recover(probe)
            if self.gave_up:
                return False
            self._flying += 1
        await self.token()
        return True

    def landed(self, status: str = "") -> None:
        """Note how a question went; no status: it was not put after all."""
        self._flying -= 1
        if status in ANSWERED:
            self._failures = 0
        elif status:
            self._failures, self._last = self._failures + 1, status
        self._landed.set()

    async def token(self) -> None:
        """Wait for one token of the bucket, which holds LIMIT at the most."""
        now = asyncio.get_running_loop().time()
        self._due = max(self._due + self._interval, now - (LIMIT - 1) * self._interval)
        if self._due > now:
            await asyncio.sleep(self._due - now)

    async def _recover(self, probe: Probe) -> None:
        for number in range(self._rounds):
            # An outage may end any moment; a limit that was exceeded does not.
            floor = self._backoff if self._last == "rate_limited" else self._backoff / 10
            await asyncio.sleep(floor * 2**number * random.uniform(1, JITTER))
            await self.token()
            status = await probe()
            if status == "ok":
                self._failures = 0
                return
            self._last = "error" if status in ANSWERED else status  # no bars of a fund that trades daily: a fault
        self.gave_up = self._last
