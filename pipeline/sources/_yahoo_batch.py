"""Put many questions to Yahoo by several download processes: paced, retried, and over within the budget."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.sources._yahoo_pace import ROUNDS, Pace
from pipeline.sources._yahoo_process import Answer, Asker, Limits, Question, failed
from pipeline.store import utc_now

ATTEMPTS = 3  # a ticker that failed is asked again in the same update, by a fresh process
AGAIN = ("net_error", "timeout", "error")
CANARY_SECONDS = 60.0  # for so long the canary's answer vouches for the site

Answers = dict[str, Answer]  # by ticker: with `attempts` and `fetched_at` besides


def download(
    questions: Iterable[Question],
    canary: Question,
    limits: Limits,
    cache_dir: Path,
    *,
    note: Callable[[str, Answer], None] = lambda _ticker, _answer: None,
    patient: bool = True,
) -> Answers:
    """Return an answer per ticker, within limits.budget_seconds; `note` is called with each as it comes.

    `canary` asks for a ticker that surely exists: only after it answered is another one `not_found`, and it is the
    probe after a silence. What was not asked any more has the status that Yahoo was given up with, or `not_asked`.
    Not `patient`: nothing is asked twice, and LIMIT failures in a row end it.
    """
    work = _Download(list(questions), canary, limits, cache_dir, note)
    asyncio.run(work.run(ATTEMPTS if patient else 1, ROUNDS if patient else 0))
    return work.answers


class _Download:
    """One download under way."""

    def __init__(
        self, questions: list[Question], canary: Question, limits: Limits, cache_dir: Path,
        note: Callable[[str, Answer], None],
    ) -> None:  # fmt: skip
        self.answers: Answers = {}
        self._questions, self._canary, self._limits = questions, canary, limits
        self._cache_dir, self._note = _private(cache_dir), note
        self._waiting: deque[Question] = deque()
        self._attempts = dict.fromkeys((question["ticker"] for question in questions), 0)
        self._vouched_until = 0.0

    async def run(self, attempts: int, rounds: int) -> None:
        """Ask everything, then again what failed, until it is there, the attempts are used up or time is over."""
        self._pace = Pace(self._limits.rate, self._limits.backoff_seconds, rounds=rounds)
        self._max_attempts = attempts
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.budget_seconds):
                for number in range(attempts):
                    self._waiting = deque(filter(self._is_open, self._questions))
                    if not self._waiting or self._pace.gave_up:
                        break
                    await asyncio.sleep(self._limits.backoff_seconds / 10 if number else 0)
                    async with asyncio.TaskGroup() as group:
                        for _ in range(min(self._limits.processes, len(self._waiting))):
                            group.create_task(self._work())
        self._fill_in()

    def _is_open(self, question: Question) -> bool:
        answer = self.answers.get(question["ticker"])
        return answer is None or answer["status"] in AGAIN

    async def _work(self) -> None:
        """One process after another takes the next question, as long as there are any."""
        asker = Asker(self._limits, self._cache_dir)

        async def probe() -> str:
            return str((await asker.ask(self._canary))["status"])

        try:
            while self._waiting and await self._pace.turn(probe):
                if not self._waiting:  # another process took the last one while this one waited for its turn
                    self._pace.landed()
                    return
                await self._put(asker, self._waiting.popleft())
        finally:
            await asker.close()

    async def _put(self, asker: Asker, question: Question) -> None:
        ticker = question["ticker"]
        self._attempts[ticker] += 1
        answer = await asker.ask(question)
        if answer["status"] == "not_found":
            answer = await self._confirmed(asker, answer)
        elif ticker == self._canary["ticker"] and answer["status"] == "ok":
            self._vouch()
        self._pace.landed(answer["status"])
        if answer["status"] == "rate_limited" and self._attempts[ticker] < self._max_attempts:
            self._waiting.append(question)
        answer |= {"attempts": self._attempts[ticker], "fetched_at": utc_now()}
        self.answers[ticker] = answer
        self._note(ticker, answer)

    async def _confirmed(self, asker: Asker, answer: Answer) -> Answer:
        """Believe that a ticker is unknown only where the canary is known to the same process at the same time."""
        if asyncio.get_running_loop().time() < self._vouched_until:
            return answer
        await self._pace.token()
        if (await asker.ask(self._canary))["status"] == "ok":
            self._vouch()
            return answer
        return failed("error", f"{answer['message']}, and nothing came for {self._canary['ticker']} either")

    def _vouch(self) -> None:
        self._vouched_until = asyncio.get_running_loop().time() + CANARY_SECONDS

    def _fill_in(self) -> None:
        """Give an answer to what has none: the reason why it was not asked, or was not awaited."""
        for ticker, attempts in self._attempts.items():
            if ticker in self.answers:
                continue
            if attempts:
                answer = failed("timeout", f"no answer when {self._limits.budget_seconds:g} s for all were over")
            elif self._pace.gave_up:
                answer = failed(self._pace.gave_up, "not asked: Yahoo was given up after failures in a row")
            else:
                answer = failed("not_asked", f"not asked: {self._limits.budget_seconds:g} s for all were over")
            self.answers[ticker] = answer | {"attempts": attempts, "fetched_at": None}


def _private(folder: Path) -> Path:
    """A folder that no other user can write to: yfinance keeps pickled cookies in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder
