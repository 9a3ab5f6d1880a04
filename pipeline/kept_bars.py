"""Bars kept on disk beside the store: to read them anew takes thirty times as long as to read them from there.

Only numbers are kept, as bytes, under the edition of the data they were read from; what cannot be kept or read back
is read from the store.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

import diskcache
import numpy as np

from analytics.market import FIELDS, Bars
from pipeline.queries import Reader
from pipeline.queries import prices as price_queries

log = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024 * 1024  # of all that is kept; the oldest goes first


def bars(reader: Reader, tickers: Iterable[str], *, end: str, folder: Path, edition: str) -> dict[str, Bars]:
    """Return what `queries.prices.all_bars` does; edition: names the data that `reader` sees, and no other."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with diskcache.Cache(str(folder), size_limit=MOST_BYTES) as cache:
            found = {ticker: _bars(cache, reader, ticker, edition) for ticker in tickers}
    except Exception:  # a full disk, a damaged cache: slower, not wrong
        log.exception("bars cannot be kept in %s", folder)
        return price_queries.all_bars(reader, tickers, end=end)
    cut = {ticker: item.rows(item.dates <= np.datetime64(end)) for ticker, item in found.items()}
    return {ticker: item for ticker, item in cut.items() if len(item)}


def _bars(cache: diskcache.Cache, reader: Reader, ticker: str, edition: str) -> Bars:
    key = f"{edition} {ticker}"
    kept = cache.get(key)
    if kept is not None:
        days, *fields = np.frombuffer(kept, dtype=float).reshape(1 + len(FIELDS), -1)
        return Bars(ticker, days.astype(np.int64).astype("datetime64[D]"), *fields)
    read = price_queries.bars(reader, ticker)
    rows = [read.dates.astype(np.int64).astype(float), *(getattr(read, field) for field in FIELDS)]
    cache.set(key, np.stack(rows).tobytes())
    return read
