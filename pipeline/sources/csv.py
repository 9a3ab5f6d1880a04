"""Your own folder of CSV files: prices/, etf/, index/, and optional actions/, ff/ and instruments.csv."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline.errors import SourceError
from pipeline.quality import find_jumps
from pipeline.sources import _actions_csv, _french, _yahoo_csv
from pipeline.sources._frames import TICKER, FetchRow, fetch_log, split_yields, stack
from pipeline.sources._source import (
    ACTION_COLUMNS,
    INSTRUMENT_COLUMNS,
    PRICE_COLUMNS,
    REJECT_COLUMNS,
    FetchRequest,
    Report,
    Source,
    SourceData,
)

FOLDERS = {"prices": "stock", "etf": "etf", "index": "index"}  # folder → kind
LAYOUT = (
    "Lay the folder out as prices/TICKER.csv, etf/TICKER.csv and index/^NAME.csv (or .csv.gz) with the "
    "columns Date,Open,High,Low,Close,Adj Close,Volume, or Date,Close alone; see docs/DATA.md."
)
CSV_NAME = re.compile(r"(.+)\.csv(\.gz)?", re.IGNORECASE)


@dataclass
class _Gathered:
    """What has been read so far."""

    prices: list[pd.DataFrame] = field(default_factory=list)
    actions: list[pd.DataFrame] = field(default_factory=list)
    rejects: list[pd.DataFrame] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    log: list[FetchRow] = field(default_factory=list)

    def refuse(self, name: str, reason: str) -> None:
        """Note a file that cannot be used."""
        self.log.append((name, "error", 0, reason))
        self.rejects.append(pd.DataFrame([(name, None, reason, None)], columns=list(REJECT_COLUMNS)))


def fetch(request: FetchRequest, report: Report) -> SourceData:
    """Read the folder `request.path`; raises SourceError where it holds no readable price file.

    One bad file among good ones becomes a reject and a fetch-log row of status "error". A file of the actions
    or ff folder, or instruments.csv, stands in the log under its path.
    """
    root = _root(request.path)
    files = _price_files(root, request.tickers)
    gathered = _Gathered()
    for number, (folder, ticker, path) in enumerate(files):
        report(number / len(files), f"reading {path.relative_to(root)}")
        _read_price_file(gathered, path, ticker, FOLDERS[folder])
    gathered.log += _not_found(request.tickers, {ticker for _, ticker, _ in files})
    if not any(map(len, gathered.prices)):
        faults = "; ".join(f"{name}: {message}" for name, _, _, message in gathered.log[:3])
        raise SourceError(f"{root}: none of {len(files)} price files can be read ({faults}). {LAYOUT}")
    report(1.0, "reading factors, dividends and names")
    prices, rates, rate_rejects = split_yields(_since(stack(gathered.prices, PRICE_COLUMNS), request.start))
    _read_actions(gathered, root, set(gathered.kinds))
    factors = _french.combine(_read_factors(gathered, root))
    instruments = _instruments(gathered, root)
    actions = _actions_csv.merge(stack(gathered.actions, ACTION_COLUMNS))
    return SourceData(
        instruments=instruments,
        prices=prices,
        rates=rates,
        actions=actions,
        factors=factors,
        rejects=stack([*gathered.rejects, rate_rejects], REJECT_COLUMNS),
        fetch_log=_remarked(fetch_log(gathered.log), prices, actions),
    )


def _root(path: Path | None) -> Path:
    if path is None:
        raise SourceError(f"The csv source needs a folder: name it with --path. {LAYOUT}")
    if not path.is_dir():
        raise SourceError(f"{path} is {'not a folder' if path.exists() else 'not there'}. {LAYOUT}")
    return path


def _price_files(root: Path, tickers: tuple[str, ...] | None) -> list[tuple[str, str, Path]]:
    """(folder, ticker, file) of what is asked for, ordered by ticker."""
    found = [(folder, name, path) for folder in FOLDERS for name, path in _csv_files(root / folder)]
    if not found:
        there = ", ".join(sorted(path.name for path in root.iterdir())[:8]) or "nothing"
        raise SourceError(f"{root} has no CSV file in prices/, etf/ or index/; it holds {there}. {LAYOUT}")
    files = [(folder, name.upper(), path) for folder, name, path in found]
    if tickers is not None:
        files = [file for file in files if file[1] in tickers]
        if not files:
            raise SourceError(f"{root} has no file for {', '.join(tickers)}.")
    return sorted(files, key=lambda file: file[1])


def _csv_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name without ending, file) of the CSV files of a folder, none where it is missing."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (match := CSV_NAME.fullmatch(path.name)) and path.is_file():
            yield match[1], path


def _read_price_file(gathered: _Gathered, path: Path, ticker: str, kind: str) -> None:
    place = f"{path.parent.name}/{path.name}"
    if not TICKER.fullmatch(ticker):
        gathered.refuse(place, "the name is not a ticker such as AAPL, BRK.B or ^GSPC")
        return
    if ticker in gathered.kinds:
        gathered.refuse(place, "a second file of this ticker; the first is kept")
        return
    try:
        file = _yahoo_csv.read_prices(_yahoo_csv.read_bytes(path), ticker)
    except SourceError as error:
        gathered.refuse(ticker, str(error))
        return
    gathered.kinds[ticker] = kind
    gathered.rejects.append(file.rejects)
    gathered.prices.append(file.prices)
    remark = "" if kind == "index" else file.remark  # an index pays no dividend
    gathered.log.append((ticker, "ok" if len(file.prices) else "empty", len(file.prices), remark))


def _not_found(tickers: tuple[str, ...] | None, found: set[str]) -> list[FetchRow]:
    return [(ticker, "empty", 0, "the folder has no file of it") for ticker in tickers or () if ticker not in found]


def _since(prices: pd.DataFrame, start: str | None) -> pd.DataFrame:
    return prices if start is None else prices[prices["date"] >= start].reset_index(drop=True)


def _read_actions(gathered: _Gathered, root: Path, tickers: set[str]) -> None:
    folder = root / "actions"
    folders = [folder, *(path for path in sorted(folder.iterdir()) if path.is_dir())] if folder.is_dir() else []
    for name, path in (file for place in folders for file in _csv_files(place)):
        try:
            actions, rejects = _actions_csv.read_actions(_yahoo_csv.read_bytes(path), name)
        except SourceError as error:
            gathered.refuse(str(path.relative_to(root)), str(error))
            continue
        gathered.actions.append(actions[actions["ticker"].isin(tickers)])
        gathered.rejects.append(rejects)


def _read_factors(gathered: _Gathered, root: Path) -> Iterable[_french.FrenchFile]:
    for _, path in _csv_files(root / "ff"):
        try:
            yield _french.parse(_yahoo_csv.read_bytes(path))
        except SourceError as error:
            gathered.refuse(str(path.relative_to(root)), str(error))


def _instruments(gathered: _Gathered, root: Path) -> pd.DataFrame:
    """Names and sectors of instruments.csv where it has them; else the ticker and the folder's kind."""
    known = pd.DataFrame({"ticker": list(gathered.kinds), "folder_kind": list(gathered.kinds.values())})
    described = _described(gathered, root / "instruments.csv")
    table = known.merge(described, on="ticker", how="left")
    table["name"] = table["name"].fillna(table["ticker"])
    table["kind"] = table["kind"].where(table["kind"].isin(list(FOLDERS.values())), table["folder_kind"])
    table["currency"] = table["currency"].fillna("USD")
    return table[list(INSTRUMENT_COLUMNS)].sort_values("ticker", ignore_index=True)


