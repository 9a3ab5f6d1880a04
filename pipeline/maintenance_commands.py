"""The commands that look after the files: check, backup, restore, vacuum."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import StoreError

if TYPE_CHECKING:  # what reads databases is imported by the command that needs it, so that the others start at once
    from pipeline.maintenance import Database


def add(commands: Any) -> None:
    """Add the commands to the parsers of the command line; each returns 0, or 1 where something is wrong."""
    check = commands.add_parser("check", help="read all of the published store: is it sound, complete and fresh?")
    check.set_defaults(command=_check)
    backup = commands.add_parser("backup", help="copy both databases into backups/, keeping the newest seven of each")
    backup.set_defaults(command=_backup)
    restore = commands.add_parser("restore", help="bring back what is damaged or missing, else the workspace")
    restore.add_argument("--file", type=Path, help="the backup; default: the newest sound one")
    restore.set_defaults(command=_restore)
    vacuum = commands.add_parser("vacuum", help="give back the space of deleted rows")
    vacuum.set_defaults(command=_vacuum)


def _both(settings: Any) -> list["Database"]:
    from pipeline import maintenance

    return [maintenance.market(Path(settings.db)), maintenance.workspace(Path(settings.workspace))]


def _check(_options: argparse.Namespace, settings: Any) -> int:
    from pipeline import maintenance
    from pipeline.alerts import watch

    try:
        found = maintenance.check(Path(settings.db))
    except StoreError as error:
        _tell(watch(settings=settings, faults=[str(error)]))
        raise
    for fault in found:
        print(fault)
    mend = "Bring back a backup: make restore. Or rebuild it from its source: make update FULL=1"
    print(f"The store has faults. {mend}" if found else "The store is sound.")
    _tell(watch(settings=settings, faults=found))
    return 1 if found else 0


def _tell(unsent: Sequence[str]) -> None:
    for sentence in unsent:
        print(sentence, file=sys.stderr)


def _backup(_options: argparse.Namespace, settings: Any) -> int:
    from pipeline import maintenance

    there = [database for database in _both(settings) if database.path.exists()]
    if not there:
        raise StoreError(f"There is nothing to back up: neither {settings.db} nor {settings.workspace} is there.")
    for database in there:
        print(f"Backed up the {database.name} to {maintenance.backup(database)}")
    return 0


def _restore(options: argparse.Namespace, settings: Any) -> int:
    from pipeline import maintenance, schema, store

    market, workspace = _both(settings)
    if options.file:
        chosen = [market if store.is_ours(options.file, schema.MARKET) else workspace]
    else:
        damaged = [item for item in (market, workspace) if maintenance.is_damaged(item) and item.backups]
        chosen = damaged or [workspace]
    for database in chosen:
        print(f"Restored the {database.name} from {maintenance.restore(database, options.file)}")
    return 0


def _vacuum(_options: argparse.Namespace, settings: Any) -> int:
    from pipeline import maintenance

    for database in _both(settings):
        if database.path.exists():
            print(f"{database.path.name}: {maintenance.vacuum(database) / 1e6:,.1f} MB given back")
    return 0
