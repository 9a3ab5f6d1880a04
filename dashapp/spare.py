"""A process that is ready for the next job, so that none has to wait until one is forked and has touched its memory."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

WORK_NICE = 5  # practice and jobs make way for the pages
PAUSE_SECONDS = 2.0  # after the last one was taken: its answer comes first


class Spare:
    """At most one process that waits for a job."""

    def __init__(self, context: Any, db: Path) -> None:
        self.context, self.db = context, db
        self.lock = threading.Lock()
        self.waiting: tuple[Any, Any] | None = None  # the process, and the way to it

    def prepare(self) -> None:
        """Start a process that answers a question of the store for practice; nothing where one waits already.

        Never raises: without one, a job starts a process of its own.
        """
        with self.lock:
            if self.waiting is not None and self.waiting[0].is_alive():
                return
            try:
                ours, theirs = self.context.Pipe()
                with theirs:
                    process = self.context.Process(target=_wait, args=(theirs, self.db), daemon=True)
                    process.start()
                self.waiting = process, ours
            except Exception:
                log.exception("no spare process could be started")

    def take(self, target: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return a process that calls `target`: the one that waits, where it is ready, else a new one."""
        later = threading.Timer(PAUSE_SECONDS, self.prepare)
        later.daemon = True
        later.start()
        with self.lock:
            if self.waiting is not None and self.waiting[1].poll():  # ready, or dead
                (process, way), self.waiting = self.waiting, None
                with contextlib.closing(way), contextlib.suppress(OSError, EOFError):
                    way.recv()
                    way.send((target, arguments))
                    return process
        process = self.context.Process(target=_do, args=(target, arguments), daemon=True)
        process.start()
        return process


def _do(target: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """In a child of its own: do what is asked."""
    os.nice(WORK_NICE)
    target(*arguments)


def _wait(way: Any, db: Path) -> None:
    """In the child: practise, say so, and do what is asked; nothing is asked once the web process is gone."""
    from pipeline import backtests

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the web process, which ends this one
    ends = signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # practice clears away what it has written
    os.nice(WORK_NICE)
    try:
        backtests.rehearse(db=db)
    except Exception:
        log.exception("a spare process could not practise")
    signal.signal(signal.SIGTERM, ends)
    with contextlib.suppress(EOFError, OSError):
        way.send("ready")
        target, arguments = way.recv()
        way.close()
        target(*arguments)
