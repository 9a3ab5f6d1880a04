"""Bars kept on disk beside the store: to read them anew takes thirty times as long as to read them from there.

Numbers are kept with their checksum, under the edition of the data they were read from; what cannot be kept, or is
not read back as it was kept, is read from the store.
"""

import logging
import zlib
from collections.abc import Iterable
from pathlib import Path

import diskcache
import numpy as np

from analytics.market import FIELDS, Bars
from pipeline.queries import Reader
from pipeline.queries import prices as price_queries

log = logging.getLogger(__name__)

CHECKSUM = 4  # bytes
MOST_BYTES = 512 * 1024 * 1024  # of all that is kept; the oldest goes first


def bars(reader: Reader, tickers: Iterable[str], *, end: str, folder: Path, edition: str) -> dict[str, Bars]:
    """Return what `queries.prices.all_bars` does; edition: names the data that `reader` sees, and no other."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)  # a cache can hold more than bytes: who writes here runs code
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
    if isinstance(kept, bytes) and kept[:CHECKSUM] == _checksum(kept[CHECKSUM:]):
        days, *fields = np.frombuffer(kept[CHECKSUM:], dtype=float).reshape(1 + len(FIELDS), -1)
        return Bars(ticker, days.astype(np.int64).astype("datetime64[D]"), *fields)
    read = price_queries.bars(reader, ticker)
    rows = [read.dates.astype(np.int64).astype(float), *(getattr(read, field) for field in FIELDS)]
    numbers = np.stack(rows).tobytes()
    cache.set(key, _checksum(numbers) + numbers)
    return read


def _checksum(numbers: bytes) -> bytes:
    return zlib.crc32(numbers).to_bytes(CHECKSUM, "big")
