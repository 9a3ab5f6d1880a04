"""All read SQL, one file per subject. Parameters only; every query is tested to use an index."""

from pipeline.queries._connection import Reader, connect

__all__ = ["Reader", "connect"]
