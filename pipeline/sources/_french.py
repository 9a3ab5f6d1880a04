"""Kenneth French's factor files: recognised by content, read without header, footer and annual block."""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.errors import SourceError
from pipeline.sources._source import FACTOR_COLUMNS

PERCENT = 100.0
MISSING = -99.0  # the files write −99.99 or −999 for "missing"; no return is below −100 %
HEADER = re.compile(rb"^[ \t]*,[^\r\n]*", re.MULTILINE)  # the name of the date column is left empty
BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
COLUMNS = {
    "mkt-rf": "mkt_rf",
    "smb": "smb",
    "hml": "hml",
    "rmw": "rmw",
    "cma": "cma",
    "rf": "rf",
    "mom": "mom",
}
KINDS = {
    "three factors": {"mkt_rf", "smb", "hml", "rf"},
    "five factors": {"mkt_rf", "smb", "hml", "rmw", "cma", "rf"},
    "momentum": {"mom"},
}
FREQUENCIES = {8: "D", 6: "M"}  # digits of the date


@dataclass(frozen=True)
class FrenchFile:
    """One file: what it holds, daily (D) or monthly (M), and returns as fractions indexed by ISO date."""

    kind: str
    frequency: str
    returns: pd.DataFrame


def parse(content: bytes) -> FrenchFile:
    """Read one original file; raises SourceError where it is not a 3-factor, 5-factor or momentum file.

    Percent become fractions; −99.99 and −999 become NaN; monthly dates become calendar month ends.
    """
    header = HEADER.search(content)
    if header is None:
        raise SourceError(f"no line of factor names such as ',Mkt-RF,SMB,HML,RF'; it begins {content[:40]!r}")
    names = [name.strip().lower() for name in header[0].decode("ascii", "replace").split(",")[1:]]
    found = {COLUMNS.get(name, name) for name in names}
    kind = next((kind for kind, columns in KINDS.items() if columns == found), None)
    if kind is None:
        raise SourceError(f"holds {', '.join(names)}; known are the 3-factor, 5-factor and momentum files")
    block = BLANK_LINE.split(content[header.end() :].lstrip(b"\r\n"), maxsplit=1)[0]
    return _table(block, kind, [COLUMNS[name] for name in names])


def _table(block: bytes, kind: str, columns: list[str]) -> FrenchFile:
    try:
        table = pd.read_csv(
            io.BytesIO(block),
            header=None,
            names=["date", *columns],
            skipinitialspace=True,
            dtype={"date": str},
        )
        values = table[columns].to_numpy(dtype=float) / PERCENT
        width = table["date"].str.strip().str.len().unique()
        frequency = FREQUENCIES[int(width.item())]  # an item() of several widths raises ValueError
        dates = _dates(table["date"].str.strip(), frequency)
    except (ValueError, KeyError, pd.errors.ParserError) as error:
        raise SourceError(f"the {kind} table cannot be read: {error}") from error
    values[values <= MISSING / PERCENT] = np.nan
    return FrenchFile(kind, frequency, pd.DataFrame(values, index=dates, columns=columns))


def _dates(stamps: pd.Series, frequency: str) -> pd.Index:
    if frequency == "D":
        iso = stamps.str[:4] + "-" + stamps.str[4:6] + "-" + stamps.str[6:]
        return pd.Index(iso.to_numpy(dtype="datetime64[D]").astype(str), name="date")
    return pd.Index(month_ends((stamps.str[:4] + "-" + stamps.str[4:]).to_numpy(dtype="datetime64[M]")), name="date")


def month_ends(months: np.ndarray) -> np.ndarray:
    """Return the calendar month ends as ISO text of months given as datetime64[M], shape unchanged."""
    return ((months + 1).astype("datetime64[D]") - 1).astype(str)


def combine(files: Iterable[FrenchFile]) -> pd.DataFrame:
    """Join files into FACTOR_COLUMNS, a row per frequency and date; NaN where no file has a value.

    SMB of the 5-factor file is another series and becomes smb5. Market, HML and RF are the 3-factor file's
    where it has the date. Of two files of one kind, the one that reaches further counts.
    """
    newest: dict[tuple[str, str], FrenchFile] = {}
    for file in files:
        key = (file.frequency, file.kind)
        if key not in newest or newest[key].returns.index[-1] <= file.returns.index[-1]:
            newest[key] = file
    frames = [
        _join({kind: file.returns for (owner, kind), file in newest.items() if owner == frequency}).assign(
            frequency=frequency
        )
        for frequency in FREQUENCIES.values()
        if any(owner == frequency for owner, _ in newest)
    ]
    if not frames:
        return pd.DataFrame(columns=list(FACTOR_COLUMNS))
    return pd.concat(frames, ignore_index=True)[list(FACTOR_COLUMNS)]


def _join(returns: dict[str, pd.DataFrame]) -> pd.DataFrame:
    five = returns.get("five factors", pd.DataFrame()).rename(columns={"smb": "smb5"})
    joined = returns.get("three factors", pd.DataFrame()).combine_first(five)
    joined = joined.combine_first(returns.get("momentum", pd.DataFrame()))
    return joined.reindex(columns=list(FACTOR_COLUMNS[2:])).sort_index().rename_axis("date").reset_index()
