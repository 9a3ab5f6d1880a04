"""Keep and bring back the analyst's own database, which nothing can rebuild."""

from pathlib import Path

from pipeline import schema, store
from pipeline.errors import StoreError

KEEP = 7  # backups


def backup_workspace(workspace: Path) -> Path:
    """Copy the workspace into backups/ beside it, keep the newest seven, and return the copy's path.

    Raises StoreError where there is no workspace of ours to back up; the backups stay as they are.
    """
    if not store.is_ours(workspace, schema.WORKSPACE):
        raise StoreError(f"{workspace} is not a workspace, or is damaged: nothing was backed up.")
    target = _new_name(workspace)
    store.backup(workspace, target)
    for old in _kept(workspace)[:-KEEP]:
        store.remove(old)
    return target


def restore_workspace(workspace: Path, source: Path | None) -> Path:
    """Bring a backup back over the workspace (the newest where none is named) and return the one used.

    What the workspace held is kept: as one more backup, or under another name where it is damaged. Raises StoreError
    where the backup cannot be used; nothing is changed then.
    """
    kept = _kept(workspace)
    chosen = source or (kept[-1] if kept else None)
    if chosen is None or store.schema_version(chosen) != schema.fingerprint(schema.WORKSPACE):
        raise StoreError(f"{chosen or 'backups/'} holds no workspace of this version: nothing was changed.")
    if store.is_ours(workspace, schema.WORKSPACE):
        store.backup(workspace, _new_name(workspace))  # nothing is pruned here: the oldest may be the one chosen
    elif workspace.exists():
        store.set_aside(workspace)
    store.backup(chosen, workspace)
    return chosen


def _kept(workspace: Path) -> list[Path]:
    return sorted((workspace.parent / "backups").glob(f"{workspace.stem}-*.db"))


def _new_name(workspace: Path) -> Path:
    stamp = store.utc_now().replace(":", "").replace("-", "").replace(".", "")
    return workspace.parent / "backups" / f"{workspace.stem}-{stamp}.db"
