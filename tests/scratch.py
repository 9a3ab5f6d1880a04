"""Settings of a throw-away folder."""

from pathlib import Path
from typing import Any

from config import load_settings


def settings_in(folder: Path, **overrides: Any) -> Any:
    """Return settings whose files all lie in `folder`; the environment is left out."""
    files = {"db": folder / "data.db", "workspace": folder / "workspace.db", "cache_dir": folder / ".cache"}
    return load_settings({}, **(files | overrides))
