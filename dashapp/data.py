"""How a callback reaches the databases of the app it runs in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import current_app

from analytics.errors import MissingDataError, UnknownKeyError
from dashapp.inputs import is_ticker, shown
from dashapp.soundness import Soundness
from pipeline.queries import Reader, connect
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import runs as run_queries

SETTINGS_KEY = "PLUMBLINE_SETTINGS"
POOL_KEY = "PLUMBLINE_POOL"
HELD_KEY = "PLUMBLINE_HELD"
UPDATE_KEY = "PLUMBLINE_UPDATE"
RATE_KEY = "PLUMBLINE_RATE"
SOUNDNESS_KEY = "PLUMBLINE_SOUNDNESS"


def settings() -> Any:
    """Return the settings of the running app."""
    return current_app.config[SETTINGS_KEY]


def soundness() -> Soundness:
    """Return what is known of the soundness of the market store."""
    db, known = Path(settings().db), current_app.config.setdefault(SOUNDNESS_KEY, {})
    return known.setdefault(db, Soundness(db))


@contextmanager
def market() -> Iterator[Reader]:
    """Read the market store: one snapshot for the whole response."""
    with connect(Path(settings().db), seconds=settings().query_seconds) as reader:
        yield reader


def workspace() -> Path:
    """Return the path of the analyst's own database."""
    return Path(settings().workspace)


def published(reader: Reader) -> tuple[dict[str, Any], Any]:
    """Return the published run and its source; raises MissingDataError where nothing was ever published."""
    run = run_queries.published_run(reader)
    if run is None:
        raise MissingDataError("Nothing has been published yet. Run: make update")
    return run, run_queries.source_of(run)


def known_instrument(reader: Reader, ticker: Any) -> dict[str, Any]:
    """Return one instrument; raises MissingDataError where none is chosen, UnknownKeyError where it is unknown."""
    if not ticker:
        raise MissingDataError("No ticker is chosen. Choose one in the search box at the top.")
    found = instrument_queries.instrument(reader, ticker) if is_ticker(ticker) else None
    if found is None:
        listed = instrument_queries.instruments(reader)["ticker"]
        raise UnknownKeyError("ticker", shown(ticker), listed)
    return found
