"""Download processes: each answers a few questions under a deadline, and is killed with all it started."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import ROOT

MESSAGE_LENGTH = 300
LINE_LIMIT = 64_000_000  # bytes of one answer; 26 years of bars are about 1 million

Question = dict[str, Any]  # kind (prices or info), ticker, and start and end or fields
Answer = dict[str, Any]  # status, message; prices, actions, meta and sent_at, or info, where the status is ok


@dataclass(frozen=True)
class Limits:
    """How hard Yahoo may be asked, and for how long. Times in seconds."""

    processes: int  # at once
    batch: int  # tickers per process
    batch_seconds: float  # a process is stopped after it
    ticker_seconds: float  # and where one ticker takes longer
    budget_seconds: float  # for all that is asked
    rate: float  # questions per second, of all processes together
    backoff_seconds: float  # least time of silence after refusals

    @classmethod
    def of(cls, settings: Any) -> "Limits":
        """Return the limits that the settings name."""
        return cls(**{name: getattr(settings, f"yahoo_{name}") for name in cls.__dataclass_fields__})


class Asker:
    """One download process after another: a new one where the last is used up, late or dead."""

    def __init__(self, limits: Limits, cache_dir: Path) -> None:
        self._limits, self._cache_dir = limits, cache_dir
        self._child: asyncio.subprocess.Process | None = None
        self._asked, self._ends = 0, 0.0

    async def ask(self, question: Question) -> Answer:
        """Return the answer; a process that is late or dies is an answer too, of status timeout or error."""
        clock = asyncio.get_running_loop().time
        seconds = self._limits.batch_seconds
        try:
            if self._child is None or self._asked >= self._limits.batch or clock() >= self._ends:
                await self.close()
                self._asked, self._ends = 0, clock() + self._limits.batch_seconds
                await self._start()
            self._asked += 1
            seconds = min(self._limits.ticker_seconds, self._ends - clock())
            return _read(await asyncio.wait_for(self._exchange(question), seconds))
        except TimeoutError:
            await self.close()
            return failed("timeout", f"no answer within {seconds:.3g} s")
        except (ValueError, OSError) as error:  # no line, half a line, too long a line, or a pipe that is closed
            last_words = self._last_words() or str(error)
            await self.close()
            return failed("error", f"the download process ended early: {last_words}")

    async def close(self) -> None:
        """Kill the process, and all it started, and wait until it is gone."""
        if self._child is None:
            return
        child, self._child = self._child, None
        with suppress(ProcessLookupError):  # it ended by itself in the meantime
            os.killpg(child.pid, signal.SIGKILL)
        self._errors.close()
        await child.communicate()  # wait() alone would never end where output was left unread

    async def _start(self) -> None:
        # A file, because a pipe that nobody reads would fill up and stop the process.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pipeline.yahoo_child", cwd=ROOT, limit=LINE_LIMIT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=self._errors,
            start_new_session=True,  # a process group of its own, so that all of it can be killed
        )  # fmt: skip
        await asyncio.wait_for(self._exchange({"cache_dir": str(self._cache_dir)}), self._limits.batch_seconds)

    async def _exchange(self, line: Mapping[str, Any]) -> bytes:
        assert self._child is not None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(line).encode() + b"\n")
        await self._child.stdin.drain()
        return await self._child.stdout.readline()

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-MESSAGE_LENGTH:]


def failed(status: str, message: str) -> Answer:
    """Return an answer that holds nothing."""
    return {"status": status, "message": message[:MESSAGE_LENGTH]}


def _read(line: bytes) -> Answer:
    """Return the answer of a line; raises ValueError where it was cut short."""
    answer: Answer = json.loads(line)
    return {**answer, "message": answer["message"][:MESSAGE_LENGTH]}
