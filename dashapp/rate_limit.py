"""How many jobs may be submitted within a minute: by everybody, and by one browser."""

import threading
import time
from collections import deque

from analytics.errors import PlumblineError

WINDOW_SECONDS = 60.0


class RateLimitError(PlumblineError):
    """Too many submissions within a minute."""


class RateLimit:
    """At most `per_minute` admissions within any minute, and at most half of them to one owner."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._lock = threading.Lock()
        self._admitted: deque[tuple[float, str]] = deque()

    def admit(self, owner: str) -> None:
        """Count one submission of `owner`; raises RateLimitError where there were too many within the last minute."""
        with self._lock:
            now = time.monotonic()
            while self._admitted and self._admitted[0][0] <= now - WINDOW_SECONDS:
                self._admitted.popleft()
            mine = [moment for moment, other in self._admitted if other == owner]
            for moments, bound, whose in (
                (mine, self.per_minute // 2, "from this browser"),
                ([moment for moment, _ in self._admitted], self.per_minute, "in all"),
            ):
                if len(moments) >= bound:
                    wait = moments[0] + WINDOW_SECONDS - now
                    raise RateLimitError(
                        f"{len(moments)} backtests were submitted within a minute {whose}, which is the limit. "
                        f"Try again in {wait:.0f} s."
                    )
            self._admitted.append((now, owner))
