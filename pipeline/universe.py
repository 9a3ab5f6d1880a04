"""The members of the index, refreshed: newcomers begin today, those gone end today, and history stays as it was."""

import argparse
import csv
import io
import json
import sys
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from analytics.errors import InputError
from config import ROOT
from pipeline.errors import SourceError

MEMBERS = ROOT / "pipeline" / "data" / "nasdaq100_members.csv"
COLUMNS = ("ticker", "start_date", "end_date")
SIZES = (80, 130)  # names that a list of the Nasdaq-100 may have; it has two classes of some companies
MOST_CHANGES = 10  # at one time, joined and gone together; a yearly reconstitution may need --force
TIMEOUT = 30.0  # seconds
SIZE_LIMIT = 5_000_000  # bytes
NAMES = ("symbol", "ticker")  # of the column that holds the tickers
FORMS = 'a CSV file with a column "ticker" or "symbol", or JSON of the same'
HEADERS = {"User-Agent": "Mozilla/5.0 (Plumbline)", "Accept": "application/json"}


@dataclass(frozen=True)
class Change:
    """Who joined and who left."""

    joined: tuple[str, ...]
    gone: tuple[str, ...]

    def __str__(self) -> str:
        """One line per direction, for the terminal."""
        if not (self.joined or self.gone):
            return "The list of members is as it was."
        return f"joined: {', '.join(self.joined) or 'nobody'}\ngone: {', '.join(self.gone) or 'nobody'}"


def add_command(commands: Any) -> None:
    """Add `universe` to the command line."""
    command = commands.add_parser("universe", help="refresh the list of the index's members; nobody is removed")
    command.add_argument("--file", type=Path, help=f"the present members, {FORMS}; default: the setting universe_url")
    command.add_argument("--force", action="store_true", help="believe a list however much it differs")
    command.set_defaults(command=_run)


def _run(options: argparse.Namespace, settings: Any) -> int:
    content = _read(options.file) if options.file else _get(settings.universe_url)
    today = datetime.now(ZoneInfo("America/New_York")).date().isoformat()
    sys.stdout.write(f"{refresh(content, MEMBERS, today=today, force=options.force)}\n")
    return 0


def refresh(content: bytes, path: Path, *, today: str, force: bool = False) -> Change:
    """Bring the membership file at `path` up to a list of the present members, and return what changed.

    Raises InputError where the list cannot be read, or is implausible and not forced; the file then stays as it is.
    """
    present = set(present_members(content))
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = {row["ticker"] for row in rows if not row["end_date"]}
    change = Change(tuple(sorted(present - known)), tuple(sorted(known - present)))
    if not force:
        _check_plausible(len(present), change)
    if change.joined or change.gone:
        for row in rows:
            if row["ticker"] in change.gone and not row["end_date"]:
                row["end_date"] = today
        rows += [{"ticker": ticker, "start_date": today, "end_date": ""} for ticker in change.joined]
        _write(path, sorted(rows, key=lambda row: (row["ticker"], row["start_date"])))
    return change


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    """Replace the file whole, or not at all."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)


def _check_plausible(size: int, change: Change) -> None:
    least, most = SIZES
    if not least <= size <= most:
        raise InputError("universe", got=f"{size} names", allowed=f"{least} to {most}", fix="Or use --force.")
    if (changes := len(change.joined) + len(change.gone)) > MOST_CHANGES:
        raise InputError("universe", got=f"{changes} changes at once", allowed=f"{MOST_CHANGES}", fix="Or use --force.")


def present_members(content: bytes) -> tuple[str, ...]:
    """Return the tickers of a list, CSV or JSON, written as Yahoo does (BRK-B); raises InputError."""
    from pipeline.sources._frames import check_tickers  # here: the command line must start without it

    try:
        text = content.decode("utf-8-sig")
        rows = (
            _json_rows(json.loads(text)) if text.lstrip()[:1] in ("[", "{") else list(csv.DictReader(io.StringIO(text)))
        )
        tickers = [_ticker(row) for row in rows]
    except (ValueError, TypeError, AttributeError, LookupError, csv.Error) as error:
        raise InputError("universe", got=content[:40], allowed=FORMS) from error
    return check_tickers(ticker.strip().upper().replace("/", "-").replace(".", "-") for ticker in tickers)


def _ticker(row: Any) -> str:
    if isinstance(row, str):
        return row
    for name, value in row.items():
        if str(name).strip().lower() in NAMES:
            return str(value)
    raise LookupError(NAMES)


def _json_rows(value: Any) -> list[Any]:
    """The list itself, or the one that Nasdaq's answer holds as data.data.rows."""
    return value if isinstance(value, list) else list(value["data"]["data"]["rows"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()[:SIZE_LIMIT]
    except OSError as error:
        raise InputError("--file", got=str(path), allowed=FORMS, fix=str(error.strerror)) from error


def _get(url: str) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise InputError("universe_url", got=url, allowed="a web address, or name a file with --file")
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=HEADERS), timeout=TIMEOUT) as answer:
            return bytes(answer.read(SIZE_LIMIT))
    except OSError as error:
        raise SourceError(f"{url} did not answer: {error}. The list of members is unchanged; or use --file.") from error