def _described(gathered: _Gathered, path: Path) -> pd.DataFrame:
    empty = pd.DataFrame(columns=list(INSTRUMENT_COLUMNS), dtype=str)
    if not path.is_file():
        return empty
    try:
        table = pd.read_csv(path, dtype=str, encoding_errors="replace").rename(columns=str.lower)
    except (ValueError, pd.errors.ParserError) as error:
        gathered.refuse(path.name, f"cannot be read: {error}")
        return empty
    if "ticker" not in table:
        gathered.refuse(path.name, f"has no ticker column; allowed: {', '.join(INSTRUMENT_COLUMNS)}")
        return empty
    return table.drop_duplicates("ticker").reindex(columns=list(INSTRUMENT_COLUMNS))


def _remarked(log: pd.DataFrame, prices: pd.DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    """Add to each ticker's message what in its prices and dividends a look at single rows cannot decide."""
    jumps = {
        str(ticker): "close moves " + ", ".join(f"×{row.ratio:.3g} on {row.date}" for row in rows.itertuples())
        for ticker, rows in find_jumps(prices).groupby("ticker")
    }
    for remarks in (jumps, _actions_csv.disagreements(actions, prices)):
        added = log["ticker"].map(remarks).fillna("")
        log = log.assign(message=log["message"].str.cat(added, sep="; ").str.strip("; "))
    return log


SOURCE = Source(
    key="csv",
    label="CSV folder",
    description=(
        "Your own folder of daily prices in Yahoo's columns, dividends, and Kenneth French's original factor "
        "files. Prices must be adjusted for splits; without an Adj Close column returns leave out dividends."
    ),
    fetch=fetch,
)
