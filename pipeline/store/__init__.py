"""The only package that opens a database for writing: connections, transactions, rows, parts, lock and backup.

All writers use WAL, BEGIN IMMEDIATE, a 30 s busy timeout and foreign keys. A live database is never copied,
moved or replaced as a file: the backup API does it, because a left-over -wal beside a new file corrupts it.
"""

from pipeline.lock import exclusive
from pipeline.store._connect import (
    check_replaceable,
    has_tables,
    is_ours,
    lacks_tables,
    open_idle,
    open_writer,
    schema_version,
    transaction,
)
from pipeline.store._delta import CONTENT, RUN_TABLES, publish_changes
from pipeline.store._files import (
    backup,
    check_free_space,
    check_sound,
    checkpoint,
    copy_rows,
    faults,
    free_share,
    remove,
    set_aside,
    stamp,
    utc_now,
    utc_text,
    vacuum,
)
from pipeline.store._parts import (
    drop,
    fetched_digests,
    noted_digests,
    part_columns,
    parts_of,
    replace,
    seal,
    stored_digests,
    table_checksum,
)
from pipeline.store._rows import delete, insert, insert_missing, update, upsert
from pipeline.store._shards import merge_shard, shard

__all__ = [
    "CONTENT", "RUN_TABLES", "backup", "check_free_space", "check_replaceable", "check_sound", "checkpoint", "copy_rows", "delete",
    "drop", "exclusive", "faults", "fetched_digests", "free_share", "has_tables", "insert", "insert_missing", "is_ours", "lacks_tables", "merge_shard", "noted_digests", "open_idle", "open_writer", "part_columns", "parts_of",
    "publish_changes", "remove", "replace", "schema_version", "seal", "set_aside", "shard", "stamp", "stored_digests",
    "table_checksum", "transaction", "update", "upsert", "utc_now", "utc_text", "vacuum",
]  # fmt: skip
