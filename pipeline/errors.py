"""What can go wrong between a source and the published store, besides bad input.

PlumblineError (analytics.errors)
└── PipelineError
    ├── SourceError      a source could not be read; nothing was changed
    ├── LockedError      another update is running
    ├── CheckError       the built store failed its checks and was not published
    └── StoreError       the database is missing, damaged or of another version
"""

from typing import Any

from analytics.errors import PlumblineError


class PipelineError(PlumblineError):
    """Root of the pipeline's own errors."""


class SourceError(PipelineError):
    """A source could not be read at all. `fetch_log` holds what was asked and answered, where anything was asked."""

    def __init__(self, message: str, *, fetch_log: Any = None) -> None:
        super().__init__(message)
        self.fetch_log = fetch_log


class LockedError(PipelineError):
    """Another update holds the lock."""


class CheckError(PipelineError):
    """The built store failed its checks and was not published."""


class StoreError(PipelineError):
    """A database is missing, damaged or of another version."""
