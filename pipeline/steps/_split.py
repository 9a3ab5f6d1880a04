"""A step's work per ticker, shared among processes: each writes a shard of its own, which is then merged."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from pipeline import store
from pipeline.errors import StoreError
from pipeline.queries import Reader, connect
from pipeline.steps._step import Context

log = logging.getLogger(__name__)

Rows = Mapping[str, Any]  # {column: values}, all rows of one owner from its year on
Compute = Callable[[Reader, str, str], Rows]  # (reader, owner, year) → rows

WORTH_A_PROCESS = 8  # owners; below that, starting one takes longer than it saves
PER_TRANSACTION = 100  # owners; bounds the write-ahead log


def store_each(context: Context, table: Table, since: Mapping[str, str], compute: Compute) -> int:
    """Compute and store the rows of every owner, from the year that `since` gives it on; return their count.

    The rows depend on what is committed, and not on how many processes share the work. Raises StoreError where a
    helper process fails.
    """
    owners = sorted(since)
    processes = min(context.settings.update_processes, max(1, len(owners) // WORTH_A_PROCESS))
    shares = [owners[number::processes] for number in range(processes)]
    helpers = [_Helper(context.build, number, table, {owner: since[owner] for owner in share}, compute)
               for number, share in enumerate(shares[1:], start=1)]  # fmt: skip
    try:
        rows = 0
        for number, batch in enumerate(batches := _batches(shares[0], PER_TRANSACTION)):
            with store.transaction(context.connection):
                for place, owner in enumerate(batch):
                    context.report((number + place / len(batch)) / len(batches), owner)
                    found = compute(context.reader, owner, since[owner])
                    rows += store.replace(context.connection, table, found, owner=owner, since=since[owner])
        return rows + sum(helper.merge(context) for helper in helpers)
    finally:
        for helper in helpers:
            helper.end()


class _Helper:
    """One process with its share of the owners and its shard."""

    def __init__(self, build: Path, number: int, table: Table, since: dict[str, str], compute: Compute) -> None:
        self.table, self.since = table, since
        self.shard = build.with_name(f"{build.stem}.shard{number}.db")
        self.outcome, sender = multiprocessing.Pipe(duplex=False)
        # Forked, because importing the libraries again would take longer than the work. The child uses no connection
        # of its parent.
        self.process = multiprocessing.get_context("fork").Process(
            target=_work, args=(build, self.shard, table, since, compute, os.getpid(), sender), daemon=True
        )
        self.process.start()
        sender.close()

    def merge(self, context: Context) -> int:
        """Wait for the process and bring its rows into the build."""
        try:
            fault = self.outcome.recv()
        except EOFError:
            fault = "it was stopped"
        self.process.join()
        if fault:
            raise StoreError(f"A helper process of the update failed: {fault}")
        return store.merge_shard(context.connection, self.shard, self.table, self.since)

    def end(self) -> None:
        """Leave neither process nor shard behind."""
        self.process.kill()
        self.process.join()
        self.outcome.close()
        store.remove(self.shard)


def _work(
    build: Path, shard: Path, table: Table, since: dict[str, str], compute: Compute, parent: int, outcome: Connection
) -> None:
    """In the helper: compute the share, and say what went wrong, or nothing."""
    fault = ""
    try:
        with connect(build, seconds=600.0) as reader, store.shard(shard, table) as connection:
            for owners in _batches(sorted(since), PER_TRANSACTION):
                with store.transaction(connection):
                    for owner in owners:
                        if (
                            os.getppid() != parent
                        ):  # the update was killed: nobody waits for this, and it holds the lock
                            os._exit(1)
                        rows = compute(reader, owner, since[owner])
                        store.replace(connection, table, rows, owner=owner, since=since[owner])
    except Exception as error:
        log.exception("helper process failed")
        fault = f"{type(error).__name__}: {error}"
    outcome.send(fault)


def _batches(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[first : first + size] for first in range(0, len(items), size)]
