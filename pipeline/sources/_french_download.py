"""Download of Kenneth French's factor files: six zip files, each read or logged as an error on its own."""

import io
import urllib.request
import zipfile
from typing import IO

import pandas as pd

from pipeline.errors import SourceError
from pipeline.sources import _french
from pipeline.sources._frames import FetchRow

FILES = (
    "F-F_Research_Data_Factors_CSV.zip",
    "F-F_Research_Data_Factors_daily_CSV.zip",
    "F-F_Research_Data_5_Factors_2x3_CSV.zip",
    "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip",
    "F-F_Momentum_Factor_CSV.zip",
    "F-F_Momentum_Factor_daily_CSV.zip",
)
TIMEOUT = 30.0  # seconds
SIZE_LIMIT = 20_000_000  # bytes, zipped and unzipped; the largest file has about 1.2 million


def download(url: str) -> tuple[pd.DataFrame, list[FetchRow]]:
    """Return (FACTOR_COLUMNS, fetch-log rows) of the library at `url`; a file that fails is a row "error"."""
    files, log = [], []
    for name in FILES:
        try:
            file = _french.parse(_unzip(_get(f"{url.rstrip('/')}/{name}")))
        except (OSError, ValueError, SourceError, zipfile.BadZipFile) as error:  # URLError is an OSError
            log.append((name, "error", 0, f"{type(error).__name__}: {error}"))
            continue
        files.append(file)
        log.append((name, "ok", len(file.returns), ""))
    return _french.combine(files), log


def _get(url: str) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise SourceError(f"{url} is not a web address; mend PLUMBLINE_FRENCH_URL")
    request = urllib.request.Request(url, headers={"User-Agent": "Plumbline"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return _bounded(answer)


def _unzip(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if len(names) != 1:
            raise SourceError(f"the zip file holds {len(names)} files; 1 is expected")
        with archive.open(names[0]) as member:
            return _bounded(member)


def _bounded(stream: IO[bytes]) -> bytes:
    content = stream.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise SourceError(f"more than {SIZE_LIMIT:,} bytes: not a factor file")
    return content
