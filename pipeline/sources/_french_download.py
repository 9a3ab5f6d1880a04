"""Download of Kenneth French's factor files: six zip files, each read, or logged with its fault, on its own."""

import http.client
import io
import random
import time
import urllib.error
import urllib.request
import zipfile
from datetime import date

import pandas as pd

from pipeline.errors import SourceError
from pipeline.sources import _french
from pipeline.sources._frames import NetworkRow
from pipeline.store import utc_now

FILES = (
    "F-F_Research_Data_Factors_CSV.zip",
    "F-F_Research_Data_Factors_daily_CSV.zip",
    "F-F_Research_Data_5_Factors_2x3_CSV.zip",
    "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip",
    "F-F_Momentum_Factor_CSV.zip",
    "F-F_Momentum_Factor_daily_CSV.zip",
)
TIMEOUT = 30.0  # seconds of silence
FILE_SECONDS = 60.0  # for a whole file, however steadily it trickles in
SIZE_LIMIT = 20_000_000  # bytes, zipped and unzipped; the largest file has about 1.2 million
ATTEMPTS = 2
PAUSE = 2.0  # seconds before the second attempt, and up to half as much again
UNREACHABLE = ("net_error", "timeout")


def download(url: str, today: date) -> tuple[pd.DataFrame, list[NetworkRow]]:
    """Return (FACTOR_COLUMNS, fetch-log rows) of the library at `url`; a message says how far a file reaches.

    A file that fails is asked for once more, and then is a row with its fault. After a file that could not be
    reached the rest is not asked for.
    """
    if not url.startswith(("https://", "http://")):
        message = f"{url} is not a web address; mend PLUMBLINE_FRENCH_URL"
        return _french.combine([]), [(name, "error", 0, message, 0, None) for name in FILES]
    files: list[_french.FrenchFile] = []
    log: list[NetworkRow] = []
    unreachable = ""
    for name in FILES:
        if unreachable:
            log.append((name, unreachable, 0, "not asked: the library could not be reached", 0, None))
            continue
        file, row = _file(f"{url.rstrip('/')}/{name}", name, today)
        log.append(row)
        if file is None:
            unreachable = row[1] if row[1] in UNREACHABLE else ""
        else:
            files.append(file)
    return _french.combine(files), log


def _file(address: str, name: str, today: date) -> tuple[_french.FrenchFile | None, NetworkRow]:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            file = _french.parse(_unzip(_get(address)))
        except (OSError, ValueError, SourceError, zipfile.BadZipFile, http.client.HTTPException) as error:
            fault = (name, _status(error), 0, f"{type(error).__name__}: {error}", attempt, None)
            time.sleep(PAUSE * random.uniform(1, 1.5) if attempt < ATTEMPTS else 0)
            continue
        last = file.returns.index[-1]
        age = (today - date.fromisoformat(last)).days
        message = f"to {last}, {age} days before this fetch"
        return file, (name, "ok", len(file.returns), message, attempt, utc_now())
    return None, fault


def _status(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return "rate_limited" if error.code == 429 else "error"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "timeout"
    return "net_error" if isinstance(error, OSError) else "error"


def _get(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "Plumbline"})
    ends = time.monotonic() + FILE_SECONDS
    content = bytearray()
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        while part := answer.read1(SIZE_LIMIT):
            content += part
            if len(content) > SIZE_LIMIT:
                raise SourceError(f"more than {SIZE_LIMIT:,} bytes: not a factor file")
            if time.monotonic() > ends:
                raise TimeoutError(f"not there after {FILE_SECONDS:g} s")
    return bytes(content)


def _unzip(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if len(names) != 1:
            raise SourceError(f"the zip file holds {len(names)} files; 1 is expected")
        with archive.open(names[0]) as member:
            unzipped = member.read(SIZE_LIMIT + 1)
    if len(unzipped) > SIZE_LIMIT:
        raise SourceError(f"more than {SIZE_LIMIT:,} bytes unzipped: not a factor file")
    return unzipped
