"""Keep and bring back the analyst's own database, which nothing can rebuild."""

from pathlib import Path

from pipeline import schema, store
from pipeline.errors import StoreError

KEEP = 7  # backups


def backup_workspace(workspace: Path) -> Path:
    """Copy the workspace into backups/ beside it, keep the newest seven, and return the copy's path."""
    if not workspace.exists():
        raise StoreError(f"There is no workspace at {workspace}: nothing to back up.")
    stamp = store.utc_now().replace(":", "").replace("-", "").replace(".", "")
    target = workspace.parent / "backups" / f"{workspace.stem}-{stamp}.db"
    store.backup(workspace, target)
    for old in sorted(target.parent.glob(f"{workspace.stem}-*.db"))[:-KEEP]:
        store.remove(old)
    return target


def restore_workspace(workspace: Path, source: Path | None) -> Path:
    """Bring a backup back over the workspace (the newest where none is named) and return the one used.

    What the workspace held is itself backed up first. Raises StoreError where the backup cannot be used.
    """
    kept = sorted((workspace.parent / "backups").glob(f"{workspace.stem}-*.db"))
    chosen = source or (kept[-1] if kept else None)
    if chosen is None or store.schema_version(chosen) != schema.fingerprint(schema.WORKSPACE):
        raise StoreError(f"{chosen or 'backups/'} holds no workspace of this version: nothing was changed.")
    if workspace.exists():
        backup_workspace(workspace)
    store.backup(chosen, workspace)
    return chosen
