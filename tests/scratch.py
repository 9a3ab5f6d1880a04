"""Settings of a throw-away folder, and the environment of another process."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config import load_settings


def settings_in(folder: Path, **overrides: Any) -> Any:
    """Return settings whose files all lie in `folder`; the environment is left out."""
    files = {"db": folder / "data.db", "workspace": folder / "workspace.db", "cache_dir": folder / ".cache"}
    return load_settings({}, **(files | overrides))


def bare_environment(**changes: str) -> Mapping[str, str]:
    """Return an environment of `changes` alone and what tells BLAS its processor: another one rounds sums otherwise."""
    return {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")} | changes
