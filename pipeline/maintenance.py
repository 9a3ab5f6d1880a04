"""Keep, check and bring back the two databases: backups, restore, checks of every row, and space given back."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData

from pipeline import schema, store
from pipeline.errors import StoreError
from pipeline.publish import build_path, mark_mirror, take_mirror
from pipeline.queries import checks as check_queries
from pipeline.queries import connect

KEEP = 7  # backups of each database
SHOWN = 20  # faults named in one report
PAYS = 0.25  # share of a file that is free; below it, a night's growth fills the space again


@dataclass(frozen=True)
class Database:
    """One of the two files, and whose tables it has."""

    path: Path
    metadata: MetaData

    @property
    def name(self) -> str:
        """What messages call it."""
        return "market store" if self.metadata is schema.MARKET else "workspace"

    @property
    def backups(self) -> list[Path]:
        """Its backups, oldest first."""
        return sorted((self.path.parent / "backups").glob(f"{self.path.stem}-*.db"))

    def new_backup(self) -> Path:
        """The name of a backup made now."""
        stamp = store.utc_now().replace(":", "").replace("-", "").replace(".", "")
        return self.path.parent / "backups" / f"{self.path.stem}-{stamp}.db"

    def is_usable(self, path: Path) -> bool:
        """Whether a file is such a database, sound, and of this version or an earlier one.

        What an update computes anew may have another form, or be missing.
        """
        version = store.schema_version(path) or 0
        if not store.is_ours(path, self.metadata) or not 0 < version <= schema.VERSIONS[self.metadata]:
            return False
        if version == schema.VERSIONS[self.metadata] and not store.has_tables(path, self.metadata):
            return False
        return not store.faults(path)


def market(path: Path) -> Database:
    """The market store at `path`."""
    return Database(path, schema.MARKET)


def workspace(path: Path) -> Database:
    """The analyst's own database at `path`."""
    return Database(path, schema.WORKSPACE)


def backup(database: Database) -> Path:
    """Copy a database into backups/ beside it, keep the newest seven, and return the copy's path.

    An update that runs meanwhile is no trouble. Raises StoreError where the database is missing or damaged, or the
    copy does not pass its check; older backups stay as they are.
    """
    path = database.path
    if not store.is_ours(path, database.metadata):
        raise StoreError(f"{path} is not a {database.name}, or is damaged: nothing was backed up.")
    store.check_free_space(path.parent, path.stat().st_size)
    target = database.new_backup()
    try:
        store.backup(path, target)
        store.check_sound(target)
    except (sqlite3.DatabaseError, StoreError) as error:
        store.remove(target)
        raise StoreError(
            f"{path.name} is damaged ({error}): nothing was backed up. Bring back a backup: make restore"
        ) from error
    for old in database.backups[:-KEEP]:
        store.remove(old)
    return target


def restore(database: Database, source: Path | None = None) -> Path:
    """Bring a backup back (the newest sound one where none is named) and return the one used.

    What was there is kept: a sound workspace as one more backup, a damaged file under another name. Raises StoreError
    where no backup can be used, and nothing is changed then; LockedError while an update runs.
    """
    candidates = [source] if source else database.backups[::-1]
    chosen = next((path for path in candidates if database.is_usable(path)), None)
    if chosen is None:
        raise StoreError(f"{source or 'backups/'} holds no sound {database.name} of this version: nothing was changed.")
    with store.exclusive(database.path):
        if is_damaged(database):
            if database.path.exists():
                store.set_aside(database.path)
        elif database.metadata is schema.WORKSPACE:
            store.backup(database.path, database.new_backup())  # nothing is pruned: the oldest may be the one chosen
        store.backup(chosen, database.path)
    return chosen


def is_damaged(database: Database) -> bool:
    """Whether the file is missing, not such a database, or faulty."""
    return not database.is_usable(database.path)


def check(db: Path) -> list[str]:
    """Return what is wrong with the published store, reading every row of it; empty where it is sound.

    The file's structure and references, every year of every table against the checksum noted when it was written,
    and the rules of a finished store. Raises StoreError where it cannot be opened at all.
    """
    with connect(db, seconds=3600.0) as reader:
        found = store.faults(db)
        if found:
            return found[:SHOWN]
        for table in store.CONTENT:
            noted = store.noted_digests(reader.connection, table)
            stored = {part: (rows, word) for part, rows, word in store.stored_digests(reader.connection, table)}
            found += [
                f"{table.name} {part or '(whole)'}: not as it was published"
                for part in sorted(noted.keys() | stored.keys()) if noted.get(part) != stored.get(part)
            ]  # fmt: skip
        found += [f"{name}: {rows} rows" for name, rows in check_queries.faults(reader, thorough=True).items()]
    return found[:SHOWN]


def vacuum(database: Database, *, only_if_it_pays: bool = False) -> int:
    """Give back the space of deleted rows, of build.db too, and return the bytes gained; LockedError during an update."""
    with store.exclusive(database.path):
        return vacuum_unlocked(database, only_if_it_pays=only_if_it_pays)


def vacuum_unlocked(database: Database, *, only_if_it_pays: bool) -> int:
    """The same for an update, which holds the lock."""
    if not store.is_ours(database.path, database.metadata):
        raise StoreError(
            f"{database.path} is not a {database.name}, or is damaged: bring back a backup with make restore."
        )
    is_market = database.metadata is schema.MARKET
    mirrored = is_market and take_mirror(database.path)
    gained = 0
    for path in (database.path, *([build_path(database.path)] if mirrored else [])):
        if not only_if_it_pays or store.free_share(path) > PAYS:
            store.check_free_space(path.parent, 2 * path.stat().st_size)
            before, after = store.vacuum(path)
            gained += before - after
    if mirrored:
        mark_mirror(database.path)
    return gained
