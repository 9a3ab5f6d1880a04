"""A step's work per ticker, shared among processes: each has its share of the owners, and a connection of its own."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table

from pipeline import store
from pipeline.errors import StoreError
from pipeline.queries import Reader, connect
from pipeline.steps._step import Context

log = logging.getLogger(__name__)

T = TypeVar("T")
Rows = Mapping[str, Any]  # {column: values}, all rows of one owner from its year on
Compute = Callable[[Reader, str, str], Sequence[Rows]]  # (reader, owner, year) → the rows of each table

WORTH_A_PROCESS = 8  # owners; below that, starting one takes longer than it saves
PER_TRANSACTION = 100  # owners; bounds the write-ahead log


def store_each(context: Context, tables: Sequence[Table], since: Mapping[str, str], compute: Compute) -> int:
    """Compute and store the rows of every owner, from the year that `since` gives it on; return their count.

    compute returns the rows of each of the tables, in their order. They depend on what is committed, and not on how
    many processes share the work. Raises StoreError where a helper process fails.
    """
    shares = _shares(context, sorted(since))
    shards = [context.build.with_name(f"{context.build.stem}.shard{number}.db") for number in range(1, len(shares))]
    helpers = [_Helper(context.build, partial(_fill, shard, tables, {owner: since[owner] for owner in share}, compute))
               for shard, share in zip(shards, shares[1:], strict=True)]  # fmt: skip
    try:
        rows = 0
        for number, batch in enumerate(batches := _batches(shares[0], PER_TRANSACTION)):
            with store.transaction(context.connection):
                for place, owner in enumerate(batch):
                    context.report((number + place / len(batch)) / len(batches), owner)
                    rows += _replace(
                        context.connection, tables, compute(context.reader, owner, since[owner]), owner, since
                    )
        for shard, share, helper in zip(shards, shares[1:], helpers, strict=True):
            helper.answer()
            rows += store.merge_shard(context.connection, shard, tables, {owner: since[owner] for owner in share})
        return rows
    finally:
        for helper in helpers:
            helper.end()
        for shard in shards:
            store.remove(shard)


def gather(context: Context, owners: Sequence[str], work: Callable[[Reader, Iterator[str]], T]) -> list[T]:
    """Return what `work` makes of each share of the owners, which it may read but not write.

    Raises StoreError where a helper process fails.
    """
    shares = _shares(context, sorted(owners))
    helpers = [_Helper(context.build, partial(_looked_at, share, work)) for share in shares[1:]]
    try:
        own = work(context.reader, _reported(context, shares[0]))
        return [own, *(helper.answer() for helper in helpers)]
    finally:
        for helper in helpers:
            helper.end()


class _Helper:
    """One process at work on its share."""

    def __init__(self, build: Path, job: Callable[[Path, int], Any]) -> None:
        self.outcome, sender = multiprocessing.Pipe(duplex=False)
        # Forked, because importing the libraries again would take longer than the work. The child uses no connection
        # of its parent.
        self.process = multiprocessing.get_context("fork").Process(
            target=_work, args=(build, job, os.getpid(), sender), daemon=True
        )
        self.process.start()
        sender.close()

    def answer(self) -> Any:
        """Wait for the process and return its answer; raises StoreError where it has none."""
        try:
            fault, found = self.outcome.recv()
        except EOFError:
            fault, found = "it was stopped", None
        self.process.join()
        if fault:
            raise StoreError(f"A helper process of the update failed: {fault}")
        return found

    def end(self) -> None:
        """Leave no process behind."""
        self.process.kill()
        self.process.join()
        self.outcome.close()


def _work(build: Path, job: Callable[[Path, int], Any], parent: int, outcome: Any) -> None:
    """In the helper: do the job, and send what went wrong, or "", and the answer."""
    fault, found = "", None
    try:
        found = job(build, parent)
    except Exception as error:
        log.exception("helper process failed")
        fault = f"{type(error).__name__}: {error}"
    outcome.send((fault, found))


def _fill(
    shard: Path, tables: Sequence[Table], since: Mapping[str, str], compute: Compute, build: Path, parent: int
) -> None:
    """In the helper: compute the share and store it in a shard of its own."""
    with connect(build, seconds=600.0) as reader, store.shard(shard, tables) as connection:
        for owners in _batches(sorted(since), PER_TRANSACTION):
            with store.transaction(connection):
                for owner in _while_wanted(owners, parent):
                    _replace(connection, tables, compute(reader, owner, since[owner]), owner, since)


def _looked_at(owners: Sequence[str], work: Callable[[Reader, Iterator[str]], T], build: Path, parent: int) -> T:
    """In the helper: what the work makes of the share."""
    with connect(build, seconds=600.0) as reader:
        return work(reader, _while_wanted(owners, parent))


def _while_wanted(owners: Sequence[str], parent: int) -> Iterator[str]:
    for owner in owners:
        if os.getppid() != parent:  # the update was killed: nobody waits for this, and it holds the lock
            os._exit(1)
        yield owner


def _reported(context: Context, owners: Sequence[str]) -> Iterator[str]:
    for place, owner in enumerate(owners):
        context.report(place / len(owners), owner)
        yield owner


def _replace(
    connection: Any, tables: Sequence[Table], found: Sequence[Rows], owner: str, since: Mapping[str, str]
) -> int:
    return sum(
        store.replace(connection, table, rows, owner=owner, since=since[owner])
        for table, rows in zip(tables, found, strict=True)
    )


def _shares(context: Context, owners: Sequence[str]) -> list[Sequence[str]]:
    processes = min(context.settings.update_processes, max(1, len(owners) // WORTH_A_PROCESS))
    return [owners[number::processes] for number in range(processes)]


def _batches(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[first : first + size] for first in range(0, len(items), size)]
